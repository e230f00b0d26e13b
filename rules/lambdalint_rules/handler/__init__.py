"""What Lambda asks of a handler, what importing it costs, and what it keeps between events."""
