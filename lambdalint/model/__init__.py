"""Frozen data that the rest of lambdalint passes around: no I/O, no parsing, no opinions."""
