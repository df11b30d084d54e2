"""What the runbooks of a walk ask the cluster for at each look: objects by name, and what their ports answer."""
