"""What every room may use: clock, errors, text, units, YAML with lines, paths. Imports nothing of Console."""
