"""What ended pods from outside: evictions, signals, failed starts, silent nodes."""
