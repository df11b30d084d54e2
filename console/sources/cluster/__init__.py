"""Facts from the Kubernetes API: reflectors, kinds, what vanished, logs, what is read once."""
