"""Who may invoke a function, and what the function may do."""
