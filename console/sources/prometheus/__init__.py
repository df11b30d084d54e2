"""Facts from Prometheus and Alertmanager: queries, objectives, what it says of itself."""
