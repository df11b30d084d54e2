"""Console: the on-call console for Apache Spark (and its GPUs) on Kubernetes."""

__version__ = "0.1.0"
API_VERSION = "console/v1"
"""`apiVersion` of every JSON document that Console prints."""
