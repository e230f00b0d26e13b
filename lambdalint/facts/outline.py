"""Which names the code of each scope of a module calls and reads: the edges of the call graph."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lambdalint.facts.expressions import (
    CallOf,
    Env,
    EventPath,
    Expression,
    Literal,
    Name,
    Parameter,
    qualified_name,
    walk,
)
from lambdalint.facts.names import Lines, Names
from lambdalint.facts.walk import Context, Scope


@dataclass(frozen=True, slots=True)
class Outline:
    """For each scope the qualified names that it calls, and those that it only mentions, with the first place of each.

    Code under ``TYPE_CHECKING`` and ``__main__`` is left out.  *registered* are names that module-level code hands to
    a method of an object, as ``app.add_route("/", show)`` does.
    """

    calls: Mapping[str, Mapping[str, Lines]] = field(hash=False)
    mentions: Mapping[str, Mapping[str, Lines]] = field(hash=False)
    registered: Mapping[str, Lines] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, names: Names) -> "Outline":
        calls: dict[str, dict[str, Lines]] = {}
        mentions: dict[str, dict[str, Lines]] = {}
        registered: dict[str, Lines] = {}
        lines = names.lines

        def note(into: dict[str, dict[str, Lines]], scope: Scope, name: str, node: ast.AST) -> None:
            found = into.setdefault(scope.owner.name, {})
            if name not in found:
                found[name] = lines(node)

        inside: dict[int, tuple[tuple[str, ...], Expression]] = {}  # an id is only unique while its object lives

        def mention(found: Expression, scope: Scope, node: ast.AST) -> None:
            if isinstance(found, Name):
                if "." in found.name or ":" in found.name:
                    note(mentions, scope, found.name, node)
            elif type(found) not in _NAMELESS:
                mentioned = inside.get(id(found))
                if mentioned is None:
                    mentioned = inside[id(found)] = (_mentioned(found), found)
                for name in mentioned[0]:
                    note(mentions, scope, name, node)

        def skipped(context: Context | None) -> bool:
            return context is not None and context.skipped

        for node, scope, context in names.walk.calls:
            if skipped(context):
                continue
            name, receiver, _, _ = names.called(node, scope)
            if name is not None:
                note(calls, scope, name, node)
            elif receiver is not None:
                mention(receiver, scope, node)
            if scope.owner is names.walk.module and name is not None and "()." in name + ".":
                for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                    value = names.describe(argument, scope)
                    if isinstance(value, Name):
                        registered.setdefault(value.name, lines(argument))
        seen: set[tuple[Scope, str]] = set()
        for node, scope, context in names.walk.reads:
            if skipped(context):
                continue
            if type(node) is ast.Name:
                if (scope, node.id) in seen:
                    continue
                seen.add((scope, node.id))
            mention(names.describe(node, scope), scope, node)
        for child in names.walk.scopes:
            if child.name.rpartition(".")[2].startswith("<lambda:") and child.parent is not None:
                note(mentions, child.parent, f":{child.name}", child.node)
        return cls(calls, mentions, registered)


_NAMELESS: Final = (Literal, EventPath, Parameter, Env)


def _mentioned(expression: Expression) -> tuple[str, ...]:
    """The names inside, and the one of an instance."""
    found = [
        part.name for part in walk(expression) if isinstance(part, Name) and ("." in part.name or ":" in part.name)
    ]
    name = qualified_name(expression)
    if isinstance(expression, CallOf) and name is not None:
        found.append(name)
    return tuple(dict.fromkeys(found))
