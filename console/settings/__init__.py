"""What a user decides: the config file, presets, contexts. Read once, immutable, each value with its origin."""
