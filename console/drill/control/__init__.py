"""Controllers: scheduler, kubelets, device plugin, Deployments, garbage collector and the Spark operator."""
