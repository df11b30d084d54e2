"""The series of the world: what exporters would have shown at every scrape, computed when somebody asks."""
