"""The import statements of a module, and which of the names they bind are used."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdalint.facts.expressions import Literal
from lambdalint.facts.guards import Guard, GuardKind, Guards
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Bound, Scope, ScopeKind
from lambdalint.model.places import Span


@dataclass(frozen=True, slots=True)
class Import:
    """One module that a statement imports, or a name from it.

    ``import a.b as c`` has the *module* ``a.b``, no *name* and binds ``c``; ``from .a import b`` has the module ``a``,
    *level* 1 and the name ``b``, which may be a submodule.  *name* is ``"*"`` for a star import.  *dynamic*:
    ``importlib.import_module("literal")``.  *bound* is ``None`` where nothing is bound.
    """

    module: str
    level: int
    name: str | None
    bound: str | None
    scope: str
    span: Span
    guards: tuple[Guard, ...] = ()
    dynamic: bool = False
    in_class: bool = False

    @property
    def top_level(self) -> str:
        """The first part of an absolute module's name; ``""`` for a relative import."""
        return "" if self.level else self.module.partition(".")[0]

    @property
    def skipped(self) -> bool:
        """Whether it never happens in Lambda: under ``TYPE_CHECKING`` or ``__main__``."""
        return any(guard.kind in (GuardKind.TYPE_CHECKING, GuardKind.MAIN) for guard in self.guards)

    @property
    def optional(self) -> bool:
        """Whether the code lives without it: a failing import is caught."""
        caught = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
        return any(guard.kind is GuardKind.TRY and not caught.isdisjoint(guard.names) for guard in self.guards)

    @property
    def conditional(self) -> bool:
        """Whether some condition decides if it happens."""
        return any(guard.kind is not GuardKind.TRY for guard in self.guards)


@dataclass(frozen=True, slots=True)
class Imports:
    """The imports of a module in the order of the text.

    *used* are the names, by the scope that reads them, that imports of this module bind; *annotating* those that are
    read in annotations.  *exported* are the names in ``__all__``.
    """

    imports: tuple[Import, ...]
    used: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    annotating: frozenset[str] = frozenset()
    exported: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Names, guards: Guards) -> "Imports":
        found: list[Import] = []
        for node, scope, context in names.walk.imports:
            span = names.span(node)
            around = guards.around(context, scope)
            in_class = scope.kind is ScopeKind.CLASS
            for alias in node.names:
                if isinstance(node, ast.Import):
                    bound = alias.asname or alias.name.partition(".")[0]
                    found.append(Import(alias.name, 0, None, bound, scope.owner.name, span, around, False, in_class))
                else:
                    bound = None if alias.name == "*" else alias.asname or alias.name
                    found.append(
                        Import(
                            node.module or "",
                            node.level,
                            alias.name,
                            bound,
                            scope.owner.name,
                            span,
                            around,
                            False,
                            in_class,
                        )
                    )
        for node, scope, context in names.calls_of("importlib.import_module", "__import__"):
            name = names.describe(node.args[0], scope) if node.args else None
            if isinstance(name, Literal) and isinstance(name.value, str) and len(node.args) == 1:
                level = len(name.value) - len(name.value.lstrip("."))
                found.append(
                    Import(
                        name.value[level:],
                        level,
                        None,
                        names.walk.assigned.get(node),
                        scope.owner.name,
                        names.span(node),
                        guards.around(context, scope),
                        True,
                    )
                )
        found.sort(key=lambda each: each.span)
        bound = _imported(names)
        exported = names.bound(names.walk.module, "__all__") if "__all__" in names.walk.module.bindings else None
        return cls(
            tuple(found),
            _used(names, bound),
            frozenset(name for node, _, _ in names.walk.annotations for name in _names_in(node) if name in bound),
            frozenset(
                each.value
                for each in getattr(exported, "items", ())
                if isinstance(each, Literal) and isinstance(each.value, str)
            ),
        )

    def uses(self, bound: str) -> bool:
        """Whether code other than an annotation reads the name *bound*."""
        return any(bound in names for names in self.used.values())


def _imported(names: Names) -> frozenset[str]:
    return frozenset(
        name
        for scope in names.walk.scopes
        for name, bindings in scope.bindings.items()
        if any(binding.bound is Bound.IMPORT for binding in bindings)
    )


def _used(names: Names, bound: frozenset[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for scope in (*names.walk.scopes, *names.walk.comprehensions):
        used = {name for name in scope.uses & bound if _is_import(names, scope, name)}
        if used:
            found.setdefault(scope.owner.name, set()).update(used)
    return {scope: frozenset(each) for scope, each in sorted(found.items())}


def _is_import(names: Names, scope: Scope, name: str) -> bool:
    home = names.home(scope, name)
    return home is not None and any(binding.bound is Bound.IMPORT for binding in home.bindings[name])


def _names_in(annotation: Any) -> list[str]:
    """The names in an annotation, also in one that is written as a string, roughly."""
    found: list[str] = []
    stack = [annotation]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and len(node.value) < 200:
                found.extend("".join(c if c.isalnum() or c == "_" else " " for c in node.value).split())
        else:
            stack.extend(ast.iter_child_nodes(node))
    return found
