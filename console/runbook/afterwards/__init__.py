"""What becomes of a change: what it needs to last, what is seen once it was taken back, whether trouble comes again."""
