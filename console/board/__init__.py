"""Everything that is judged at one moment, and the one verdict. Pure."""
