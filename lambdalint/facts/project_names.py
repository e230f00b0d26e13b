"""Names followed through the project's own modules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.expressions import Collection, Expression, qualified_name
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.symbols import Class, Symbols

_MAX_STEPS: Final = 24


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a name leads.

    *name* is absolute: a project's own function is ``clients.get_table``, a thing from elsewhere as in its module's
    facts.  *path* and *scope* are set for a ``def``, lambda or class of the project (*is_class*), *path* alone for a
    module.
    """

    name: str
    path: str | None = None
    scope: str | None = None
    is_class: bool = False
    is_instance: bool = False


class ProjectNames:
    """Follows names from module to module: imports, re-exports, module variables, results, methods."""

    def __init__(self, modules: Mapping[str, str], symbols: PerModule[Symbols]) -> None:
        self._modules = modules
        self._symbols = symbols
        self._dotted: dict[str, str] = {}
        for dotted, path in modules.items():
            self._dotted.setdefault(path, dotted)
        self._known: dict[tuple[str, str], Resolved | None] = {}

    def dotted(self, path: str) -> str:
        """The module's name; the file's when it has none."""
        return self._dotted.get(path) or path.rpartition("/")[2].removesuffix(".py")

    def resolve(self, path: str, name: str) -> Resolved | None:
        """What *name*, as it stands in the facts of the module at *path*, is; ``None`` when the trail is lost."""
        key = (path, name)
        if key not in self._known:
            self._known[key] = self._resolve(path, name, 0)
        return self._known[key]

    def absolute(self, path: str, name: str) -> str | None:
        """A relative name made absolute; ``None`` when it leaves the top-level package."""
        level = len(name) - len(name.lstrip("."))
        if not level:
            return name
        package = self.dotted(path).split(".")
        if path.endswith("/__init__.py") or path == "__init__.py":
            level -= 1
        if level > len(package):
            return None
        base = package[: len(package) - level]
        return ".".join((*base, name.lstrip("."))).strip(".")

    def module(self, dotted: str) -> str | None:
        """The path of a project's module."""
        return self._modules.get(dotted)

    def _resolve(self, path: str, name: str, steps: int) -> Resolved | None:
        if steps > _MAX_STEPS or len(name) > 400:
            return None
        if name.startswith(":"):
            return self._inside(path, name[1:].split("."), steps)
        absolute = self.absolute(path, name)
        if absolute is None:
            return None
        tokens = absolute.split(".")
        for length in range(len(tokens), 0, -1):
            found = self._modules.get(".".join(tokens[:length]))
            if found is not None:
                if length == len(tokens):
                    return Resolved(absolute, found)
                return self._inside(found, tokens[length:], steps)
        return Resolved(absolute)

    def _inside(self, path: str, tokens: list[str], steps: int) -> Resolved | None:
        symbols = self._symbols.get(path)
        if symbols is None:
            return None
        whole = f"{self.dotted(path)}.{'.'.join(tokens)}"
        for length in range(len(tokens), 0, -1):
            qualified = ".".join(tokens[:length])
            bare = _uncalled(qualified)
            if bare is None:
                continue
            called = bare != qualified
            if bare in symbols.definitions:
                if not called:
                    return Resolved(whole, path, bare) if length == len(tokens) else Resolved(whole)
                return self._result(path, symbols.results.get(bare), tokens[length:], whole, steps)
            if bare in symbols.classes:
                return self._in_class(path, bare, called, tokens[length:], whole, steps)
        first = _uncalled(tokens[0])
        if first is not None and first in symbols.values:
            value = qualified_name(symbols.values[first])
            if value is None or value == f":{first}":
                return self._from_collection(path, symbols.values[first], whole)
            rest = tokens[0][len(first) :] + "".join(f".{token}" for token in tokens[1:])
            return self._resolve(path, value + rest, steps + 1)
        submodule = f"{self.dotted(path)}.{tokens[0]}"
        if submodule in self._modules:
            return self._resolve(path, whole, steps + 1)
        for star in symbols.stars:
            found = self._resolve(path, star + ".".join(tokens), steps + 1)
            if found is not None and (found.path is not None or len(symbols.stars) == 1):
                return found
        return None if symbols.stars or symbols.has_getattr else Resolved(whole)

    def _from_collection(self, path: str, value: Expression, whole: str) -> Resolved | None:
        return Resolved(whole) if isinstance(value, Collection) else None

    def _result(self, path: str, result: Expression | None, rest: list[str], whole: str, steps: int) -> Resolved | None:
        """What is called *rest* of the result of a project's function."""
        if not rest:
            return Resolved(whole) if result is None else self._value(path, result, "", steps) or Resolved(whole)
        if result is None:
            return Resolved(whole)
        return self._value(path, result, "".join(f".{token}" for token in rest), steps)

    def _value(self, path: str, value: Expression, rest: str, steps: int) -> Resolved | None:
        name = qualified_name(value)
        return None if name is None else self._resolve(path, name + rest, steps + 1)

    def _in_class(
        self, path: str, owner: str, called: bool, rest: list[str], whole: str, steps: int
    ) -> Resolved | None:
        if not rest:
            return Resolved(whole, path, owner, is_class=not called, is_instance=called)
        attribute = _uncalled(rest[0])
        if attribute is None:
            return None
        found = self._member(path, owner, attribute, steps)
        if found is None:
            return Resolved(whole)
        at, value = found
        tail = rest[0][len(attribute) :] + "".join(f".{token}" for token in rest[1:])
        if isinstance(value, str):
            if not tail:
                return Resolved(f"{self.dotted(at)}.{value}", at, value)
            return self._resolve(at, f":{value}{tail}", steps + 1)
        return self._value(at, value, tail, steps)

    def method(self, path: str, owner: str, name: str) -> tuple[str, str] | None:
        """The file and scope of a method of the class *owner* at *path* or of its bases in the project."""
        found = self._member(path, owner, name, 0)
        return (found[0], found[1]) if found is not None and isinstance(found[1], str) else None

    def class_at(self, path: str, owner: str) -> Class | None:
        """The class *owner* of the module at *path*."""
        symbols = self._symbols.get(path)
        return None if symbols is None else symbols.classes.get(owner)

    def _member(self, path: str, owner: str, name: str, steps: int) -> tuple[str, str | Expression] | None:
        """The qualified name of a method or the value of an attribute, and the file that it stands in."""
        waiting = [(path, owner)]
        seen: set[tuple[str, str]] = set()
        while waiting and len(seen) < _MAX_STEPS:
            at, qualified = waiting.pop(0)
            found = self.class_at(at, qualified)
            if found is None or (at, qualified) in seen:
                continue
            seen.add((at, qualified))
            if name in found.methods:
                return at, found.methods[name]
            if name in found.attributes:
                return at, found.attributes[name]
            for base in found.bases:
                resolved = None if base is None else self._resolve(at, base, steps + 1)
                if resolved is not None and resolved.is_class and resolved.path is not None and resolved.scope:
                    waiting.append((resolved.path, resolved.scope))
        return None


def _uncalled(token: str) -> str | None:
    """*token* without the call at its end; ``None`` when there is a call inside."""
    bare = token[: token.rindex("(")] if token.endswith(")") else token
    return None if "(" in bare else bare
