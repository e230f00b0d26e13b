"""The modules that a version of Python brings along."""

from functools import cache

from lambdalint.aws.removed_modules import removed_modules
from lambdalint.aws.tables import table


@cache
def stdlib_modules(python: tuple[int, int]) -> frozenset[str]:
    """The public top-level names of the standard library of *python*."""
    rows = table("stdlib_modules")
    found = set(rows["names"])
    for version, row in rows["added"].items():
        major, minor = map(int, version.split("."))
        if (major, minor) <= python:
            found.update(row["names"])
    return frozenset(found - removed_modules((3, 7), python))


@cache
def frozen_modules() -> frozenset[str]:
    """Modules that Python has loaded before it looks at any folder, so that no file takes their place."""
    return frozenset(table("builtin_modules")["names"]) | frozenset(table("frozen_modules")["names"])
