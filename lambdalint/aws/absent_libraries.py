"""Shared libraries that the systems of Lambda's runtimes do not have."""

from collections.abc import Mapping
from functools import cache

from lambdalint.aws.tables import table


@cache
def absent_libraries(system: str) -> Mapping[str, str]:
    """The libraries that are known to be missing on *system*, each with what to do about it, ``""`` for nothing."""
    rows = table("absent_libraries")["library"]
    return {name: row.get("advice", "") for row in rows if system in row["systems"] for name in row["names"]}
