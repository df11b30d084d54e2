"""Where data lies: object stores, the Hive metastore, claims, event logs."""
