"""Text put together from evaluated parts, and values that differ between the worlds of a condition."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Final

from lambdalint.join.properties import references
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property, Reference, Unknown

#: More worlds than this of nested conditions are not told apart.
MAX_CHOICES: Final = 16
#: Characters of a text put together; CloudFormation takes no value that long.
MAX_TEXT: Final = 1_000_000
#: Characters that the expression of an unknown text shows.
MAX_SPELLED: Final = 400

#: What stands for ``AWS::NoValue``: the property is as if it had not been written.
ABSENT: Final = None

_VARIABLE = re.compile(r"\$\{(!?)([^{}]*)\}")


def chosen(choices: "list[Property | None]", expression: str, span: Span) -> Property | None:
    """One value out of several worlds: known, or absent, when all agree; else unknown with its choices."""
    worlds: list[Property | None] = []
    for choice in choices:
        worlds += choice.choices if isinstance(choice, Unknown) and choice.choices else (choice,)
    first = worlds[0]
    if all(world is None for world in worlds):
        return ABSENT
    if isinstance(first, Known) and all(isinstance(world, Known) and world.value == first.value for world in worlds):
        return first
    if (
        isinstance(first, Unknown)
        and first.refers
        and all(isinstance(world, Unknown) and world.refers == first.refers for world in worlds)
    ):
        return first
    distinct = tuple(_distinct(worlds))
    return Unknown(expression, span, choices=distinct if len(distinct) <= MAX_CHOICES else ())


def _distinct(worlds: "list[Property | None]") -> "Iterator[Property | None]":
    """The worlds without those that say the same plain value, or nothing, once more."""
    seen = set()
    for world in worlds:
        plain = isinstance(world, Known) and isinstance(world.value, str | int | float | bool)
        key = (type(world.value), world.value) if plain and isinstance(world, Known) else world and id(world)
        if key not in seen:
            seen.add(key)
            yield world


def joined_text(separator: str, parts: list[Property], expression: str, span: Span) -> Property:
    """The text of all *parts*; a single unknown part among empty ones is the whole."""
    meaning = [part for part in parts if not (isinstance(part, Known) and part.value == "")]
    if len(meaning) == 1 and isinstance(meaning[0], Unknown) and not separator:
        return replace(meaning[0], span=span)
    worlds = [_worlds(part) for part in parts]
    known = [world for world in worlds if world is not None]
    count = 1
    for choice in known:
        count = min(count * len(choice), MAX_CHOICES + 1)
    length = sum(max(map(len, choice), default=0) + len(separator) for choice in known)
    if len(known) < len(worlds) or count > MAX_CHOICES or length > MAX_TEXT:
        return Unknown(expression, span, mentions=tuple(dict.fromkeys(_mentioned(parts))))
    parameter = next((part.parameter for part in parts if isinstance(part, Known) and part.parameter), None)
    texts = [separator.join(each) for each in product(*known)]
    if len(texts) == 1:
        return Known(texts[0], span, parameter=parameter)
    return Unknown(expression, span, choices=tuple(Known(text, span, parameter=parameter) for text in texts))


def spelled_call(function: str, separator: str, parts: Iterable[Property]) -> str:
    """The beginning of what *function* was given; parts may be long, and many."""
    shown = ""
    for number, part in enumerate(parts):
        if len(shown) > MAX_SPELLED:
            break
        shown += (separator if number else "") + spelled(part)
    return f"{function} {shown[:MAX_SPELLED]}"


def interpolated(text: str, value_of: Callable[[str], Property | None], span: Span) -> Property:
    """*text* with every ``${NAME}`` replaced by what *value_of* says of it, as ``Fn::Sub`` does."""
    parts: list[Property] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        if match.start() > end:
            parts.append(Known(text[end : match.start()], span))
        end = match.end()
        if match[1]:
            parts.append(Known(f"${{{match[2]}}}", span))
        else:
            parts.append(value_of(match[2].strip()) or Known("", span))
    if end < len(text) or not parts:
        parts.append(Known(text[end:], span))
    return joined_text("", parts, spelled_call("!Sub", "", parts), span)


def spelled(part: Property) -> str:
    """*part* as ``Fn::Sub`` would write it."""
    if isinstance(part, Unknown):
        return f"${{{part.expression.removeprefix('!Ref ').removeprefix('!GetAtt ')}}}"
    return _as_text(part.value) or str(part.value)[:MAX_SPELLED]


def hidden(expression: str, inside: list[Property | None], span: Span) -> Unknown:
    """What a function that is not evaluated gives; it mentions what its arguments refer to."""
    mentions = dict.fromkeys(reference for value in inside for reference in references(value))
    return Unknown(expression, span, mentions=tuple(mentions))


def _mentioned(parts: list[Property]) -> Iterator[Reference]:
    for part in parts:
        yield from references(part)


def _worlds(part: Property) -> list[str] | None:
    values = part.choices if isinstance(part, Unknown) and part.choices else (part,)
    texts = [_as_text(value.value) for value in values if isinstance(value, Known)]
    known = [text for text in texts if text is not None]
    return known if len(known) == len(values) else None


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def made(value: object, text_of: Callable[[str, Span], Property], span: Span) -> Property:
    """Plain data, with properties in it, as a property stated nowhere; *text_of* says what its texts come to."""
    if isinstance(value, Known | Unknown):
        return value
    if isinstance(value, str):
        found = text_of(value, span) if "${" in value else Known(value, span, stated=False)
        return replace(found, stated=False) if isinstance(found, Known) and found.span == span else found
    if isinstance(value, Mapping):
        return Known({key: made(each, text_of, span) for key, each in value.items() if each is not None}, span, False)
    if isinstance(value, list | tuple):
        return Known(tuple(made(each, text_of, span) for each in value), span, stated=False)
    return Known(value, span, stated=False)
