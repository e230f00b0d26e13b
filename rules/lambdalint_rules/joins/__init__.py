"""Code held against the configuration that it runs with."""
