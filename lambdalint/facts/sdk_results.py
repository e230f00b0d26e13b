"""What code does with the results of those SDK calls that may tell less than all, or that not all went well.

The result of a synchronous ``invoke`` is among them.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lambdalint.aws.sdk import failures, paginated
from lambdalint.facts.expressions import qualified_name
from lambdalint.facts.names import Lines, Names
from lambdalint.facts.needs import service_call
from lambdalint.facts.walk import Scope

_WATCHED: Final = frozenset((("lambda", "invoke"),))
_LOGGING: Final = frozenset(("critical", "debug", "error", "exception", "info", "log", "warn", "warning"))
_PRINTING: Final = frozenset(("print", "pprint.pprint"))
#: What makes text of its argument: what becomes of the text becomes of the argument.
_TEXTS: Final = frozenset(("json.dumps", "pprint.pformat", "repr", "str"))
#: What only asks about a list.
_ASKING: Final = frozenset(("bool", "len", "next", "type"))
_VIEWS: Final = frozenset(("items", "keys", "values", "copy"))
_MAX_STEPS: Final = 6


@dataclass(frozen=True, slots=True)
class SdkResult:
    """What becomes of one result within the function that gets it.

    *read* are the keys that anything is asked of, *used* those whose value is gone through or handed on whole.
    *escapes*: the whole result goes somewhere else.  *logged*: it is printed.
    """

    service: str
    operation: str
    read: frozenset[str]
    used: frozenset[str]
    escapes: bool
    logged: bool


@dataclass(frozen=True, slots=True)
class SdkResults:
    """The results of paginated and of batch operations, by the place of the call."""

    results: Mapping[Lines, SdkResult] = field(hash=False)

    @classmethod
    def of(cls, names: Names) -> "SdkResults":
        found: dict[Lines, SdkResult] = {}
        bodies: dict[Scope, _Body] = {}
        for name, places in names.by_name.items():
            asked = service_call(name) if name is not None and "boto" in name else None
            if asked is None or not (asked in _WATCHED or paginated(*asked) or failures(*asked)):
                continue
            for place in places:
                owner = place.scope.owner
                if owner not in bodies:
                    bodies[owner] = _Body(owner.node)
                uses = _Uses(names, owner, bodies[owner])
                uses.follow(place.node)
                found[names.lines(place.node)] = SdkResult(
                    *asked, frozenset(uses.read), frozenset(uses.used), uses.escapes, uses.logged
                )
        return cls(found)


class _Body:
    """The code of one function: what stands around each node, and where each name is read."""

    def __init__(self, node: ast.AST) -> None:
        self.parents: dict[ast.AST, ast.AST] = {}
        self.loads: dict[str, list[ast.Name]] = {}
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
                self.loads.setdefault(each.id, []).append(each)
            for child in ast.iter_child_nodes(each):
                self.parents[child] = each


class _Uses:
    """Follows one value through the code of one function."""

    def __init__(self, names: Names, owner: Scope, body: _Body) -> None:
        self.names = names
        self.owner = owner
        self.parents = body.parents
        self.loads = body.loads
        self.read: set[str] = set()
        self.used: set[str] = set()
        self.escapes = False
        self.logged = False
        self._followed: set[str] = set()

    def follow(self, node: ast.AST) -> None:
        """Note what becomes of *node*, whose value is the result."""
        parent = self.parents.get(node)
        match parent:
            case ast.Expr() | ast.If() | ast.While() | ast.UnaryOp() | ast.Assert():
                pass
            case ast.Await() | ast.BoolOp():
                self.follow(parent)
            case ast.IfExp(test=test):
                if test is not node:
                    self.follow(parent)
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                self._name(name)
            case ast.NamedExpr(target=ast.Name(name)):
                self._name(name)
                self.follow(parent)
            case ast.Subscript(value=value, slice=ast.Constant(str(key))) if value is node:
                self._key(key, parent)
            case ast.Attribute(attr="get" | "pop" | "setdefault") if (
                isinstance(call := self.parents.get(parent), ast.Call) and call.func is parent
            ):
                match call.args:
                    case [ast.Constant(str(key)), *_]:
                        self._key(key, call)
                    case _:
                        self.escapes = True
            case ast.Compare(left=ast.Constant(str(key)), ops=[ast.In() | ast.NotIn()]):
                self.read.add(key)
            case ast.Compare():
                pass
            case ast.FormattedValue() | ast.JoinedStr():
                self.follow(parent)
            case ast.BinOp(op=ast.Add() | ast.Mod()):
                self.follow(parent)
            case ast.Call(func=function) if function is not node:
                self._argument(parent)
            case ast.keyword() if isinstance(call := self.parents.get(parent), ast.Call):
                self._argument(call)
            case _:
                self.escapes = True

    def _argument(self, call: ast.Call) -> None:
        name = qualified_name(self.names.describe(call.func, self.owner))
        if name in _PRINTING or (isinstance(call.func, ast.Attribute) and call.func.attr in _LOGGING):
            self.logged = True
        elif name in _TEXTS:
            self.follow(call)
        else:
            self.escapes = True

    def _name(self, name: str) -> None:
        if name in self._followed:
            return
        self._followed.add(name)
        if name in self.owner.globals or name in self.owner.nonlocals:
            self.escapes = True
        for use in self.loads.get(name, ()):
            self.follow(use)

    def _key(self, key: str, node: ast.AST) -> None:
        self.read.add(key)
        if self._is_used(node, 0):
            self.used.add(key)

    def _is_used(self, node: ast.AST, steps: int) -> bool:
        """Whether a list is gone through or handed on, and not merely asked for a part of it."""
        if steps > _MAX_STEPS:
            return False
        parent = self.parents.get(node)
        match parent:
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                return True
            case ast.Call(func=function) if function is not node:
                return self._is_taken(parent)
            case ast.keyword() if isinstance(call := self.parents.get(parent), ast.Call):
                return self._is_taken(call)
            case ast.Attribute(attr=attribute):
                call = self.parents.get(parent)
                return attribute in _VIEWS and isinstance(call, ast.Call) and self._is_used(call, steps + 1)
            case ast.BoolOp() | ast.Await():
                return self._is_used(parent, steps + 1)
            case ast.IfExp(test=test):
                return test is not node and self._is_used(parent, steps + 1)
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                return any(self._is_used(use, steps + 1) for use in self.loads.get(name, ()))
            case ast.Return() | ast.Yield() | ast.YieldFrom() | ast.Starred() | ast.Dict() | ast.List() | ast.Tuple():
                return True
            case ast.AugAssign() | ast.BinOp() | ast.Assign():
                return True
            case _:
                return False

    def _is_taken(self, call: ast.Call) -> bool:
        name = qualified_name(self.names.describe(call.func, self.owner))
        logged = isinstance(call.func, ast.Attribute) and call.func.attr in _LOGGING
        return name not in _ASKING and name not in _PRINTING and not logged
