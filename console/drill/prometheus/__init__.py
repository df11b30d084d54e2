"""The monitoring of the cluster: series as exporters would have shown them, PromQL, alerting rules, Alertmanager."""
