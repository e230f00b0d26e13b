"""The environment variables that Lambda knows."""

from functools import cache

from lambdalint.aws.tables import table


@cache
def reserved_names() -> frozenset[str]:
    """The names that a function may not declare."""
    return frozenset(table("environment")["reserved"]["names"])
