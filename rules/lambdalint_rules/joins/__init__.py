"""Rules that hold code against configuration."""
