"""PromQL over series that are functions of time: parsed by promql-parser, evaluated as Prometheus 2.42 evaluates."""
