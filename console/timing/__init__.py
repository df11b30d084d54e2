"""Why an application is slow: where its wall time went that it need not have. Pure."""
