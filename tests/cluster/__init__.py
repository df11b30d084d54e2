"""Real parts: a control plane, a whole node with Spark and its operator, Prometheus; built and run on one machine.

build.py makes what is missing, inventory.py finds it, serve.py runs it, parts.py gives it to tests as fixtures.
"""
