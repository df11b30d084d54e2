"""Facts from outside: reflectors, logs, Prometheus, Spark REST, Alertmanager, saved evidence."""
