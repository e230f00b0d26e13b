"""A plan of entries first, which can be checked; then the ZIP written from it, the same bytes for the same plan."""
