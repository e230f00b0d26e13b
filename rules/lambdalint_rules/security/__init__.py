"""What is logged, what event data may reach, and where keys and secrets lie."""
