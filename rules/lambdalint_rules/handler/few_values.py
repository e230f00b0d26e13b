"""What of an event has few values."""

from typing import Final

from lambdalint.facts.expressions import EventPath, Expression

_FEW: Final = frozenset(
    (
        "action",
        "awsRegion",
        "detail-type",
        "eventName",
        "eventSource",
        "httpMethod",
        "method",
        "region",
        "source",
        "type",
    )
)


def has_few_values(value: Expression) -> bool:
    """Whether *value* is a part of the event that says what kind it is."""
    return isinstance(value, EventPath) and bool(value.keys) and value.keys[-1] in _FEW
