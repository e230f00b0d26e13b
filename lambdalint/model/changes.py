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


@dataclass(frozen=True, slots=True)
class Replace:
    """The expression that *steps* lead to from the one at *at*, as for ``Wrap``, becomes *new*, source text."""

    at: Span
    new: str
    steps: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class RenameItem:
    """The key *old* of the dict at *at* becomes *new*."""

    at: Span
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ReadAbsent:
    """The look at *at* for a key of a mapping gives ``None`` where the mapping or the key is not there.

    ``event["a"]["b"]`` becomes ``(event.get("a") or {}).get("b")``.
    """

    at: Span


@dataclass(frozen=True, slots=True)
class ReturnEvent:
    """A function returns its first parameter: at the end of the ``def`` at *at*, or instead of the value there."""

    at: Span


@dataclass(frozen=True, slots=True)
class DropCall:
    """The statement that is nothing but the call at *call* goes."""

    call: Span


@dataclass(frozen=True, slots=True)
class MoveImport:
    """The import at *at* is made in the functions that use it, which *scopes* name."""

    at: Span
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveIntoFunction:
    """What the variable of a module is set to at *at* is set in the one function that reads it.

    Only in one of *scopes*, unless those are ``None``.
    """

    at: Span
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class DefaultInBody:
    """The default of a parameter at *at* is worked out in each call that does not pass the parameter."""

    at: Span


@dataclass(frozen=True, slots=True)
class BoundCache:
    """The cache that decorates the ``def`` at *at* keeps *size* results."""

    at: Span
    size: int


@dataclass(frozen=True, slots=True)
class Paginate:
    """The call at *call* of an *operation* gets all pages; one of a table of DynamoDB does so by the table's client."""

    call: Span
    operation: str
    by_table: bool = False


@dataclass(frozen=True, slots=True)
class AwaitByWaiter:
    """The loop that sleeps by the call at *call*, until *operation* answers something, becomes a waiter.

    *waiters* are those of the operation: the name, the keys of what it looks at, and what that is in the end.
    """

    call: Span
    operation: str
    waiters: tuple[tuple[str, tuple[str, ...], str], ...]


@dataclass(frozen=True, slots=True)
class UseTemporary:
    """The file or folder that is made at *call* in ``/tmp`` goes at the end of the block that uses it.

    Where *name* is a constant path, every use of it in that block is of a file of another name each time: of one that
    is there, and empty, with *file*, or else in a folder of its own.
    """

    call: Span
    name: str | None = None
    file: bool = False


@dataclass(frozen=True, slots=True)
class HandleRecords:
    """What is done with the first record of the event at *at*, or before the ``return`` there, is done with all."""

    at: Span


@dataclass(frozen=True, slots=True)
class CollectFailures:
    """The loop over records around the ``except`` that catches at *at* collects those that fail, and returns them.

    *keys* lead to what identifies a record.
    """

    at: Span
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HideException:
    """The value at *at* that is returned tells no text of the exception that is caught there; a log does."""

    at: Span


@dataclass(frozen=True, slots=True)
class AnswerFailures:
    """The handler of a custom resource at *at* sends that it failed, by ``cfnresponse``, whatever is raised in it.

    At a ``return`` for a resource that is deleted it sends that it succeeded.
    """

    at: Span


@dataclass(frozen=True, slots=True)
class LoadOnce:
    """The file that the call at *call* parses is read at module level, if the function only looks things up in it."""

    call: Span


@dataclass(frozen=True, slots=True)
class AddEndpoint:
    """The template of the subnet at *at* gets a gateway endpoint for *service*, in *vpc* and its route *tables*."""

    at: Span
    service: str
    vpc: str
    tables: tuple[str, ...]


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
    | Replace
    | RenameItem
    | ReadAbsent
    | ReturnEvent
    | DropCall
    | MoveImport
    | MoveIntoFunction
    | DefaultInBody
    | BoundCache
    | Paginate
    | AwaitByWaiter
    | UseTemporary
    | HandleRecords
    | CollectFailures
    | HideException
    | AnswerFailures
    | LoadOnce
    | AddEndpoint
)
