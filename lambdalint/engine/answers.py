"""Facts worked out as they are asked for, each once."""

import ast
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

from lambdalint.facts.per_module import PerModule
from lambdalint.facts.walk import Walk
from lambdalint.model.project import Module, Project
from lambdalint.model.source import Source
from lambdalint.rule import fact_wants, scope_of

F = TypeVar("F")


class ModuleAnswers:
    """The facts of one module, from its syntax tree."""

    def __init__(self, tree: ast.Module, source: Source) -> None:
        self._known: dict[type, Any] = {ast.Module: tree, Source: source, Module: Module(source.path)}

    def get(self, fact: type[F]) -> F:
        """The fact of this module."""
        if fact not in self._known:
            kind: Any = fact
            self._known[fact] = kind.of(*(self.get(wanted) for wanted in fact_wants(kind).values()))
        answer: F = self._known[fact]
        return answer

    def take_apart(self) -> None:
        """Let the tree go, with the facts that refer to it; nothing more can be asked."""
        walk = self._known.get(Walk)
        if walk is not None:
            walk.take_apart()


class Lookup(PerModule[F]):
    """One fact over all modules."""

    def __init__(self, fact: type[F], ask: Callable[[str, type[F]], F | None]) -> None:
        self._fact, self._ask = fact, ask

    def get(self, path: str) -> F | None:
        return self._ask(path, self._fact)


class Answers:
    """The facts of a project and of the things in it.

    *of_module* answers for one module: ``None`` when it is not there or does not parse.
    """

    def __init__(self, of_module: Callable[[str, type[Any]], Any]) -> None:
        self._of_module = of_module
        self._known: dict[tuple[type, int], Any] = {}
        self._kept: list[object] = []
        self._lookups: dict[type, Lookup[Any]] = {}

    def per_module(self, fact: type[F]) -> PerModule[F]:
        """The fact of every module."""
        if fact not in self._lookups:
            self._lookups[fact] = Lookup(fact, self._of_module)
        return self._lookups[fact]

    def wanted(self, annotation: Any, things: Mapping[type, Any]) -> Any:
        """What a parameter with *annotation* gets, *things* being the subject and what surrounds it."""
        if annotation in things:
            return things[annotation]
        if (fact := _of_each_module(annotation)) is not None:
            return self.per_module(fact)
        scope = scope_of(annotation)
        if scope is Module:
            return self._of_module(things[Module].path, annotation)
        thing = things[scope]
        key = (annotation, id(thing))
        if key not in self._known:
            arguments = [self.wanted(each, things) for each in fact_wants(annotation).values()]
            self._known[key] = annotation.of(*arguments)
            self._kept.append(thing)  # an id is only unique while its object lives
        return self._known[key]

    def forget(self, thing: object, *, but: type) -> None:
        """Let the facts of *thing* go, except one; whoever asks has them worked out anew."""
        for key in [key for key in self._known if key[1] == id(thing) and key[0] is not but]:
            del self._known[key]


@cache
def _of_each_module(annotation: Any) -> type[Any] | None:
    """The fact that *annotation* wants of every module; ``None`` when it wants something else."""
    fact: type[Any] | None = get_args(annotation)[0] if get_origin(annotation) is PerModule else None
    return fact


def things_around(project: Project, *things: object) -> dict[type, Any]:
    """A mapping of type to thing, for ``Answers.wanted``."""
    return {type(thing): thing for thing in (project, *things)}
