"""The terminal UI: pure views turn a Situation into lines, panes paint the lines that changed."""
