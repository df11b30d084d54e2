"""Before anything is sent: what would change, whether there is room for it, and what it ends, which is kept."""
