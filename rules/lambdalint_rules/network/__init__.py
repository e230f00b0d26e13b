"""The network that a function stands in, and what it can reach from there."""
