"""Events to try functions with, one for each kind of trigger."""

import json

from lambdalint.aws.tables import table


def sample_names() -> tuple[str, ...]:
    """The kinds of triggers that there is an event for."""
    return tuple(table("sample_events"))


def sample_event(name: str) -> bytes:
    """The event for that kind of trigger, as JSON on one line.

    Raises:
        KeyError: there is none.
    """
    return json.dumps(json.loads(table("sample_events")[name]["event"])).encode()
