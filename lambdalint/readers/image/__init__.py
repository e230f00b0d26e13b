"""Container images, read without unpacking them anywhere."""
