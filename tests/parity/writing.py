"""Values to YAML, JSON and HCL, one to a line; what is marked leaves its line behind."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.parity.project import MARK, Here, Written

#: Stands at the end of a marked line until the line's number is taken.
SIGN = "@@here@@"


@dataclass(frozen=True)
class Ref:
    """What CloudFormation's ``Ref`` gives for a resource."""

    name: str


@dataclass(frozen=True)
class Att:
    """An attribute of a resource, as CloudFormation's ``Fn::GetAtt`` gives it."""

    name: str
    attribute: str


@dataclass(frozen=True)
class Sub:
    """Text with ``${}`` in it."""

    text: str


@dataclass(frozen=True)
class Expr:
    """An expression of HCL, as it stands."""

    text: str


class Block(dict[str, Any]):
    """A nested block of HCL."""


def finished(files: Mapping[str, str | bytes]) -> Written:
    """The files without signs and marks, and the lines that had one."""
    places = set()
    clean: dict[str, str | bytes] = {}
    for path, content in files.items():
        if isinstance(content, str):
            text = content.replace(f"  {MARK}", SIGN)
            for number, line in enumerate(text.split("\n"), 1):
                if line == MARK:
                    places.add((path, number + 1))  # a Dockerfile has comments on lines of their own only
                elif SIGN in line:
                    places.add((path, number))
            clean[path] = text.replace(f" {SIGN}", "").replace(SIGN, "")
        else:
            clean[path] = content
    return Written(clean, frozenset(places))


def yaml(value: Any, indent: str = "") -> str:
    """A block mapping; lists and intrinsics as people write them."""
    return "".join(f"{indent}{line}\n" for line in _yaml_lines(value))


def _yaml_lines(value: Any) -> Iterator[str]:
    for key, item in value.items():
        sign, name = ("", key) if not isinstance(key, Here) else (f" {SIGN}", key.value)
        written = _yaml_scalar(item)
        if written is not None:
            first, *rest = written
            yield f"{name}: {first}{sign}"
            yield from (f"  {line}" if line else "" for line in rest)
        else:
            yield f"{name}:{sign}"
            yield from _indented(item)


def _indented(item: Any) -> Iterator[str]:
    marked = isinstance(item, Here)
    inside = item.value if isinstance(item, Here) else item
    for number, line in enumerate(_yaml_items(inside) if isinstance(inside, list | tuple) else _yaml_lines(inside)):
        yield f"  {line} {SIGN}" if marked and number == 0 else f"  {line}"


def _yaml_items(items: Any) -> Iterator[str]:
    for item in items:
        written = _yaml_scalar(item)
        lines = written if written is not None else list(_yaml_lines(item))
        for number, line in enumerate(lines):
            yield f"- {line}" if number == 0 else f"  {line}"


def _yaml_scalar(value: Any) -> list[str] | None:
    """The lines of a value that is no collection; ``None`` for one that is."""
    match value:
        case Here(inner):
            written = _yaml_scalar(inner)
            return None if written is None else [f"{written[0]} {SIGN}", *written[1:]]
        case Ref(name):
            return [f"!Ref {name}"]
        case Att(name, attribute):
            return [f"!GetAtt {name}.{attribute}"]
        case Sub(text):
            return [f"!Sub {json.dumps(text)}"]
        case str() if "\n" in value:
            return ["|", *value.rstrip("\n").split("\n")]
        case dict() if not value:
            return ["{}"]
        case list() | tuple() if not value:
            return ["[]"]
        case dict() | list() | tuple():
            return None
        case _:
            return [json.dumps(value, ensure_ascii=False)]


def as_json(value: Any) -> str:
    """JSON, one value to a line."""
    return "\n".join(_json_lines(value, "")) + "\n"


def _json_lines(value: Any, before: str) -> Iterator[str]:
    """The lines of *value*, the first after *before*."""
    sign = ""
    if isinstance(value, Here):
        value, sign = value.value, f" {SIGN}"
    match value:
        case Ref(name):
            value = {"Ref": name}
        case Att(name, attribute):
            value = {"Fn::GetAtt": [name, attribute]}
        case Sub(text):
            value = {"Fn::Sub": text}
    if not isinstance(value, dict | list | tuple) or not value:
        yield f"{before}{json.dumps(value)}{sign}"
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield f"{before}{opening}{sign}"
    items = list(value.items()) if isinstance(value, dict) else [(None, item) for item in value]
    for number, (key, item) in enumerate(items):
        name, key_sign = (key.value, f" {SIGN}") if isinstance(key, Here) else (key, "")
        lines = list(_json_lines(item, "" if name is None else f"{json.dumps(name)}: "))
        lines[0] += key_sign
        if number < len(items) - 1:
            last, *found = lines[-1].split(f" {SIGN}")
            lines[-1] = f"{last},{f' {SIGN}' * len(found)}"
        yield from (f" {line}" for line in lines)
    yield closing


def hcl(blocks: list[tuple[str, Mapping[str, Any]]]) -> str:
    """Blocks by what stands before their brace; a sign at the end of that marks the line."""
    text = []
    for head, body in blocks:
        name, *sign = head.split(f" {SIGN}")
        text.append(f"{name} {{{f' {SIGN}' * len(sign)}")
        text += [f"  {line}" for line in _hcl_lines(body)]
        text += ["}", ""]
    return "\n".join(text)


def _hcl_lines(body: Mapping[str, Any]) -> Iterator[str]:
    for key, item in body.items():
        sign, value = (f" {SIGN}", item.value) if isinstance(item, Here) else ("", item)
        for each in value if isinstance(value, list) and value and isinstance(value[0], Block) else [value]:
            if isinstance(each, Block):
                yield f"{key} {{{sign}"
                yield from (f"  {line}" for line in _hcl_lines(each))
                yield "}"
            else:
                first, *rest = _hcl_value(each)
                yield f"{key} = {first}{sign}"
                yield from rest


def _hcl_value(value: Any) -> Iterator[str]:
    sign = ""
    if isinstance(value, Here):
        value, sign = value.value, f" {SIGN}"
    match value:
        case Expr(text):
            yield f"{text}{sign}"
        case dict() if value:
            yield f"{{{sign}"
            yield from (f"  {line}" for line in _hcl_lines(value))
            yield "}"
        case list() | tuple() if value:
            yield f"[{sign}"
            for item in value:
                *lines, last = _hcl_value(item)
                yield from (f"  {line}" for line in lines)
                text, *found = last.split(f" {SIGN}")
                yield f"  {text},{f' {SIGN}' * len(found)}"
            yield "]"
        case _:
            yield f"{json.dumps(value, ensure_ascii=False)}{sign}"
