"""Who makes an application wait, for what, and what would let it in: read from the objects of each queue."""
