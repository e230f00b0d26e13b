"""Shared libraries that native code finds on Lambda, and what its processors are promised to do."""

import re
from functools import cache

from lambdalint.aws.tables import table


@cache
def library_path() -> tuple[str, ...]:
    """The folders in which the loader looks after those that a file names itself, the first one first."""
    return tuple(table("system_libraries")["path"]["folders"])


def has_library(system: str, name: str) -> bool:
    """Whether *system* is thought to have the library; of others nobody knows."""
    rows = table("system_libraries")["library"]
    return any(system in row["systems"] and any(re.fullmatch(each, name) for each in row["names"]) for row in rows)


def sure_level() -> int:
    """The highest level of x86-64 all of which AWS promises."""
    return int(table("system_libraries")["processor"]["sure_level"])


def likely_level() -> int:
    """The level above it most of which AWS promises."""
    return int(table("system_libraries")["processor"]["likely_level"])
