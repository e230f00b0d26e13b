"""Images out of plans, without a container engine."""
