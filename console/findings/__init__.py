"""What is wrong, as statements with proof: the rules, what they look at, and the engine. Pure."""
