"""Values that differ with every reading, read once when a module is imported, and how functions use them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lambdalint.facts.expressions import Attribute, CallOf, Env, Expression, Joined, Name, Opaque
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Bound, ScopeKind
from lambdalint.model.places import Span


class Fresh(Enum):
    """What is read."""

    TIME = "time"
    RANDOM = "random value"
    TRACE = "trace id"


_SOURCES: Final = {
    **dict.fromkeys(
        (
            "datetime.date.today",
            "datetime.datetime.now",
            "datetime.datetime.today",
            "datetime.datetime.utcnow",
            "time.ctime",
            "time.gmtime",
            "time.localtime",
            "time.strftime",
            "time.time",
            "time.time_ns",
        ),
        Fresh.TIME,
    ),
    **dict.fromkeys(
        (
            "os.urandom",
            "random.choice",
            "random.getrandbits",
            "random.randint",
            "random.random",
            "random.randrange",
            "random.uniform",
            "secrets.randbelow",
            "secrets.token_bytes",
            "secrets.token_hex",
            "secrets.token_urlsafe",
            "uuid.uuid1",
            "uuid.uuid4",
        ),
        Fresh.RANDOM,
    ),
}
#: Lambda writes it anew for every invocation.
_TRACE: Final = "_X_AMZN_TRACE_ID"
#: What gives the same value in other words.
_WRAPPERS: Final = frozenset(("bytes", "float", "int", "repr", "round", "str", "datetime.datetime.strftime"))
#: Names of what is meant to be one for the environment, or to say since when it is there.
_MEANT: Final = re.compile(
    r"start|cold|init|boot|launch|load|deploy|build|import|instance|container|environ|worker|process|node|epoch|uptime"
    r"|seed|salt|host|since|created|began|last|refresh|expir",
    re.IGNORECASE,
)
_LOGGING: Final = frozenset(("critical", "debug", "error", "exception", "info", "log", "print", "warning"))
_CARRIED: Final = (ast.Call, ast.Dict, ast.JoinedStr, ast.Return, ast.Compare, ast.keyword, ast.Yield)


@dataclass(frozen=True, slots=True)
class FrozenValue:
    """A variable, or with *default* a parameter, that keeps what was read at import, and a *use* by a function."""

    name: str
    fresh: Fresh
    span: Span
    use: Span
    default: bool = False


@dataclass(frozen=True, slots=True)
class Frozen:
    """The frozen values of a module in the order of the text."""

    values: tuple[FrozenValue, ...] = ()

    @classmethod
    def of(cls, names: Names) -> "Frozen":
        if names.by_name.keys().isdisjoint(_SOURCES) and _TRACE not in names.source.text:
            return cls()
        return cls(tuple(sorted((*_variables(names), *_defaults(names)), key=lambda value: value.span)))


def _variables(names: Names) -> Iterator[FrozenValue]:
    module = names.walk.module
    parents: dict[ast.AST, ast.AST] | None = None
    for name, bindings in module.bindings.items():
        binding = bindings[0]
        if len(bindings) > 1 or binding.bound is not Bound.ASSIGNED or binding.scope is not module or binding.path:
            continue
        if _MEANT.search(name) or (binding.context is not None and binding.context.skipped):
            continue
        fresh = _fresh(names.bound(module, name))
        if fresh is None:
            continue
        if parents is None:
            parents = {child: node for node in ast.walk(names.walk.tree) for child in ast.iter_child_nodes(node)}
        use = next((node for node in _uses(names, name) if _is_carried(names, node, parents)), None)
        if use is not None:
            yield FrozenValue(name, fresh, names.span(binding.value), names.span(use))


def _defaults(names: Names) -> Iterator[FrozenValue]:
    for scope in names.walk.scopes:
        around = scope.parent
        if scope.kind is not ScopeKind.DEF or around is None or around.owner is not names.walk.module:
            continue
        args: ast.arguments = scope.node.args  # type: ignore[attr-defined]
        positional = [*args.posonlyargs, *args.args]
        for arg, value in (
            *zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True),
            *zip(args.kwonlyargs, args.kw_defaults, strict=True),
        ):
            if isinstance(value, ast.Call | ast.JoinedStr | ast.BinOp) and arg.arg in scope.uses:
                fresh = _fresh(names.describe(value, around))
                if fresh is not None and len(scope.bindings[arg.arg]) == 1:
                    yield FrozenValue(arg.arg, fresh, names.span(value), names.span(arg), True)


def _fresh(value: Expression) -> Fresh | None:
    """What a value is made of, where it is nothing but another form of that."""
    match value:
        case Env(name) if name == _TRACE:
            return Fresh.TRACE
        case CallOf(str(name)) if name in _SOURCES:
            # time.strftime() and the like with a time of their own read no clock.
            given = len(value.args) > 1 if name == "time.strftime" else bool(value.args)
            return None if given and name.startswith("time.") else _SOURCES[name]
        case CallOf(str(name), args) if name in _WRAPPERS:
            return _first(args)
        case CallOf(str(name)) | Name(name):
            source, called, _ = name.partition("().")
            return _SOURCES.get(source) if called else None
        case CallOf(None, receiver=of) | Attribute(of) if of is not None:
            return _fresh(of)
        case Joined(parts) | Opaque(parts):
            return _first(parts)
        case _:
            return None


def _first(parts: tuple[Expression, ...]) -> Fresh | None:
    return next((fresh for part in parts if (fresh := _fresh(part)) is not None), None)


def _uses(names: Names, name: str) -> Iterator[ast.Name]:
    """Where functions read a variable of the module."""
    module = names.walk.module
    for scope in (*names.walk.scopes, *names.walk.comprehensions):
        if scope.owner is module or name not in scope.uses or names.home(scope, name) is not module:
            continue
        for node in ast.walk(scope.node):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                yield node


def _is_carried(names: Names, node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a use hands the value on: in a call, a message, a key, an answer or a comparison.

    A difference of two times is a duration, and what is logged hurts nobody.
    """
    carried = False
    child: ast.AST = node
    parent = parents.get(node)
    while parent is not None and not isinstance(parent, ast.stmt):
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Sub) and not _is_timedelta(parent.right):
            return False
        if isinstance(parent, ast.Call) and _last_part(parent.func) in _LOGGING:
            return False
        # Calling a method of the value gives another form of it.
        of_itself = isinstance(parent, ast.Attribute) or (isinstance(parent, ast.Call) and parent.func is child)
        carried = carried or (isinstance(parent, _CARRIED) and not of_itself)
        child, parent = parent, parents.get(parent)
    return carried or isinstance(parent, ast.Return) or _is_key(parent, child)


def _is_key(statement: ast.AST | None, value: ast.AST) -> bool:
    """Whether an assignment puts a value into a dict: ``item["date"] = TODAY``."""
    return (
        isinstance(statement, ast.Assign)
        and statement.value is value
        and any(isinstance(target, ast.Subscript) for target in statement.targets)
    )


def _is_timedelta(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _last_part(node.func) in ("timedelta", "relativedelta")


def _last_part(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
