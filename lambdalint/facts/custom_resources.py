"""How handlers of CloudFormation's custom resources come to an end: with an answer, or without one."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from lambdalint.facts.expressions import EventPath, Expression, walk
from lambdalint.facts.http_calls import http_call
from lambdalint.facts.names import Names
from lambdalint.facts.needs import service_call
from lambdalint.facts.walk import Scope, ScopeKind
from lambdalint.model.places import Span
from lambdalint.model.source import Source

_TELLING: Final = ("cfnresponse", "ResponseURL", "RequestType")
_TYPES: Final = frozenset(("Create", "Update", "Delete"))
_BROAD: Final = ("Exception", "BaseException")
#: What gets the whole event and surely answers nobody.
_LOOKING: Final = ("print", "str", "repr", "len", "dict", "type", "json.dumps", "pprint.pprint")
_LOGGING: Final = ("debug", "info", "warning", "error", "exception", "log")
_DEFS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_MAX_DEPTH: Final = 60

#: Whether an answer was sent, on the ways that lead to a place.
_Ways: TypeAlias = frozenset[bool]


@dataclass(frozen=True, slots=True)
class Ending:
    """How one function ends.

    *unanswered* is what may raise, by name, where nothing around it answers; *returns* are the places of ``return``
    that come before any answer, and *falls_off* says that the end of the function can be reached so; *asked* are then
    the types of requests that it tells from others.
    """

    unanswered: tuple[tuple[str, Span], ...] = ()
    returns: tuple[Span, ...] = ()
    falls_off: bool = False
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomResources:
    """The endings of a module's functions that take the event, by scope.

    *answers*: the module surely sends answers, by ``cfnresponse`` or to the ``ResponseURL``.  Whoever gets the whole
    event and is not of the module is taken to answer.
    """

    endings: dict[str, Ending] = field(default_factory=dict, hash=False)
    answers: bool = False

    @classmethod
    def of(cls, names: Names, source: Source) -> "CustomResources":
        if not any(word in source.text for word in _TELLING):
            return cls()
        found = _Answers(names)
        scopes = [scope for scope in names.walk.scopes if isinstance(scope.node, ast.FunctionDef)]
        endings = {scope.name: _Paths(found, scope).ending() for scope in scopes if _takes_event(scope, names)}
        return cls(endings, found.sure)


def _takes_event(scope: Scope, names: Names) -> bool:
    return scope.kind is ScopeKind.DEF and any(
        isinstance(names.lookup(scope, name), EventPath) for name in scope.bindings
    )


class _Answers:
    """Which calls of a module answer."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.scopes = {call: scope for call, scope, _ in names.walk.calls}
        self.sure = False
        self.functions: set[str] = set()
        inside: dict[str, list[ast.Call]] = {}
        for call, scope in self.scopes.items():
            inside.setdefault(scope.owner.name, []).append(call)
        self.defined = {
            scope.name: scope.node for scope in names.walk.scopes if isinstance(scope.node, ast.FunctionDef)
        }
        for name, node in self.defined.items():
            if _asks_where(node):
                self.sure = True
                self.functions.add(name)
        while True:
            more = {
                name for name, calls in inside.items() if name not in self.functions and any(map(self.answers, calls))
            }
            if not more:
                break
            self.functions |= more

    def answers(self, call: ast.Call) -> bool:
        """Whether *call* sends an answer, or may do so."""
        scope = self.scopes.get(call)
        if scope is None:
            return False
        name, receiver, args, keywords = self.names.called(call, scope)
        given = (*args, *keywords.values())
        if name is not None and "cfnresponse" in name.lower().split("."):
            self.sure = True
            return True
        if any(part == EventPath(("ResponseURL",)) for each in given for part in walk(each)):
            self.sure = True
            return True
        if name is not None and name.startswith(":") and name[1:] in self.defined:
            return name[1:] in self.functions
        if not any(_has_event(each) for each in given):
            return False
        last = (name or "").rpartition(".")[2]
        return receiver is not None or (name not in _LOOKING and last not in _LOGGING)

    def work(self, call: ast.Call) -> str | None:
        """What *call* runs that may fail, by name."""
        scope = self.scopes.get(call)
        name = None if scope is None else self.names.called(call, scope).name
        if name is None:
            return None
        if name.startswith(":"):
            return name[1:] if name[1:] in self.defined else None
        if service_call(name) is not None or http_call(name) is not None:
            return name.rpartition(".")[2]
        return None


def _asks_where(function: ast.AST) -> bool:
    """Whether it reads the address that answers go to."""
    for each in _inside(list(ast.iter_child_nodes(function))):
        match each:
            case ast.Subscript(slice=ast.Constant(value="ResponseURL")):
                return True
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="ResponseURL"), *_]):
                return True
    return False


def _has_event(given: Expression) -> bool:
    return any(part == EventPath() for part in walk(given))


class _Paths:
    """The ways through one function."""

    def __init__(self, answers: _Answers, scope: Scope) -> None:
        self.answers = answers
        self.scope = scope
        self.unanswered: list[tuple[str, Span]] = []
        self.returns: list[Span] = []

    def ending(self) -> Ending:
        body: list[ast.stmt] = self.scope.node.body  # type: ignore[attr-defined]
        out = self.block(body, frozenset((False,)), safe=False, depth=0)
        types = {
            part.value
            for node in _inside(body)
            if isinstance(node, ast.If | ast.Match)
            for part in ast.walk(node.test if isinstance(node, ast.If) else node)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        }
        falls_off = False in out and not types >= _TYPES
        asked = tuple(sorted(types & _TYPES)) if falls_off else ()
        return Ending(tuple(self.unanswered), tuple(self.returns), falls_off, asked)

    def block(self, body: list[ast.stmt], ways: _Ways, *, safe: bool, depth: int) -> _Ways:
        if depth > _MAX_DEPTH:
            return frozenset((True,))
        for statement in body:
            if not ways:
                break
            ways = self.statement(statement, ways, safe=safe, depth=depth + 1)
        return ways

    def statement(self, node: ast.stmt, ways: _Ways, *, safe: bool, depth: int) -> _Ways:
        match node:
            case ast.Return():
                ways = self.expression(node.value, ways, safe=safe)
                if False in ways:
                    self.returns.append(self.answers.names.span(node))
                return frozenset()
            case ast.Raise():
                if False in ways and not safe:
                    self.unanswered.append(("raise", self.answers.names.span(node)))
                return frozenset()
            case ast.If():
                ways = self.expression(node.test, ways, safe=safe)
                yes = self.block(node.body, ways, safe=safe, depth=depth)
                return yes | self.block(node.orelse, ways, safe=safe, depth=depth)
            case ast.For() | ast.AsyncFor() | ast.While():
                ways = self.expression(node.test if isinstance(node, ast.While) else node.iter, ways, safe=safe)
                inner = self.block(node.body, ways, safe=safe, depth=depth)
                if True in inner and False not in inner:
                    return inner
                return self.block(node.orelse, ways | inner, safe=safe, depth=depth)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    ways = self.expression(item.context_expr, ways, safe=safe)
                return self.block(node.body, ways, safe=safe, depth=depth)
            case ast.Match():
                ways = self.expression(node.subject, ways, safe=safe)
                last = node.cases[-1]
                covered = last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
                out = frozenset() if covered else ways
                for case in node.cases:
                    out |= self.block(case.body, ways, safe=safe, depth=depth)
                return out
            case ast.Try() | ast.TryStar():
                return self.tried(node, ways, safe=safe, depth=depth)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return ways
            case _:
                return self.expression(node, ways, safe=safe)

    def tried(self, node: ast.Try | ast.TryStar, ways: _Ways, *, safe: bool, depth: int) -> _Ways:
        final = self._sends(node.finalbody)
        caught = final or any(_is_broad(handler) for handler in node.handlers)
        before = len(self.returns)
        out = self.block(node.body, ways, safe=safe or caught, depth=depth)
        if isinstance(node.body[0], ast.Expr | ast.Assign | ast.Return) and self._sends(node.body[:1]):
            ways = frozenset((True,))  # sending fails at most, which nothing can be done about
        out = self.block(node.orelse, out, safe=safe or final, depth=depth)
        for handler in node.handlers:
            out |= self.block(handler.body, ways, safe=safe or final, depth=depth)
        if final:
            del self.returns[before:]
            return frozenset((True,)) if out else out
        return self.block(node.finalbody, out, safe=safe, depth=depth) if node.finalbody else out

    def _sends(self, body: list[ast.stmt]) -> bool:
        return any(isinstance(each, ast.Call) and self.answers.answers(each) for each in _inside(body))

    def expression(self, node: ast.AST | None, ways: _Ways, *, safe: bool) -> _Ways:
        """The ways after *node*, an expression or a plain statement, is evaluated."""
        if node is None or ways == {True}:
            return ways
        calls = [each for each in _inside([node]) if isinstance(each, ast.Call)]
        answered = any(map(self.answers.answers, calls))
        if not safe and not answered:
            for call in calls:
                work = self.answers.work(call)
                if work is not None:
                    self.unanswered.append((work, self.answers.names.span(call)))
        return frozenset((True,)) if answered else ways


def _is_broad(handler: ast.ExceptHandler) -> bool:
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or (isinstance(each, ast.Name) and each.id in _BROAD) for each in types)


def _inside(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _DEFS):
            waiting.extend(ast.iter_child_nodes(node))
