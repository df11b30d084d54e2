"""The data that templates see: one plain tree, one file for each part of it."""
