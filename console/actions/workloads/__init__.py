"""Verbs for what keeps pods running: Deployments, StatefulSets, DaemonSets and their like."""
