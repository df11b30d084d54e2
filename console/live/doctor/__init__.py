"""Whether Console can work here: what it needs, asked one by one, and the rights to ask for."""
