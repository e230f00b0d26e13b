"""The keys, defaults and events of the Serverless Framework, and what they are in CloudFormation."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdalint.aws.tables import table


@dataclass(frozen=True, slots=True)
class Mapped:
    """An event that becomes an event source mapping.

    *keys* are the event's, with the path of CloudFormation's property; *defaults* hold where nothing is said; *actions*
    are what the role is then allowed on the source.
    """

    kind: str
    keys: Mapping[str, str]
    defaults: Mapping[str, Any]
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """An event that calls the function; *principal* is the service that is permitted to, empty when none is."""

    kind: str
    principal: str


def framework_default(name: str) -> Any:
    """What holds where a service says nothing."""
    return table("serverless")["defaults"][name]


def settings() -> Mapping[str, str]:
    """The keys of a function whose value is that of one property: key → path of the property."""
    section = table("serverless")["settings"]
    return {key: path for key, path in section.items() if key not in ("inherited", "source")}


def inherited_settings() -> frozenset[str]:
    """Those keys of a function that the provider may state for all."""
    return frozenset(table("serverless")["settings"]["inherited"])


def section(name: str) -> Mapping[str, str]:
    """The keys of one of a function's settings, each with the property below that of the setting."""
    return {key: value for key, value in table("serverless")[name].items() if key != "source"}


@cache
def mapped_event(name: str) -> Mapped | None:
    """What the event *name* is as an event source mapping; ``None`` when it is none."""
    row = table("serverless")["mapping"].get(name)
    return row and Mapped(row["kind"], row["keys"], row["defaults"], tuple(row["actions"]))


def is_list(name: str) -> bool:
    """Whether the property of an event source mapping is a list where the framework takes one value."""
    return name in table("serverless")["mapping_lists"]["names"]


@cache
def event(name: str) -> Event | None:
    """What the event *name* is; ``None`` for one that only a plugin knows."""
    row = table("serverless")["event"].get(name)
    return Event(row["kind"], row["principal"]) if isinstance(row, dict) else None


def integration_type(written: str) -> str | None:
    """API Gateway's type of an integration; ``None`` for one that the framework does not know."""
    found = table("serverless")["integration"].get(written.lower().replace("-", "").replace("_", ""))
    return None if found is None else str(found)


def role(name: str) -> Any:
    """A part of the role that the framework makes."""
    return table("serverless")["role"][name]
