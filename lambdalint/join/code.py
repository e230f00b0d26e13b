"""From a handler string to the callable that it names, and to the project's modules that importing it loads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from lambdalint.aws.decorators import made_while_packaging, original_handler_variable
from lambdalint.aws.environment import wrapper_name
from lambdalint.aws.images import starts_web_server
from lambdalint.errors import UnreadableInput
from lambdalint.facts.expressions import CallOf, Either, Expression, Name, qualified_name
from lambdalint.facts.imports import Import, Imports
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.symbols import Symbol, SymbolKind, Symbols
from lambdalint.model.function import Code, CodeKind, Function, Handler, Handling
from lambdalint.model.template import Dialect
from lambdalint.model.values import Known
from lambdalint.readers.tree import Tree

_PLACEHOLDERS: Final = ("{{", "${", "<%")
_IDENTIFIER: Final = re.compile(r"[^\W\d]\w*")
_MAX_MODULES: Final = 4000
_MAX_HOPS: Final = 12
_MAX_PARTS: Final = 100


def load_code(
    tree: Tree, function: Function, symbols: PerModule[Symbols], imports: PerModule[Imports], roots: tuple[str, ...]
) -> Function:
    """*function* with its handler looked up and its modules collected.

    *roots* are the folders of *tree* on the import path, in order; those that are no folder are skipped.  A handler
    that is looked up has ``target`` in one of the states of ``Handling``; without code to look at it is unjudged.
    """
    code = function.code
    match function.handler:
        case Known(str() as handler):
            pass
        case None:
            return _unjudged(function, "no handler is stated")
        case _:
            return _unjudged(function, "the handler is not known")
    kind = None if code is None else code.kind
    hidden = kind is CodeKind.IMAGE and code is not None and code.root is None
    if code is None or hidden or kind in (CodeKind.REMOTE, CodeKind.MISSING):
        return _unjudged(function, "there is no code to look at")
    if _starts_web_server(function):
        return _unjudged(function, "the Lambda Web Adapter starts a server")
    finder = _finder(tree, code, roots)
    if finder is None:
        return _unjudged(function, "there is no code to look at")
    real = _real_handler(function, handler)
    if isinstance(real, Handler):
        return replace(function, target=real)
    target = _Lookup(finder, symbols).handler(real, function)
    if target.state is Handling.NO_MODULE and not function.layers_complete:
        target = Handler(Handling.UNJUDGED, reason="the module may come from a layer that is not in the project")
    if target.state is Handling.NO_MODULE and function.container and not function.container.is_complete:
        target = Handler(Handling.UNJUDGED, reason="the module may come from a step of the image's build")
    start = real.rpartition(".")[0].replace("/", ".")
    modules = _closure(finder, start, imports) if target.path is not None else {}
    resolved = target.path if target.state is Handling.RESOLVED else None
    return replace(function, target=target, handler_path=resolved, modules=modules)


def _unjudged(function: Function, reason: str) -> Function:
    return replace(function, target=Handler(Handling.UNJUDGED, reason=reason))


def _starts_web_server(function: Function) -> bool:
    match function.env:
        case Known(Mapping() as variables):
            wrapper = variables.get(wrapper_name())
            return isinstance(wrapper, Known) and starts_web_server(str(wrapper.value))
        case _:
            return False


def _real_handler(function: Function, handler: str) -> str | Handler:
    """The handler that is called in the end; a verdict where that cannot be told or is plain."""
    variable = original_handler_variable(handler)
    if variable is None:
        return handler
    match function.env:
        case Known(Mapping() as settings):
            pass
        case None:
            settings = {}
        case _:
            return Handler(Handling.UNJUDGED, reason=f"{variable} is not known")
    container = function.container
    if variable not in settings and container is not None:
        if container.variables is None or container.variables.get(variable, "") is None:
            return Handler(Handling.UNJUDGED, reason=f"{variable} is not known")
        if real := container.variables.get(variable):
            return real
    match settings.get(variable):
        case Known(str() as real):
            return real
        case None if isinstance(function.env, Known) or function.env is None:
            return Handler(Handling.NO_SYMBOL, symbol=variable, reason=f"{variable} is not set")
        case _:
            return Handler(Handling.UNJUDGED, reason=f"{variable} is not known")


class _Finder:
    """Finds the project's modules as Python's import would, in exactly their spelling."""

    def __init__(self, tree: Tree, roots: tuple[str, ...]) -> None:
        self.tree = tree
        self.roots = tuple(root.strip("/") for root in roots if tree.is_folder(root.strip("/")))
        self._vendored = {root: vendored_names(tree, root) for root in self.roots}
        self._found: dict[str, str | None] = {}

    def find(self, dotted: str) -> str | None:
        """The file of a module; ``None`` when there is none, or only a folder."""
        if dotted not in self._found:
            self._found[dotted] = self._find(dotted)
        return self._found[dotted]

    def _find(self, dotted: str) -> str | None:
        parts = dotted.split(".")
        if not all(parts):
            return None
        for root in self.roots:
            # A regular package or module takes its whole name; only namespace packages spread over several roots.
            base = f"{root}/" if root else ""
            first = base + parts[0]
            if self.tree.is_file(f"{first}/__init__.py"):
                return self._below(root, parts)
            if self.tree.is_file(f"{first}.py"):
                return f"{first}.py" if len(parts) == 1 else None
            if self.tree.is_folder(first):
                found = self._below(root, parts)
                if found is not None:
                    return found
        return None

    def _below(self, root: str, parts: list[str]) -> str | None:
        path = "/".join((root, *parts)) if root else "/".join(parts)
        if self.tree.is_file(f"{path}/__init__.py"):
            return f"{path}/__init__.py"
        return f"{path}.py" if self.tree.is_file(f"{path}.py") else None

    def is_vendored(self, dotted: str) -> bool:
        """Whether a distribution installed beside the code claims the module's first part."""
        first = dotted.partition(".")[0]
        return any(first in claimed for claimed in self._vendored.values())


class _Inline(_Finder):
    """Inline code is one module: ``index`` for CloudFormation, by its file's name for what packs text."""

    def __init__(self, tree: Tree, path: str) -> None:
        super().__init__(tree, ())
        self.path = path
        self.name = path.rpartition("/")[2].removesuffix(".py") if path.endswith(".py") else "index"

    def _find(self, dotted: str) -> str | None:
        return self.path if dotted == self.name else None


def _finder(tree: Tree, code: Code, roots: tuple[str, ...]) -> _Finder | None:
    if code.kind is CodeKind.INLINE:
        return None if code.path is None else _Inline(tree, code.path)
    finder = _Finder(tree, roots)
    return finder if finder.roots and all(_is_open(tree, root) for root in finder.roots) else None


def _is_open(tree: Tree, folder: str) -> bool:
    try:
        tree.check_open(folder)
    except UnreadableInput:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Looks a handler up as Lambda's runtime client does: import the module, then get the name."""

    finder: _Finder
    symbols: PerModule[Symbols]

    def handler(self, handler: str, function: Function) -> Handler:
        """What the handler string names."""
        if any(mark in handler for mark in _PLACEHOLDERS) or handler.startswith("__"):
            return Handler(Handling.UNJUDGED, reason="the handler is a placeholder")
        if handler.endswith(".sh") or " " in handler.strip():
            return Handler(Handling.UNJUDGED, reason="the handler is a program")
        # Chalice's app stands in the project; what is made of it is made by Chalice's own package.
        beside = None if function.dialect is Dialect.CHALICE else made_while_packaging(handler)
        if beside is not None and (not beside or self._lies_beside(beside)):
            return Handler(Handling.UNJUDGED, reason="the handler is made while packaging")
        module, dot, symbol = handler.rpartition(".")
        dotted = module.replace("/", ".")
        if not dot:
            return Handler(Handling.NO_MODULE, symbol=symbol, reason="the handler has no dot")
        path = self.finder.find(dotted)
        if path is None:
            if self.finder.is_vendored(dotted):
                return Handler(Handling.UNJUDGED, reason=f"{dotted} is a module of a dependency")
            return Handler(Handling.NO_MODULE, symbol=symbol)
        found = self.symbols.get(path)
        if found is None:
            return Handler(Handling.UNJUDGED, path=path, symbol=symbol, reason="the module cannot be parsed")
        return self._symbol(path, dotted, symbol, found)

    def _lies_beside(self, name: str) -> bool:
        tree = self.finder.tree
        for root in self.finder.roots:
            path = f"{root}/{name}" if root else name
            if tree.is_file(path) or tree.is_folder(path):
                return True
        return False

    def _symbol(self, path: str, dotted: str, symbol: str, symbols: Symbols) -> Handler:
        names = symbols.callables()
        if symbol not in symbols.symbols:
            if self.finder.find(f"{dotted}.{symbol}") is not None and path.endswith("__init__.py"):
                # A submodule is an attribute of its package only once something imports it.
                return Handler(Handling.UNJUDGED, path, symbol, names=names, reason=f"{symbol} is a submodule")
            if symbols.has_getattr:
                return Handler(Handling.UNJUDGED, path, symbol, names=names, reason="the module has __getattr__")
            from_stars = self._from_stars(path, dotted, symbol, symbols, 0)
            if from_stars is not None:
                return replace(from_stars, path=path, symbol=symbol, names=names)
            return Handler(Handling.NO_SYMBOL, path, symbol, names=names)
        found = self._binding(path, dotted, symbol, 0)
        return replace(found, path=path, symbol=symbol, names=names)

    def _from_stars(self, path: str, dotted: str, symbol: str, symbols: Symbols, hops: int) -> Handler | None:
        """The name out of a star import; unjudged when one cannot be followed, ``None`` when none has it."""
        lost = False
        for star in symbols.stars:
            module = _absolute(path, dotted, star.rstrip(".") if star.strip(".") else star)
            target = None if module is None else self.finder.find(module)
            inside = None if target is None else self.symbols.get(target)
            if module is None or target is None or inside is None or inside.has_getattr or hops > _MAX_HOPS:
                lost = True
                continue
            exported = inside.exported
            if (
                symbol in inside.symbols
                and (exported is None or symbol in exported)
                and (exported is not None or not symbol.startswith("_"))
            ):
                return self._binding(target, module, symbol, hops + 1)
            deeper = self._from_stars(target, module, symbol, inside, hops + 1)
            if deeper is not None:
                if deeper.state is not Handling.UNJUDGED:
                    return deeper
                lost = True
        return Handler(Handling.UNJUDGED, reason="a star import cannot be followed") if lost else None

    def _binding(self, path: str, dotted: str, symbol: str, hops: int) -> Handler:
        """What a bound name is in the end."""
        symbols = self.symbols.get(path)
        if symbols is None or hops > _MAX_HOPS:
            return Handler(Handling.RESOLVED)
        bindings = [each for each in symbols.symbols[symbol] if not _is_placeholder(each)] or [*symbols.symbols[symbol]]
        if all(each.kind is SymbolKind.CONSTANT for each in bindings):
            return Handler(Handling.NOT_CALLABLE)
        found = [self._value(path, dotted, each.value, hops) for each in bindings]
        # The last binding runs, unless it is one of several branches.
        last = found[-1]
        if all(each.scope == last.scope and each.scope_path == last.scope_path for each in found):
            return last
        if not bindings[-1].conditional and bindings[-1].kind is not SymbolKind.UNKNOWN:
            return last
        return Handler(Handling.RESOLVED)

    def _value(self, path: str, dotted: str, value: Expression, hops: int) -> Handler:
        symbols = self.symbols.get(path)
        if symbols is None or hops > _MAX_HOPS:
            return Handler(Handling.RESOLVED)
        match value:
            case Name(name) if name.startswith(":"):
                return self._own(path, dotted, name[1:], symbols, hops)
            case Name(name):
                return self._elsewhere(path, dotted, name, hops)
            case CallOf(name, args, keywords):
                if name is not None and name.startswith(":") and name[1:] in symbols.classes:
                    method = symbols.method(name[1:], "__call__")
                    return _at(path, method) if method is not None else Handler(Handling.RESOLVED)
                for argument in (*args, *keywords.values()):
                    inner = self._value(path, dotted, argument, hops + 1) if _is_code(argument) else None
                    if inner is not None and inner.scope is not None:
                        return inner
                return Handler(Handling.RESOLVED)
            case Either(options):
                found = [self._value(path, dotted, each, hops + 1) for each in options]
                return found[0] if len({each.scope for each in found}) == 1 else Handler(Handling.RESOLVED)
            case _:
                return Handler(Handling.RESOLVED)

    def _own(self, path: str, dotted: str, name: str, symbols: Symbols, hops: int) -> Handler:
        if name in symbols.definitions:
            return _at(path, name)
        if name in symbols.classes:
            return Handler(Handling.RESOLVED)
        return self._binding(path, dotted, name, hops + 1) if name in symbols.symbols else Handler(Handling.RESOLVED)

    def _elsewhere(self, path: str, dotted: str, name: str, hops: int) -> Handler:
        """Follow an import; what is not the project's is taken to be callable."""
        absolute = _absolute(path, dotted, name)
        if absolute is None:
            return Handler(Handling.RESOLVED)
        module, _, symbol = absolute.rpartition(".")
        parts = module.split(".")
        rest = [symbol]
        while parts and parts[0]:
            found = self.finder.find(".".join(parts))
            if found is not None:
                break
            rest.insert(0, parts.pop())
        else:
            if self.finder.find(absolute) is not None:
                return Handler(Handling.NOT_CALLABLE)
            return Handler(Handling.RESOLVED)
        inside = self.symbols.get(found)
        here = ".".join(parts)
        if inside is None:
            return Handler(Handling.RESOLVED)
        if len(rest) == 1 and rest[0] in inside.symbols:
            return self._binding(found, here, rest[0], hops + 1)
        if len(rest) == 1 and self.finder.find(absolute) is not None:
            return Handler(Handling.NOT_CALLABLE)
        if len(rest) == 1:
            return self._from_stars(found, here, rest[0], inside, hops + 1) or Handler(Handling.RESOLVED)
        first = inside.values.get(rest[0])
        known = None if first is None else qualified_name(first)
        if known is not None and known.endswith("()") and len(rest) == 2 and known[1:-2] in inside.classes:
            method = inside.method(known[1:-2], rest[1])
            return _at(found, method) if method is not None else Handler(Handling.RESOLVED)
        whole = ".".join(rest)
        return _at(found, whole) if whole in inside.definitions else Handler(Handling.RESOLVED)


def _at(path: str, scope: str) -> Handler:
    return Handler(Handling.RESOLVED, scope_path=path, scope=scope)


def _is_placeholder(symbol: Symbol) -> bool:
    """``handler = None`` before the real binding."""
    return symbol.kind is SymbolKind.CONSTANT and symbol.conditional is False and qualified_name(symbol.value) is None


def _is_code(expression: Expression) -> bool:
    return isinstance(expression, Name | CallOf | Either)


def _absolute(path: str, dotted: str, name: str) -> str | None:
    """*name* as imported in the module *dotted*, with leading dots made a package."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    package = dotted.split(".")
    if path.endswith("__init__.py"):
        level -= 1
    if level >= len(package) + 1:
        return None
    return ".".join(part for part in (*package[: len(package) - level], name.lstrip(".")) if part)


def _closure(finder: _Finder, start: str, imports: PerModule[Imports]) -> dict[str, str]:
    """The project's modules that importing *start* can load, by dotted name."""
    modules: dict[str, str] = {}
    waiting: list[tuple[str, str]] = []

    def load(dotted: str) -> None:
        parts = dotted.split(".")
        if finder.is_vendored(dotted) or len(parts) > _MAX_PARTS:
            return
        for number in range(1, len(parts) + 1):
            name = ".".join(parts[:number])
            found = None if name in modules else finder.find(name)
            if found is not None and len(modules) < _MAX_MODULES:
                modules[name] = found
                waiting.append((name, found))

    load(start)
    while waiting:
        dotted, path = waiting.pop()
        found = imports.get(path)
        for each in found.imports if found is not None else ():
            for name in _wanted(each, dotted, path):
                load(name)
    return modules


def _wanted(each: Import, dotted: str, path: str) -> tuple[str, ...]:
    base = _absolute(path, dotted, "." * each.level + each.module)
    if not base:
        return (each.name,) if base == "" and each.name not in (None, "*") and each.name else ()
    return (base,) if each.name in (None, "*") else (base, f"{base}.{each.name}")


def vendored_names(tree: Tree, root: str) -> frozenset[str]:
    """The top-level names in *root* that distributions installed into it claim."""
    claimed: set[str] = set()
    for name in tree.names(root):
        if not name.endswith((".dist-info", ".egg-info")):
            continue
        folder = f"{root}/{name}" if root else name
        top_level, record = f"{folder}/top_level.txt", f"{folder}/RECORD"
        if tree.is_file(top_level):
            claimed.update(_text(tree, top_level).split())
        elif tree.is_file(record):
            for line in _text(tree, record).splitlines():
                first = line.partition(",")[0].partition("/")[0]
                claimed.add(first.removesuffix(".py"))
        else:
            claimed.add(re.sub(r"[-_.]+", "_", name.partition("-")[0]).lower())
    return frozenset(claimed)


def _text(tree: Tree, path: str) -> str:
    """The text of a file; nothing when it cannot be read: then it claims nothing."""
    try:
        return tree.read(path).decode(errors="replace")
    except UnreadableInput:
        return ""
