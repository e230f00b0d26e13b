"""What an expression of Python code is, as far as it can be told by reading: small frozen values without the tree.

A *qualified name* is what a thing is called once aliases, ``from`` imports and simple assignments are resolved.  The
result of a call is the callee's name and ``()``; for a callee whose last part is ``client`` or ``resource`` the first
constant argument stands in the parentheses: ``boto3.client(s3).put_object``.  Builtins are bare (``open``), names
bound in the module itself start with a colon (``:helper``, ``:Orders.save``), relative imports with their dots
(``.clients.table``).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, TypeAlias

Plain: TypeAlias = str | bytes | int | float | complex | bool | None

#: Callees whose constant first argument says what they give.
_NAMED_BY_ARGUMENT: Final = ("client", "resource")
_SERVICE: Final = re.compile(r"[A-Za-z0-9_-]+")
_MAX_NAME: Final = 240


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; ``...`` counts as ``None``."""

    value: Plain


@dataclass(frozen=True, slots=True)
class Env:
    """The environment variable *name*; *default* is ``None`` where reading it without the variable is an error."""

    name: str
    default: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class Name:
    """A thing by its qualified name: a module, function, class, method, or attribute of the result of a call."""

    name: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the function around that is not known to be the event or the context."""

    name: str


@dataclass(frozen=True, slots=True)
class EventPath:
    """Something inside the event: keys, indices and attributes from the outside in, ``None`` for one not known.

    *context* is true for the second argument of a handler.
    """

    keys: tuple[str | int | None, ...] = ()
    context: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """Text put together from parts, in order."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class CallOf:
    """The result of a call; *receiver* is what the method is called on where that has no name."""

    name: str | None
    args: "tuple[Expression, ...]" = ()
    keywords: "Mapping[str, Expression]" = field(default_factory=dict, hash=False)
    receiver: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class Collection:
    """A literal ``tuple``, ``list``, ``set`` or ``dict`` (*kind*), with what is known to be added to it later.

    A dict has *keys*, as many as *items*.  Not *complete*: there may be more (``*rest``, ``**rest``, an unknown key).
    """

    kind: str
    items: "tuple[Expression, ...]" = ()
    keys: "tuple[Expression, ...]" = ()
    complete: bool = True

    def get(self, key: Plain) -> "Expression | None":
        """The value last written under a constant key; of a list or tuple, the item at that index."""
        if self.kind == "dict":
            found = None
            for each, value in zip(self.keys, self.items, strict=True):
                if isinstance(each, Literal) and each.value == key and type(each.value) is type(key):
                    found = value
            return found
        if isinstance(key, int) and self.complete and -len(self.items) <= key < len(self.items):
            return self.items[key]
        return None


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of something that has no qualified name."""

    of: "Expression"
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """``of[key]``; *key* is ``None`` for some element, as in a loop."""

    of: "Expression"
    key: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class Either:
    """One of several: a name assigned more than once, ``a if b else c``, ``a or b``."""

    options: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Opaque:
    """Not understood; *parts* are what it is computed from, none when not even that is known.

    *kind* says what it is where the syntax does: ``"generator"``, ``"list"``, ``"set"``, ``"dict"``, ``"bool"``,
    ``"lambda"``, ``"coroutine"``.
    """

    parts: "tuple[Expression, ...]" = ()
    kind: str = ""


Expression: TypeAlias = (
    Literal | Env | Name | Parameter | EventPath | Joined | CallOf | Collection | Attribute | Item | Either | Opaque
)

#: Only now do the quoted types above have something to refer to.
NONE: Final = Literal(None)
UNKNOWN: Final = Opaque()


def result_name(name: str | None, args: "tuple[Expression, ...]" = ()) -> str | None:
    """The qualified name of what calling *name* gives."""
    if name is None or len(name) > _MAX_NAME:
        return None
    if args and name.rpartition(".")[2] in _NAMED_BY_ARGUMENT:
        first = args[0]
        if isinstance(first, Literal) and isinstance(first.value, str) and _SERVICE.fullmatch(first.value):
            return f"{name}({first.value})"
    return f"{name}()"


def qualified_name(expression: Expression) -> str | None:
    """What *expression* is called; ``None`` when it has no one name.

    Of alternatives, ``None`` does not count: nobody calls a method of it.
    """
    # Asked for every name and call of a program: plain comparisons of types, the frequent ones first.
    kind = type(expression)
    if kind is Name:
        return expression.name  # type: ignore[union-attr]
    if kind is EventPath or kind is Parameter or kind is Opaque:
        return None
    if isinstance(expression, CallOf):
        return result_name(expression.name, expression.args)
    if isinstance(expression, Literal):
        return type(expression.value).__name__ if isinstance(expression.value, str | bytes) else None
    if isinstance(expression, Either):
        names = {qualified_name(option) for option in expression.options if option != NONE}
        return names.pop() if len(names) == 1 else None
    if isinstance(expression, Collection):
        return expression.kind
    return "str" if kind is Joined else None


def parts(expression: Expression) -> "tuple[Expression, ...]":
    """The expressions directly inside."""
    get = _PARTS.get(type(expression))
    return () if get is None else get(expression)


def _call_parts(call: CallOf) -> tuple[Expression, ...]:
    inner = (*call.args, *call.keywords.values()) if call.keywords else call.args
    return inner if call.receiver is None else (call.receiver, *inner)


_PARTS: Final[dict[type, Callable[[Any], tuple[Expression, ...]]]] = {
    CallOf: _call_parts,
    Joined: attrgetter("parts"),
    Opaque: attrgetter("parts"),
    Either: attrgetter("options"),
    Collection: lambda found: (*found.keys, *found.items) if found.keys else found.items,
    Attribute: lambda found: (found.of,),
    Item: lambda found: (found.of,) if found.key is None else (found.of, found.key),
    Env: lambda found: () if found.default is None else (found.default,),
}


def walk(expression: Expression) -> list[Expression]:
    """*expression* and all inside it, the outer ones first."""
    # No generator: whoever asks wants nearly all of it, and giving one at a time costs as much as finding it.
    found: list[Expression] = []
    stack = [expression]
    while stack:
        each = stack.pop()
        found.append(each)
        get = _PARTS.get(type(each))
        if get is not None:
            stack += get(each)[::-1]
    return found


def depends_on_event(expression: Expression) -> bool | None:
    """Whether the value may differ from one event to the next; ``None`` when that cannot be told.

    The context counts as part of the event.  A parameter of an ordinary function cannot be told.
    """
    unsure = False
    for part in walk(expression):
        if isinstance(part, EventPath):
            return True
        if isinstance(part, Parameter) or (isinstance(part, Opaque) and not part.parts):
            unsure = True
    return None if unsure else False


def carries_event(expression: Expression) -> bool:
    """Whether the value comes from what one invocation brought, and may be another for the next.

    What the event and the context say of the function, its source and its API is the same for all.
    """
    return any(
        isinstance(part, EventPath)
        and (
            part.keys[:1] in _PER_INVOCATION
            if part.context
            else part.keys[:2] not in _PER_API and part.keys[-1:] not in _PER_SOURCE
        )
        for part in walk(expression)
    )


_PER_INVOCATION: Final = (("aws_request_id",), ("identity",), ("client_context",))
_PER_API: Final = tuple(
    ("requestContext", key) for key in ("accountId", "apiId", "domainName", "domainPrefix", "stage")
)
_PER_SOURCE: Final = (("awsRegion",), ("eventSource",), ("eventSourceARN",), ("EventSource",))


def text(expression: Expression) -> str | None:
    """The string that *expression* surely is."""
    known, complete = _text(expression)
    return known if complete else None


def text_prefix(expression: Expression) -> str:
    """What the string surely starts with; paths joined by ``os.path.join`` and ``pathlib`` are read as text."""
    return _text(expression)[0]


def _text(expression: Expression) -> tuple[str, bool]:
    match expression:
        case Literal(value=str(value)):
            return value, True
        case Joined(parts=inner):
            return _concatenated(inner, "")
        case CallOf("os.path.join" | "pathlib.Path" | "pathlib.PurePosixPath" | "pathlib.PosixPath", args) if args:
            return _concatenated(args, "/")
        case CallOf("str" | "os.fspath", (only,)):
            return _text(only) if isinstance(only, Literal | Joined | CallOf) else ("", False)
        case _:
            return "", False


def _concatenated(inner: "tuple[Expression, ...]", separator: str) -> tuple[str, bool]:
    known = ""
    for number, part in enumerate(inner):
        if number and separator and not known.endswith(separator):
            known += separator
        value, complete = _text(part)
        if separator and value.startswith(separator):
            known = ""  # an absolute part starts the path anew
        known += value
        if not complete:
            return known, False
    return known, True


def mapped(expression: Expression, name: Callable[[str], str | None]) -> Expression:
    """*expression* with the qualified names in it replaced by what *name* says; ``None`` leaves one unknown."""
    match expression:
        case Name(old):
            new = name(old)
            return UNKNOWN if new is None else Name(new)
        case CallOf(old, args, keywords, receiver):
            return CallOf(
                None if old is None else name(old),
                tuple(mapped(each, name) for each in args),
                {key: mapped(each, name) for key, each in keywords.items()},
                None if receiver is None else mapped(receiver, name),
            )
        case Joined(inner):
            return Joined(tuple(mapped(each, name) for each in inner))
        case Collection(kind, items, keys, complete):
            return Collection(
                kind, tuple(mapped(each, name) for each in items), tuple(mapped(each, name) for each in keys), complete
            )
        case Attribute(of, attribute):
            return Attribute(mapped(of, name), attribute)
        case Item(of, key):
            return Item(mapped(of, name), None if key is None else mapped(key, name))
        case Either(options):
            return Either(tuple(mapped(each, name) for each in options))
        case Opaque(inner, kind):
            return Opaque(tuple(mapped(each, name) for each in inner), kind)
        case _:
            return expression
