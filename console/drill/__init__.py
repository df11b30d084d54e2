"""The simulated cluster: a world of objects and series over virtual time, and the servers that speak its wire.

Knows no client, no engine and no UI. What happens in it follows from resources and time alone. `state` is what the
cluster is, `control` and `spark` change it, `kube` and `prometheus` show it on the wire, `scenario` makes worlds and
breaks them; `world` puts state and controllers together, `session` plays a scenario on loopback.
"""
