"""Looking into evaluated properties."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lambdalint.model.places import Span
from lambdalint.model.values import Known, Properties, Property, Reference, Unknown, Value

#: What is said of a setting that no file of the project has.
NOBODY: Final = "nobody says it"


def properties_of(value: Property | None) -> Properties:
    """The properties in *value*; empty when it is absent, unknown or no mapping."""
    return value.value if isinstance(value, Known) and isinstance(value.value, Mapping) else {}


def items_of(value: Property | None) -> tuple[Property, ...]:
    """The items of a list; a single value counts as a list of one, and what is absent or unknown as empty."""
    if not isinstance(value, Known):
        return ()
    return value.value if isinstance(value.value, tuple) else (value,)


def alternatives(value: Property | None) -> Iterator[Property]:
    """The items of a list, and all that a condition may put in its place or in that of an item."""
    if isinstance(value, Unknown):
        for choice in value.choices:
            yield from alternatives(choice)
        return
    for item in items_of(value):
        if isinstance(item, Unknown) and item.choices:
            yield from alternatives(item)
        else:
            yield item


def text_of(value: Property | None) -> str | None:
    """The text that *value* is known to be."""
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else None


def reference_of(value: Property | None) -> Reference | None:
    """The resource that *value* comes from."""
    return value.refers if isinstance(value, Unknown) else None


def whole_number(value: Property | None) -> Value[int] | None:
    """*value* with a number written as text read as one; what is no number stays as it is."""
    if isinstance(value, Known) and isinstance(value.value, str):
        try:
            return Known(int(value.value), value.span, value.stated, value.parameter)
        except ValueError:
            return value  # the rules on ranges say that it is no number
    return value


def stated_or(value: Value[Any] | None, default: Any, span: Span) -> Value[Any]:
    """*value*, or the default of the service where nothing is said."""
    return Known(default, span, stated=False) if value is None else value


def references(value: Property | None) -> Iterator[Reference]:
    """Every reference to a resource anywhere in *value*."""
    if isinstance(value, Unknown):
        if value.refers:
            yield value.refers
        yield from value.mentions
        for choice in value.choices:
            yield from references(choice)
    elif isinstance(value, Known) and isinstance(value.value, Mapping):
        for item in value.value.values():
            yield from references(item)
    elif isinstance(value, Known) and isinstance(value.value, tuple):
        for item in value.value:
            yield from references(item)


class Hidden(Mapping[str, Property]):
    """The properties of a resource that nobody has seen: each may be set, to anything; *reason* says why."""

    def __init__(self, reason: str, at: Span) -> None:
        self._reason, self._at = reason, at

    def __getitem__(self, name: str) -> Property:
        return Unknown(self._reason, self._at)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
