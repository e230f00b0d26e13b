"""What the events of a trigger look like."""

from functools import cache
from typing import Final

from lambdalint.aws.tables import table

SHAPES: Final = ("rest", "http", "alb", "eventbridge", "s3", "sns", "sqs", "kinesis", "dynamodb")


@cache
def event_keys(shape: str, part: str) -> frozenset[str]:
    """The keys of events of that *shape*: at the ``top``, in ``context``, or in each ``record``."""
    return frozenset(table("events")[shape].get(part, "").split())


def counterpart(shape: str, keys: str) -> str | None:
    """Where events of that *shape* have what others have under *keys*, which dots join."""
    found = table("events")["counterparts"].get(shape, {}).get(keys)
    return None if found is None else str(found)
