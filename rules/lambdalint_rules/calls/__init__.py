"""What code waits for, what it does when something fails, and what it reads and gives back."""
