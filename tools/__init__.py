"""Programs for those who work on Console; nothing here is installed."""
