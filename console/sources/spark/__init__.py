"""Facts from Spark itself: REST, event logs, standalone masters and workers."""
