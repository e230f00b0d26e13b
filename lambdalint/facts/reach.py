"""Which code of the project runs when Lambda imports the handler, which when it calls it."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from lambdalint.facts.expressions import Collection, Name, Parameter, qualified_name, walk
from lambdalint.facts.imports import Import, Imports
from lambdalint.facts.outline import Outline
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.project_names import ProjectNames, Resolved
from lambdalint.facts.symbols import Symbols
from lambdalint.model.finding import Related
from lambdalint.model.function import Function, Handling
from lambdalint.model.places import Span

#: A file and the qualified name of a scope in it, ``""`` for the module's own code.
At: TypeAlias = tuple[str, str]

_CONSTRUCTORS: Final = ("__new__", "__init__", "__post_init__")


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """The scopes that run at import (*init*) and per invocation (*invoke*); a scope may be in both.

    Both are empty for a function whose handler is not resolved.
    """

    init: frozenset[At] = frozenset()
    invoke: frozenset[At] = frozenset()
    _came_from: Mapping[tuple[str, At], tuple[At, Span, str]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, function: Function, outlines: PerModule[Outline], imports: PerModule[Imports], symbols: PerModule[Symbols]
    ) -> "Reach":
        target = function.target
        if target.state is not Handling.RESOLVED or target.path is None:
            return cls()
        return _Search(function, outlines, imports, symbols).reach()

    def phases(self, path: str, scope: str) -> tuple[str, ...]:
        """``"init"`` and ``"invoke"``, those in which the scope runs."""
        found = ((path, scope) in self.init, (path, scope) in self.invoke)
        return tuple(phase for phase, holds in zip(("init", "invoke"), found, strict=True) if holds)

    def way(self, path: str, scope: str, phase: str | None = None) -> tuple[Related, ...]:
        """The calls and imports that lead to a scope, from the handler on; empty for the handler itself.

        Without a *phase* the way of the invocation goes before that of the import.
        """
        at = (path, scope)
        if phase is None:
            phase = "invoke" if at in self.invoke else "init"
        steps: list[Related] = []
        while (phase, at) in self._came_from and len(steps) < 50:
            before, span, how = self._came_from[phase, at]
            steps.append(Related(span, f"{before[1] or 'module code'} {how}"))
            at = before
        return tuple(reversed(steps))


class _Search:
    def __init__(
        self,
        function: Function,
        outlines: PerModule[Outline],
        imports: PerModule[Imports],
        symbols: PerModule[Symbols],
    ) -> None:
        self.function = function
        self.outlines = outlines
        self.imports = imports
        self.symbols = symbols
        self.names = ProjectNames(function.modules, symbols)
        self.found: dict[str, set[At]] = {"init": set(), "invoke": set()}
        self.came_from: dict[tuple[str, At], tuple[At, Span, str]] = {}
        self.waiting: deque[tuple[str, At]] = deque()

    def reach(self) -> Reach:
        target = self.function.target
        assert target.path is not None
        module = (target.path, "")
        for package in self._packages(target.path):
            self._reached("init", (package, ""), None)
        self._reached("init", module, None)
        if target.scope_path is not None and target.scope is not None:
            self._reached("invoke", (target.scope_path, target.scope), None)
        self._drain()
        if target.symbol is not None:
            symbols = self.symbols.get(target.path)
            value = None if symbols is None else symbols.values.get(target.symbol)
            if value is not None:
                for part in walk(value):
                    name = part.name if isinstance(part, Name) else qualified_name(part)
                    if name is not None:
                        self._follow("invoke", module, name, Span.whole(target.path), called=True)
        self._drain()
        # What is registered with an object may be called through it; new code may load new modules that register more.
        looked: set[str] = set()
        while True:
            loaded = {path for phase in ("init", "invoke") for path, scope in self.found[phase] if not scope} - looked
            if not loaded:
                break
            for path in sorted(loaded):
                looked.add(path)
                self._registered(path)
            self._drain()
        return Reach(frozenset(self.found["init"]), frozenset(self.found["invoke"]), self.came_from)

    def _drain(self) -> None:
        while self.waiting:
            phase, at = self.waiting.popleft()
            self._visit(phase, at)

    def _reached(self, phase: str, at: At, by: tuple[At, Span, str] | None) -> None:
        if at in self.found[phase]:
            return
        self.found[phase].add(at)
        if by is not None:
            self.came_from[phase, at] = by
        self.waiting.append((phase, at))

    def _visit(self, phase: str, at: At) -> None:
        path, scope = at
        outline = self.outlines.get(path)
        if outline is None:
            return
        for name, lines in outline.calls.get(scope, {}).items():
            self._follow(phase, at, name, Span(path, *lines), called=True)
        if phase == "invoke":
            for name, lines in outline.mentions.get(scope, {}).items():
                self._follow(phase, at, name, Span(path, *lines), called=False)
        imports = self.imports.get(path)
        if imports is not None:
            for each in imports.imports:
                if each.scope == scope and not each.skipped:
                    self._load(phase, at, each)
        if phase == "invoke":
            self._decorators(at)

    def _follow(self, phase: str, at: At, name: str, span: Span, *, called: bool) -> None:
        resolved = self.names.resolve(at[0], name)
        if resolved is None or resolved.path is None or resolved.scope is None:
            return
        how = f"{'calls' if called else 'refers to'} {resolved.scope}"
        by = (at, span, how)
        if resolved.is_class or resolved.is_instance:
            # Mentioning a class, as ``except Missing`` does, makes no instance; an instance is used somehow.
            if resolved.is_class and called:
                self._methods(phase, resolved, _CONSTRUCTORS, by)
            if phase == "invoke" and (called or resolved.is_instance):
                self._methods(phase, resolved, self._specials(resolved), by)
            return
        self._reached(phase, (resolved.path, resolved.scope), by)

    def _methods(self, phase: str, owner: Resolved, methods: tuple[str, ...], by: tuple[At, Span, str]) -> None:
        assert owner.path is not None
        assert owner.scope is not None
        for method in methods:
            found = self.names.method(owner.path, owner.scope, method)
            if found is not None:
                self._reached(phase, found, by)

    def _specials(self, owner: Resolved) -> tuple[str, ...]:
        """The special methods of a class and its bases but for the constructors: the language calls them."""
        found: dict[str, None] = {}
        waiting = [(owner.path, owner.scope)]
        while waiting and len(found) < 200:
            path, scope = waiting.pop()
            if path is None or scope is None:
                continue
            each = self.names.class_at(path, scope)
            if each is None:
                continue
            found |= dict.fromkeys(name for name in each.methods if name.startswith("__") and name.endswith("__"))
            for base in each.bases:
                resolved = None if base is None else self.names.resolve(path, base)
                if resolved is not None and resolved.is_class and (resolved.path, resolved.scope) != (path, scope):
                    waiting.append((resolved.path, resolved.scope))
        return tuple(name for name in found if name not in _CONSTRUCTORS)

    def _decorators(self, at: At) -> None:
        """A project's decorator leaves a function of its own around the one that is reached."""
        path, scope = at
        symbols = self.symbols.get(path)
        definition = None if symbols is None else symbols.definitions.get(scope)
        if definition is None:
            return
        for decorator in definition.decorators:
            resolved = None if decorator is None else self.names.resolve(path, decorator)
            if resolved is None or resolved.path is None or resolved.scope is None:
                continue
            by = (at, definition.span, f"is wrapped by {resolved.scope}")
            if resolved.is_class or resolved.is_instance:
                self._methods("invoke", resolved, self._specials(resolved), by)
                continue
            inside = self.symbols.get(resolved.path)
            for name in inside.definitions if inside is not None else ():
                if name.startswith(f"{resolved.scope}."):
                    self._reached("invoke", (resolved.path, name), by)

    def _registered(self, path: str) -> None:
        """Functions that a loaded module hands to an object: routes, resolvers, callbacks."""
        symbols, outline = self.symbols.get(path), self.outlines.get(path)
        at = (path, "")
        if symbols is not None:
            for scope, definition in symbols.definitions.items():
                for decorator in definition.decorators:
                    resolved = None if decorator is None else self.names.resolve(path, decorator)
                    if resolved is not None and (self._is_of_object(resolved) or self._keeps(resolved)):
                        self._reached("invoke", (path, scope), (at, definition.span, f"registers {scope}"))
        if outline is not None:
            for name, lines in outline.registered.items():
                self._follow("invoke", at, name, Span(path, *lines), called=True)

    def _is_of_object(self, decorator: Resolved) -> bool:
        """Whether it is the method of an object, which may keep what it decorates: ``@app.get("/orders")``."""
        if decorator.path is None or decorator.scope is None:
            return "()" in decorator.name.replace("(", "()(", 1)
        owner = decorator.scope.rpartition(".")[0]
        return not decorator.is_class and bool(owner) and self.names.class_at(decorator.path, owner) is not None

    def _keeps(self, decorator: Resolved) -> bool:
        """Whether it is a function of the project that puts what it decorates into a variable of its module.

        Parameters are told apart by their names alone.
        """
        symbols = None if decorator.path is None else self.symbols.get(decorator.path)
        if symbols is None or decorator.scope not in symbols.definitions:
            return False
        own = {
            parameter
            for scope, definition in symbols.definitions.items()
            if f"{scope}.".startswith(f"{decorator.scope}.")
            for parameter in definition.parameters
        }
        return any(
            isinstance(value, Collection)
            and any(isinstance(each, Parameter) and each.name in own for each in value.items)
            for value in symbols.values.values()
        )

    def _load(self, phase: str, at: At, each: Import) -> None:
        for dotted, path in self.imported(at[0], each):
            if phase == "invoke" and (path, "") in self.found["init"]:
                continue
            self._reached(phase, (path, ""), (at, each.span, f"imports {dotted}"))

    def imported(self, path: str, each: Import) -> Iterator[tuple[str, str]]:
        """The project's modules that an import statement loads, the packages around them included."""
        base = self.names.absolute(path, "." * each.level + each.module)
        if base is None:
            return
        parts = base.split(".") if base else []
        wanted = [".".join(parts[: number + 1]) for number in range(len(parts))]
        if each.name not in (None, "*"):
            wanted.append(".".join((*parts, str(each.name))))
        for dotted in wanted:
            found = self.names.module(dotted)
            if found is not None:
                yield dotted, found

    def _packages(self, path: str) -> Iterator[str]:
        parts = self.names.dotted(path).split(".")
        for number in range(1, len(parts)):
            found = self.names.module(".".join(parts[:number]))
            if found is not None and found != path:
                yield found
