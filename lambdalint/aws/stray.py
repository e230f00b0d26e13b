"""What is no part of a function: files of tools, and distributions for development."""

from functools import cache

from lambdalint.aws.tables import table


@cache
def stray_names(kind: str) -> frozenset[str]:
    """The names of one *kind*: ``folders``, ``root_files``, ``files`` (patterns both) or ``development``."""
    return frozenset(table("stray")[kind])
