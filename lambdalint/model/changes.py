"""Changes that a fix asks for where a rule has no text at hand: what is to become of a place, not how it is written.

They are turned into edits of the text when somebody wants to see or apply them, and give none where the text is not
as the change expects it.
"""

from dataclasses import dataclass
from typing import TypeAlias

from lambdalint.model.places import Span


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The scalar or expression *old* of a template becomes *new*; quotes around it stay."""

    at: Span
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Refer:
    """What refers to *resource*, to its *old* attribute, refers to its *new* one; ``None`` is a plain ``Ref``."""

    at: Span
    resource: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class AwaitHandler:
    """The coroutine function at *at* gets another name, and a plain function of its own name that runs it."""

    at: Span


@dataclass(frozen=True, slots=True)
class RenameKey:
    """The key *old* of the value at *value* becomes *new*."""

    value: Span
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class SetProperty:
    """What is declared at *at*, the span of its name, gets a property that it does not have.

    *keys* is the path to it, by CloudFormation's names; mappings on the way are made.  *attribute* is what Terraform
    calls it.  A value is a number, a text or a tuple of texts.
    """

    at: Span
    keys: tuple[str, ...]
    value: int | str | tuple[str, ...]
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class SetArgument:
    """The call at *call* passes *value*, source text, as *keyword*; instead of what it passes there, if it does.

    *imports* are dotted names that *value* needs, as for ``Wrap``.
    """

    call: Span
    keyword: str
    value: str
    position: int | None = None
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wrap:
    """An expression is put into *pattern*, in place of its ``{}``, with what is to be imported for that.

    It is the one at *at*, or what *steps* lead to from there: an argument of a call by its keyword or position, the
    value under a key of a dict.  *imports* are dotted names: ``json`` is imported as such,
    ``urllib.parse.unquote_plus`` from its module.
    """

    at: Span
    pattern: str
    steps: tuple[str | int, ...] = ()
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrefixText:
    """The text literal that *steps* lead to from the expression at *at* gets *prefix* in front."""

    at: Span
    prefix: str
    steps: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadKeys:
    """The expression at *at*, which ends in the keys *old*, as in ``record["a"]["b"]``, reads *new* instead."""

    at: Span
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddParameter:
    """The ``def`` or lambda at *at* takes one more positional parameter, after those that it has."""

    at: Span
    name: str


@dataclass(frozen=True, slots=True)
class MoveToModule:
    """The assignment of the call at *call* to a local variable is made at module level instead.

    A call whose result is used at once is assigned to *name* there, if nothing is called so yet.
    """

    call: Span
    name: str | None = None


Change: TypeAlias = (
    Rewrite
    | Refer
    | RenameKey
    | SetProperty
    | SetArgument
    | Wrap
    | PrefixText
    | ReadKeys
    | AddParameter
    | AwaitHandler
    | MoveToModule
)
