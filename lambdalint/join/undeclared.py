"""Functions that no template declares: named by the configuration, told by a library, or by their signature.

Nothing is known of them but their code: every setting that nobody states is ``Unknown``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lambdalint.aws.handlers import (
    event_marks,
    is_called_in_handlers,
    is_called_like_a_handler,
    is_for_lambda,
    is_foreign_decorator,
    is_foreign_module,
    is_foreign_name,
    is_of_aws,
    makes_handler,
    may_hold_handler,
    stands_over_handlers,
    takes_event_and_context,
)
from lambdalint.errors import UnreadableInput
from lambdalint.facts.expressions import CallOf, Name, walk
from lambdalint.facts.imports import Imports
from lambdalint.facts.outline import Outline
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.symbols import Definition, Symbol, Symbols
from lambdalint.join.code import load_code, vendored_names
from lambdalint.join.inputs import StatedFunction
from lambdalint.join.properties import Hidden
from lambdalint.join.resource_types import FUNCTION
from lambdalint.join.roots import outermost
from lambdalint.model.function import Code, CodeKind, Evidence, Function, Handling
from lambdalint.model.places import Span
from lambdalint.model.template import Dialect, Resource
from lambdalint.model.values import Known, Unknown, Value
from lambdalint.readers.tree import Tree

#: More handlers than any repository has; what comes after them is not looked at.
MAX_FOUND: Final = 2_000

_NOBODY: Final = "no template declares it"
_MAX_MODULE_BYTES: Final = 1024 * 1024
_MAX_DOCUMENT_BYTES: Final = 1024 * 1024
_MAX_DOCUMENTS: Final = 50
_DOCUMENTS: Final = (".yaml", ".yml", ".json")
_RUNS_SCRIPTS: Final = b"executeScript"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of every module."""

    symbols: PerModule[Symbols]
    imports: PerModule[Imports]
    outlines: PerModule[Outline]


@dataclass(frozen=True, slots=True)
class _Found:
    """A handler: its module, its name, where it stands, and how it was found."""

    path: str
    symbol: str
    span: Span
    evidence: Evidence


def stated_functions(tree: Tree, stated: Sequence[StatedFunction], facts: Facts) -> Iterator[Function]:
    """The functions that the configuration names."""
    for each in stated:
        roots = _roots(tree, each.path) if each.root is None else (each.root,)
        found = _Found(each.path, each.symbol, each.span, Evidence.CONFIGURATION)
        bare = _function(found, roots)
        architectures = None if each.architecture is None else (Known(each.architecture, each.span),)
        yield _loaded(
            replace(
                bare,
                name=each.name or bare.name,
                runtime=_stated(each.runtime, bare.runtime, each.span),
                architectures=_stated(architectures, bare.architectures, each.span),
                memory_mb=_stated(each.memory_mb, bare.memory_mb, each.span),
                timeout_s=_stated(each.timeout_s, bare.timeout_s, each.span),
            ),
            tree,
            roots,
            facts,
        )


def found_functions(tree: Tree, modules: Sequence[str], declared: Sequence[Function], facts: Facts) -> list[Function]:
    """The functions whose handlers stand in *modules*, and which none of *declared* reaches."""
    reached = {path for each in declared for path in (*each.modules.values(), each.target.path, each.target.scope_path)}
    copies, vendored = _Copies(tree, filter(None, reached)), _Vendored(tree)
    functions: list[Function] = []
    for path in modules:
        if path in reached or "." in _stem(path) or tree.size(path) > _MAX_MODULE_BYTES:
            continue
        try:
            data = tree.read(path)
        except UnreadableInput:
            continue
        if not may_hold_handler(data) or copies.has(path, data) or vendored.holds(path):
            continue
        for found in _handlers(tree, path, facts, event_marks().search(data) is not None):
            roots = _roots(tree, path)
            function = _loaded(_function(found, roots), tree, roots, facts)
            if function.target.state is Handling.RESOLVED:
                functions.append(function)
        if len(functions) >= MAX_FOUND:
            break
    return _outermost(functions[:MAX_FOUND])


def _handlers(tree: Tree, path: str, facts: Facts, reads_events: bool) -> Iterator[_Found]:
    symbols, imports, outline = facts.symbols.get(path), facts.imports.get(path), facts.outlines.get(path)
    if symbols is None or imports is None or outline is None:
        return
    imported = [each.module if each.name is None else f"{each.module}.{each.name}" for each in imports.imports]
    if any(map(is_foreign_module, imported)):
        return
    for_lambda, of_aws = any(map(is_for_lambda, imported)), reads_events or any(map(is_of_aws, imported))
    wrapped: set[str] = set()
    candidates: list[_Found] = []
    for name, bindings in symbols.symbols.items():
        symbol = bindings[-1]
        if symbol.conditional or name.startswith("_"):
            continue
        if symbol.definition is None:
            if isinstance(symbol.value, CallOf) and makes_handler(symbol.value.name or ""):
                wrapped.update(part.name for part in walk(symbol.value) if isinstance(part, Name))
                yield _Found(path, name, symbol.span, Evidence.FRAMEWORK)
        elif _is_told(symbol.definition, outline):
            candidates.append(_Found(path, name, symbol.span, Evidence.FRAMEWORK))
        elif _is_signed(symbol, symbol.definition) and (of_aws or is_called_like_a_handler(name)):
            evidence = Evidence.FRAMEWORK if for_lambda else Evidence.SIGNATURE
            candidates.append(_Found(path, name, symbol.span, evidence))
    for found in candidates:
        # What other code of the module calls, or wraps, is not what Lambda calls.
        own = f":{found.symbol}"
        called = any(own in names for scope, names in outline.calls.items() if scope != found.symbol)
        if not called and own not in wrapped and not _is_script(tree, found):
            yield found


def _is_told(definition: Definition, outline: Outline) -> bool:
    """Whether a library that is there for Lambda's sake says that this is a handler."""
    if definition.is_generator:
        return False
    if any(decorator is not None and stands_over_handlers(decorator) for decorator in definition.decorators):
        return True
    called = outline.calls.get(definition.scope, {})
    return len(definition.parameters) == 2 and any(map(is_called_in_handlers, called))


def _is_signed(symbol: Symbol, definition: Definition) -> bool:
    """Whether a function looks like a handler by the names of its parameters."""
    return (
        not definition.is_deferred
        and takes_event_and_context(definition.parameters[:2])
        and definition.signature.takes(2)
        and not is_foreign_name(symbol.name)
        and not any(decorator is not None and is_foreign_decorator(decorator) for decorator in definition.decorators)
    )


def _is_script(tree: Tree, found: _Found) -> bool:
    """Whether a document of Systems Manager beside the module runs it."""
    folder = _folder(found.path)
    words = (found.symbol.encode(), _stem(found.path).encode())
    for place in dict.fromkeys((folder, _folder(folder))):
        documents = [_below(place, name) for name in tree.names(place) if name.endswith(_DOCUMENTS)]
        for path in documents[:_MAX_DOCUMENTS]:
            if tree.is_file(path) and tree.size(path) <= _MAX_DOCUMENT_BYTES:
                try:
                    data = tree.read(path)
                except UnreadableInput:
                    continue
                if _RUNS_SCRIPTS in data and any(word in data for word in words):
                    return True
    return False


def _outermost(functions: list[Function]) -> list[Function]:
    """*functions* without those of whose handler nothing but its signature is known, and which another one loads."""
    signed = {each.handler_path or "" for each in functions if each.evidence is Evidence.SIGNATURE}
    loads = {each.handler_path or "": signed & set(each.modules.values()) for each in functions}
    kept = set(outermost(loads))
    return [each for each in functions if each.evidence is not Evidence.SIGNATURE or each.handler_path in kept]


class _Copies:
    """The modules that declared functions load: those in archives, or where a tool puts them, are copies of others."""

    def __init__(self, tree: Tree, paths: Iterable[str]) -> None:
        self._tree = tree
        self._paths: dict[str, list[str]] = {}
        for path in paths:
            self._paths.setdefault(_stem(path), []).append(path)

    def has(self, path: str, data: bytes) -> bool:
        """Whether one of them has the name of the module at *path*, and its *data*."""
        others = self._paths.get(_stem(path), ())
        return any(self._tree.size(other) == len(data) and self._read(other) == data for other in others)

    def _read(self, path: str) -> bytes | None:
        try:
            return self._tree.read(path)
        except UnreadableInput:
            return None


class _Vendored:
    """Which modules belong to distributions that are installed into a folder of the project."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._names: dict[str, frozenset[str]] = {}

    def holds(self, path: str) -> bool:
        parts = path.split("/")
        return any(
            parts[depth].removesuffix(".py") in self._claimed("/".join(parts[:depth])) for depth in range(len(parts))
        )

    def _claimed(self, folder: str) -> frozenset[str]:
        if folder not in self._names:
            self._names[folder] = vendored_names(self._tree, folder)
        return self._names[folder]


def _function(found: _Found, roots: tuple[str, ...]) -> Function:
    """The function with that handler, of which nothing is known but the code."""
    at = found.span
    hidden: Value[Any] = Unknown(_NOBODY, at)
    name = f"{found.path}:{found.symbol}"
    module = found.path.removeprefix(f"{roots[0]}/" if roots[0] else "").removesuffix(".py").removesuffix("/__init__")
    return Function(
        name=name,
        span=at,
        template=None,
        dialect=Dialect.NONE,
        resource=Resource(name, FUNCTION, Hidden(_NOBODY, at), at, at),
        runtime=hidden,
        handler=Known(
            f"{module.replace('/', '.')}.{found.symbol}", at, stated=found.evidence is Evidence.CONFIGURATION
        ),
        memory_mb=hidden,
        timeout_s=hidden,
        ephemeral_mb=hidden,
        architectures=hidden,
        env=hidden,
        layers=hidden,
        network=Unknown(_NOBODY, at),
        role=Unknown(_NOBODY, at),
        code=Code(CodeKind.FOLDER, at, roots[0], roots[0], picked=True, more_roots=roots[1:]),
        triggers_complete=False,
        layers_complete=False,
        evidence=found.evidence,
    )


def _stated(value: Any, otherwise: Value[Any] | None, span: Span) -> Value[Any] | None:
    return otherwise if value is None else Known(value, span)


def _loaded(function: Function, tree: Tree, roots: tuple[str, ...], facts: Facts) -> Function:
    return load_code(tree, function, facts.symbols, facts.imports, roots)


def _roots(tree: Tree, path: str) -> tuple[str, ...]:
    """The folders from which the module at *path* may be imported, the likeliest first.

    That is the folder around its packages, then its own, as of a module whose package nobody imports, then those above.
    """
    own = _folder(path)
    outer = own
    while outer and tree.is_file(f"{outer}/__init__.py"):
        outer = _folder(outer)
    above = []
    folder = outer
    while folder:
        folder = _folder(folder)
        above.append(folder)
    return tuple(dict.fromkeys((outer, own, *above)))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
