"""Operations, waiters and results of boto3, as botocore's models describe them.

The tables are written by ``benchmarks/sdk_tables.py``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

#: What a client that nobody configured does, and the fewest attempts that it makes in any mode.
#:
#: Source: https://docs.aws.amazon.com/botocore/latest/reference/config.html
#: Source: https://docs.aws.amazon.com/boto3/latest/guide/retries.html
CONNECT_TIMEOUT_S: Final = 60
READ_TIMEOUT_S: Final = 60
LEAST_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Paginated:
    """An operation that answers in pages: the names of its *tokens* (in question and answer) and of its *limit*, and
    the *lists* of the answer that go on with the next page.
    """

    tokens: frozenset[str]
    limit: str
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waiter:
    """How often a waiter asks, and how many seconds lie between."""

    delay_s: int
    attempts: int


@cache
def paginated(service: str, operation: str) -> Paginated | None:
    """What is known of an operation that answers in pages."""
    found = _table("sdk")["paginated"].get(service, {}).get(operation)
    if found is None:
        return None
    tokens, limit, lists = found.split("|")
    return Paginated(frozenset(tokens.split()), limit, tuple(lists.split()))


def failures(service: str, operation: str) -> tuple[str, ...]:
    """The members of the result of a batch operation that tell of those which failed; none for other operations."""
    return tuple(_table("sdk")["batches"].get(service, {}).get(operation, "").split())


def waiter(service: str, name: str) -> Waiter | None:
    """The waiter *name* of a client, as it is if nobody configures it."""
    found = _table("sdk")["waiters"].get(service, {}).get(name)
    return None if found is None else Waiter(*found)


def waiters_for(service: str, operation: str) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """The waiters that ask *operation* until one part of the answer has one value: their names, keys and that value.

    Keys that end in ``[]`` lead to lists, of which all have to be so.
    """
    found = []
    for name, state in _table("sdk")["states"].get(service, {}).items():
        asked, path, value = state.split("|")
        if asked == operation:
            found.append((name, tuple(path.split(".")), value))
    return tuple(found)


def undumpable(service: str, operation: str) -> tuple[str, ...]:
    """The members of the result of an operation that ``json`` cannot write, or that hold such things."""
    return tuple(_table("sdk_times")["undumpable"].get(service, {}).get(operation, "").split())


@cache
def _table(name: str) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads((files("lambdalint.aws") / f"{name}.json").read_text(encoding="utf-8"))
    return found
