"""What is known of the memory of who ended: figures, former sizes, room; and the size that follows from it."""
