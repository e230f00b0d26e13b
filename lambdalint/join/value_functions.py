"""CloudFormation's functions of values: each gives ``None`` where the values do not tell.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any, Final, TypeAlias

from lambdalint.join.properties import whole_number
from lambdalint.join.texts import MAX_TEXT
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property

#: The functions whose argument is a list of arguments; the others take a list as one.
SEVERAL: Final = frozenset(("Cidr", "Select", "Split"))

_Values: TypeAlias = "list[Property | None]"

#: As many ranges as ``Fn::Cidr`` gives.
_MAX_RANGES: Final = 256


def _select(values: _Values, span: Span) -> Property | None:
    match values:
        case [Known() as index, Known(tuple() as items)]:
            position = whole_number(index)
            if isinstance(position, Known) and isinstance(position.value, int) and 0 <= position.value < len(items):
                picked: Property = items[position.value]
                return picked
    return None


def _split(values: _Values, span: Span) -> Property | None:
    match values:
        case [Known(str() as separator), Known(str() as text) as whole] if separator:
            parts = (Known(part, whole.span, parameter=whole.parameter) for part in text.split(separator))
            return Known(tuple(parts), span)
    return None


def _base64(values: _Values, span: Span) -> Property | None:
    match values:
        case [Known(str() as text, parameter=parameter)] if len(text) <= MAX_TEXT:
            return Known(b64encode(text.encode(errors="replace")).decode(), span, parameter=parameter)
    return None


def _length(values: _Values, span: Span) -> Property | None:
    match values:
        case [Known(tuple() as items, parameter=parameter)]:
            return Known(len(items), span, parameter=parameter)
    return None


def _to_json_string(values: _Values, span: Span) -> Property | None:
    found = _plain(values[0])
    return None if found is _HIDDEN else Known(json.dumps(found, separators=(",", ":"), default=str), span)


def _cidr(values: _Values, span: Span) -> Property | None:
    numbers = [whole_number(value) for value in values[1:]]
    match values[:1], numbers:
        case [Known(str() as block)], [Known(int() as count), *rest] if 0 < count <= _MAX_RANGES:
            bits = rest[0].value if rest and isinstance(rest[0], Known) else None if rest else 8
            try:
                network = ip_network(block, strict=False)
                ranges = network.subnets(new_prefix=network.max_prefixlen - int(str(bits)))
                found = tuple(Known(str(each), span) for each, _ in zip(ranges, range(count), strict=False))
            except ValueError:
                return None
            return Known(found, span) if len(found) == count else None
    return None


_HIDDEN: Final = object()


def _plain(value: Property | None) -> Any:
    """*value* as plain data; ``_HIDDEN`` where any of it is unknown."""
    match value:
        case Known(Mapping() as items):
            found = {key: _plain(item) for key, item in items.items()}
            return _HIDDEN if _HIDDEN in found.values() else found
        case Known(tuple() as items):
            listed = [_plain(item) for item in items]
            return _HIDDEN if _HIDDEN in listed else listed
        case Known(plain):
            return plain
    return _HIDDEN


FUNCTIONS: Final[Mapping[str, Callable[[_Values, Span], Property | None]]] = {
    "Base64": _base64,
    "Cidr": _cidr,
    "Length": _length,
    "Select": _select,
    "Split": _split,
    "ToJsonString": _to_json_string,
}
