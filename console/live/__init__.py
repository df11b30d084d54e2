"""Composition: settings, sources, health, matching and the journal become a stream of `Situation`s."""
