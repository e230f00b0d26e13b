"""An HCL document with the place of every part: Terraform's language, in its native and its JSON syntax."""

from dataclasses import dataclass
from typing import TypeAlias

from lambdalint.model.document import Plain
from lambdalint.model.places import Span


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A number, text without anything to fill in, ``true``, ``false`` or ``null``."""

    value: Plain
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class TextTemplate:
    """Text built of parts, quoted or a heredoc; those that are written out are ``Literal``.

    Escapes are resolved, whitespace that ``~`` or ``<<-`` removes is gone.
    """

    parts: "tuple[Part, ...]"
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class TextIf:
    """``%{ if condition }then%{ else }otherwise%{ endif }`` within text."""

    condition: "Expression"
    then: TextTemplate
    otherwise: TextTemplate
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class TextFor:
    """``%{ for key, value in collection }body%{ endfor }`` within text; *key* is ``None`` when it has no name."""

    key: str | None
    value: str
    collection: "Expression"
    body: TextTemplate
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ListOf:
    """``[a, b]``."""

    items: "tuple[Expression, ...]"
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ObjectOf:
    """``{ a = b }``; a key that is a bare word is a ``Literal``."""

    items: "tuple[tuple[Expression, Expression], ...]"
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """A bare name, where a traversal begins: ``var``, ``local``, ``aws_sqs_queue``."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Splat:
    """``[*]``, after which all steps are taken in each item; or ``.*`` (not *full*), where only attributes are."""

    full: bool


@dataclass(frozen=True, slots=True, eq=False)
class Traversal:
    """Steps into a value: a name is an attribute, an expression an index."""

    start: "Expression"
    steps: "tuple[str | Splat | Expression, ...]"
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A function's call; *expands* says that the last argument is a list of arguments (``...``)."""

    name: str
    arguments: "tuple[Expression, ...]"
    expands: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """``condition ? then : otherwise``."""

    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    """``!operand`` or ``-operand``."""

    operator: str
    operand: "Expression"
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """``left operator right``."""

    operator: str
    left: "Expression"
    right: "Expression"
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class For:
    """``[for key, value in collection : result if condition]``, or with *result_key* and ``=>`` an object.

    *groups* says that results of one key are gathered in a list (``...``).
    """

    key: str | None
    value: str
    collection: "Expression"
    result_key: "Expression | None"
    result: "Expression"
    groups: bool
    condition: "Expression | None"
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Parenthesised:
    """``(inner)``: the same value, but no bare word."""

    inner: "Expression"
    span: Span


Expression: TypeAlias = (
    Literal
    | TextTemplate
    | ListOf
    | ObjectOf
    | Variable
    | Traversal
    | Call
    | Conditional
    | Unary
    | Binary
    | For
    | Parenthesised
)
Part: TypeAlias = Expression | TextIf | TextFor


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """``name = expression``; *span* is the name."""

    name: str
    expression: Expression
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """What stands between the braces of a block, or in a file."""

    attributes: dict[str, Attribute]
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """``type "label" { body }``; *span* is the last label, or the type where there is none, *extent* all of it."""

    type: str
    labels: tuple[str, ...]
    body: Body
    span: Span
    extent: Span
