"""What a Prometheus says of itself, and where it is blind. Pure."""
