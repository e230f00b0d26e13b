"""The formats of secrets, the names that announce one, and the values that only stand in for one."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdalint.aws.tables import table


@dataclass(frozen=True, slots=True)
class SecretFormat:
    """A format by which a secret is known.

    *title* reads after ``holds``.  One of *hints* stands in every match.  *is_sure* is false where a match may be
    public by design, and *is_identifier* true where it opens nothing without another value.
    """

    name: str
    title: str
    regex: str
    hints: tuple[str, ...]
    min_entropy_bits: float
    is_sure: bool
    is_identifier: bool


@cache
def secret_formats() -> tuple[SecretFormat, ...]:
    """All formats; where two match, the first one says more."""
    return tuple(_format(name, row) for name, row in table("secrets")["token"].items())


@cache
def sensitive_names() -> re.Pattern[str]:
    """What is found in the name of a variable that holds a secret."""
    return _any(table("secrets")["names"]["sensitive"])


@cache
def harmless_names() -> re.Pattern[str]:
    """What is found in the name of a variable that is about a secret and holds none."""
    return _any(table("secrets")["names"]["not_sensitive"])


@cache
def placeholder_words() -> re.Pattern[str]:
    """What is found in a value that somebody is to replace."""
    return re.compile("|".join(map(re.escape, table("secrets")["placeholders"]["words"])), re.IGNORECASE)


@cache
def throwaway_passwords() -> frozenset[str]:
    """Passwords that protect nothing."""
    return frozenset(table("secrets")["placeholders"]["passwords"])


@cache
def local_hosts() -> frozenset[str]:
    """Hosts that are the machine itself."""
    return frozenset(table("secrets")["placeholders"]["hosts"])


def secret_access_key() -> tuple[str, float]:
    """The form of AWS's secret access key and the entropy that it has at least."""
    row = table("secrets")["aws_secret_access_key"]
    return row["regex"], row["min_entropy_bits"]


def _format(name: str, row: dict[str, Any]) -> SecretFormat:
    return SecretFormat(
        name=name,
        title=row["title"],
        regex=row["regex"],
        hints=tuple(row["hints"]),
        min_entropy_bits=row["min_entropy_bits"],
        is_sure=row["confidence"] == "high",
        is_identifier=row["kind"] == "identifier",
    )


def _any(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern.removeprefix('(?i)')})" for pattern in patterns), re.IGNORECASE)
