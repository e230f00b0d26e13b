"""Bytes to documents: one module a format, none knowing another."""
