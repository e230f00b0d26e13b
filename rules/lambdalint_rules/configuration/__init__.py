"""How a function is configured and how events are delivered to it."""
