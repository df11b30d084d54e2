"""The simulated cluster: a world of objects and series over virtual time, and the servers that speak its wire.

Knows no client, no engine and no UI. What happens in it follows from resources and time alone.
"""
