"""Broken and hostile artifacts: each is made by hand or by a tool, and has a healthy twin."""
