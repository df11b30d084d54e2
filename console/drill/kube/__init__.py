"""The Kubernetes API of the simulated cluster, as far as clients of Spark on Kubernetes and stock kubectl use it."""
