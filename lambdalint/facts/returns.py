"""What the functions of a module return."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdalint.facts.arguments import filled
from lambdalint.facts.expressions import NONE, Expression
from lambdalint.facts.guards import Guard, GuardKind, Guards
from lambdalint.facts.names import Names
from lambdalint.facts.walk import ScopeKind
from lambdalint.model.places import Span


@dataclass(frozen=True, slots=True)
class Return:
    """One ``return``, or the body of a lambda.

    *span* is the place of the value, of the statement where it returns nothing; *value* what is known of it, with
    local variables followed and with what statements of the function add to a dict or list.
    """

    value: Expression
    span: Span
    guards: tuple[Guard, ...] = ()

    def filled(self, values: Mapping[str, Expression]) -> Expression:
        """The value with parameters filled in; not where a condition chose it, which may have asked what they are."""
        chosen = any(guard.kind is not GuardKind.TRY for guard in self.guards)
        return self.value if chosen else filled(self.value, values)


@dataclass(frozen=True, slots=True)
class Returns:
    """The returns of each ``def`` and lambda, by its qualified name, in the order of the text.

    *falls_off* are the scopes whose end can be reached, so that they may return ``None`` without saying so; a
    function that only raises or loops forever is not among them.  *swallowing* are those whose end can be reached only
    by way of an exception that the last statement catches.
    """

    returns: Mapping[str, tuple[Return, ...]] = field(hash=False)
    falls_off: frozenset[str] = frozenset()
    swallowing: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "Returns":
        found: dict[str, list[Return]] = {}
        for node, scope, context in names.walk.returns:
            value = NONE if node.value is None else names.describe(node.value, scope)
            place = names.span(node if node.value is None else node.value)
            found.setdefault(scope.owner.name, []).append(Return(value, place, guards.around(context, scope)))
        falling, swallowing = set(), set()
        for scope in names.walk.scopes:
            if isinstance(scope.node, ast.Lambda):
                value = names.describe(scope.node.body, scope)
                found.setdefault(scope.name, []).append(Return(value, names.span(scope.node.body)))
            elif scope.kind is ScopeKind.DEF and not _ends(scope.node.body):  # type: ignore[attr-defined]
                falling.add(scope.name)
                if _ends(scope.node.body, caught=False):  # type: ignore[attr-defined]
                    swallowing.add(scope.name)
        ordered = {name: tuple(sorted(each, key=lambda one: one.span)) for name, each in found.items()}
        return cls(ordered, frozenset(falling), frozenset(swallowing))

    def get(self, scope: str) -> tuple[Return, ...]:
        """The returns of a scope."""
        return self.returns.get(scope, ())


def _ends(body: list[ast.stmt], depth: int = 0, *, caught: bool = True) -> bool:
    """Whether the end of *body* cannot be reached; without *caught*, by way of no exception handler."""
    if not body or depth > 40:
        return False
    last = body[-1]
    match last:
        case ast.Return() | ast.Raise():
            return True
        case ast.If():
            return _ends(last.body, depth + 1, caught=caught) and _ends(last.orelse, depth + 1, caught=caught)
        case ast.With() | ast.AsyncWith():
            return _ends(last.body, depth + 1, caught=caught)
        case ast.While(test=ast.Constant(value=value)) if value:
            return not _leaves_loop(last.body)
        case ast.Try() | ast.TryStar():
            if _ends(last.finalbody, depth + 1, caught=caught):
                return True
            tried = _ends(last.body, depth + 1, caught=caught) or _ends(last.orelse, depth + 1, caught=caught)
            return tried and (not caught or all(_ends(handler.body, depth + 1) for handler in last.handlers))
        case ast.Match():
            final = last.cases[-1]
            covers = final.guard is None and isinstance(final.pattern, ast.MatchAs) and final.pattern.pattern is None
            return covers and all(_ends(case.body, depth + 1, caught=caught) for case in last.cases)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="sys"), attr="exit"))):
            return True
        case _:
            return False


def _leaves_loop(body: list[ast.stmt]) -> bool:
    """Whether a ``break`` in *body* ends the loop around it."""
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Break):
            return True
        if not isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.FunctionDef | ast.AsyncFunctionDef | ast.expr):
            stack.extend(ast.iter_child_nodes(node))
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            stack.extend(node.orelse)
    return False
