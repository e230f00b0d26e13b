"""The built-in pack of rules: one folder a group of families, one file a rule."""
