"""Specification of workstreams."""
