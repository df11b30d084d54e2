"""Runbooks as data: schema, lint, matching, template sandbox, effects, and the walk as events and a fold. Pure."""
