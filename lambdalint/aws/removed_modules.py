"""What newer Pythons no longer bring along."""

from functools import cache

from lambdalint.aws.tables import table


@cache
def removed_modules(after: tuple[int, int], until: tuple[int, int]) -> frozenset[str]:
    """The standard modules that some Python later than *after*, up to *until*, has lost."""
    versions = {
        tuple(map(int, version.split("."))): row["names"]
        for version, row in table("removed_modules")["removed"].items()
    }
    return frozenset(name for version, names in versions.items() if after < version <= until for name in names)
