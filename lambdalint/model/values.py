"""What a template says about a setting: a known value, a hidden one, or nothing (``None``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from lambdalint.model.places import Span

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A value that can be read off the template, or the default that holds because nothing was said.

    *parameter* names the template parameter whose default this is; whoever deploys may give another.
    """

    value: T
    span: Span
    stated: bool = True
    parameter: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A link to another resource of the same template; *attribute* is ``None`` for a plain reference."""

    resource: str
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value decided outside the template; *expression* is what stands in its place.

    *refers* says which resource it comes from, where it is exactly one; *mentions* are all that stand in a text built
    around them.  *choices* are the values that a
    condition may give, ``None`` among them for "absent"; it is empty when the choice is not between known worlds.
    """

    expression: str
    span: Span
    refers: Reference | None = None
    mentions: tuple[Reference, ...] = ()
    choices: "tuple[Known[Any] | Unknown | None, ...]" = ()


Value: TypeAlias = Known[T] | Unknown

#: A property as evaluated: plain scalars, mappings of properties, tuples of properties.
Property: TypeAlias = Known[Any] | Unknown
Properties: TypeAlias = Mapping[str, Property]
