"""Looking into evaluated properties."""

from collections.abc import Iterator, Mapping
from typing import Any

from lambdalint.model.places import Span
from lambdalint.model.values import Known, Properties, Property, Reference, Unknown, Value


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


def merged(base: Property | None, own: Property | None) -> Property | None:
    """SAM's merge of ``Globals`` and a resource: mappings merge, lists are appended, anything else is overridden.

    Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
    """
    if base is None or own is None:
        return base if own is None else own
    if isinstance(base, Known) and isinstance(own, Known):
        if isinstance(base.value, Mapping) and isinstance(own.value, Mapping):
            names = dict.fromkeys((*base.value, *own.value))
            values = {name: merged(base.value.get(name), own.value.get(name)) for name in names}
            return Known({name: value for name, value in values.items() if value is not None}, own.span)
        if isinstance(base.value, tuple) and isinstance(own.value, tuple):
            return Known(base.value + own.value, own.span)
    return own


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
