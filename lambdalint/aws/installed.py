"""The distributions that Lambda's Python runtimes have, and how old those of the SDK are."""

from datetime import date
from functools import cache

from lambdalint.aws.tables import table


@cache
def provided_distributions() -> frozenset[str]:
    """The distributions beside the standard library, by the names that are compared; their versions are not known."""
    return frozenset(table("installed")["names"])


@cache
def sdk_distributions() -> tuple[str, ...]:
    """The parts of the SDK that have to be of one another's versions."""
    return tuple(table("installed")["sdk"]["names"])


def botocore_released(version: str) -> date | None:
    """The day on which the line of a *version* came out, the first of its major and minor number."""
    line = ".".join(version.split(".")[:2])
    found: date | None = table("installed")["sdk"]["botocore"]["released"].get(line)
    return found


def runtime_released(name: str) -> date | None:
    """The day on which a runtime could be chosen first."""
    found: date | None = table("installed")["runtimes"]["released"].get(name)
    return found


def old_sdk_years() -> int:
    """How many years before the runtime an SDK has to be made to be called old."""
    return int(table("installed")["sdk"]["old_years"])
