"""What moves the world: the loops of the control plane, the kubelets, Spark's drivers and the Spark operator."""
