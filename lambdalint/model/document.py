"""A YAML or JSON document with the place of every node."""

from dataclasses import dataclass
from typing import TypeAlias

from lambdalint.model.places import Span

Plain: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf: *value* as typed by the format's rules, *text* as written, *tag* as written (``!Ref``) or empty."""

    value: Plain
    text: str
    span: Span
    tag: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list of nodes."""

    items: "tuple[Node, ...]"
    span: Span
    tag: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Keys and nodes in the order written; of a key written twice the last one counts, as for AWS."""

    items: "dict[str, Node]"
    keys: dict[str, Span]
    span: Span
    tag: str = ""


Node: TypeAlias = Scalar | Sequence | Mapping
