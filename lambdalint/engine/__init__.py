"""Which rules run on what, in what order, in how many processes."""
