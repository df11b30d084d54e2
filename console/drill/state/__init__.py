"""What the cluster is: objects and every change of them, time, what is remembered. It knows no controller."""
