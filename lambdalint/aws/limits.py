"""Quotas and defaults of Lambda."""

from typing import Any

from lambdalint.aws.tables import table


def limit(*keys: str) -> int:
    """The figure at the path *keys* of ``limits.toml``; its unit stands in the last key.

    Raises:
        KeyError: there is no such figure.
    """
    found: Any = table("limits")
    for key in keys:
        found = found[key]
    return int(found)


def registration_path() -> str:
    """What extensions ask the Extensions API for when they start."""
    return str(table("limits")["layers"]["extension"]["registration"])


def layer_folders() -> frozenset[str]:
    """The folders of a layer that mean something to Lambda."""
    return frozenset(table("limits")["layers"]["content"]["folders"])
