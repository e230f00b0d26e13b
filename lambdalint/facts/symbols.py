"""What a module binds at its top level, and how its functions can be called."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from lambdalint.aws.decorators import keeps_signature
from lambdalint.facts.expressions import CallOf, Collection, Either, Expression, Joined, Literal, Name, qualified_name
from lambdalint.facts.names import Names, imported_module
from lambdalint.facts.walk import Binding, Bound, Branch, Scope, ScopeKind
from lambdalint.model.places import Span

_PARTIALS: Final = ("functools.partial", "functools.partialmethod")


class SymbolKind(Enum):
    """What a top-level name is bound to."""

    DEF = "def"
    LAMBDA = "lambda"
    CLASS = "class"
    IMPORT = "import"
    CALL = "call"  # the result of a call: ``wrap(f)``, ``Mangum(app)``, ``Handler()``
    ALIAS = "alias"  # another name: ``handler = main``
    CONSTANT = "constant"  # a literal or a literal collection: not callable
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signature:
    """How many positional arguments a callable takes: at least *required*, at most *most* (``None``: any number).

    *keyword_only* are the keyword-only parameters without a default.
    """

    required: int
    most: int | None
    keyword_only: tuple[str, ...] = ()

    def takes(self, count: int) -> bool:
        """Whether it can be called with exactly *count* positional arguments."""
        return not self.keyword_only and self.required <= count and (self.most is None or count <= self.most)

    def without(self, count: int, keywords: tuple[str, ...] = ()) -> "Signature":
        """What is left when the first *count* arguments and *keywords* are given, as by ``functools.partial``."""
        return Signature(
            max(0, self.required - count),
            None if self.most is None else max(0, self.most - count),
            tuple(name for name in self.keyword_only if name not in keywords),
        )


@dataclass(frozen=True, slots=True)
class Definition:
    """A ``def`` or lambda anywhere in the module, by its qualified name *scope*.

    *signature* is the one written, ``self`` included.  *decorators* are qualified names, the outermost first, ``None``
    for one that has no name; the decorator of a call, ``@app.get("/")``, is named as what is called.
    """

    scope: str
    span: Span
    signature: Signature
    decorators: tuple[str | None, ...] = ()
    is_async: bool = False
    is_generator: bool = False
    is_lambda: bool = False
    is_method: bool = False
    parameters: tuple[str, ...] = ()

    @property
    def is_deferred(self) -> bool:
        """Whether calling it runs nothing yet: a coroutine function or a generator function."""
        return self.is_async or self.is_generator

    @property
    def keeps_signature(self) -> bool:
        """Whether every decorator is known to leave arguments and result alone."""
        return all(name is not None and keeps_signature(name) for name in self.decorators)


@dataclass(frozen=True, slots=True)
class Class:
    """A class anywhere in the module.

    *bases* are qualified names, ``None`` for one that has none.  *methods* map a name to the ``def``'s qualified name;
    *attributes* are set in the class body or on ``self`` in its methods.
    """

    scope: str
    span: Span
    bases: tuple[str | None, ...]
    methods: Mapping[str, str] = field(default_factory=dict, hash=False)
    attributes: Mapping[str, Expression] = field(default_factory=dict, hash=False)
    decorators: tuple[str | None, ...] = ()
    metaclass: str | None = None


@dataclass(frozen=True, slots=True)
class Symbol:
    """One binding of a top-level name.

    *value* says what it is bound to: for an import the ``Name`` of what is imported, for a ``def`` the ``Name`` with
    a colon, with its *definition*.  *conditional*: in a branch of an ``if`` or in ``except``.
    """

    name: str
    kind: SymbolKind
    span: Span
    value: Expression
    conditional: bool = False
    definition: Definition | None = None


@dataclass(frozen=True, slots=True)
class Symbols:
    """The top-level bindings of a module, each in the order of the text, and its definitions and classes.

    *stars* are the modules of star imports, as ``helpers.`` or ``.helpers.``, with the trailing dot.  *values* say
    what a name is after all its bindings are taken together.  *results* say what a ``def`` returns where that is one
    thing.  *exported* is ``__all__``, ``None`` when there is none.
    """

    symbols: Mapping[str, tuple[Symbol, ...]]
    definitions: Mapping[str, Definition]
    classes: Mapping[str, Class]
    values: Mapping[str, Expression]
    results: Mapping[str, Expression]
    stars: tuple[str, ...] = ()
    has_getattr: bool = False
    exported: frozenset[str] | None = None

    @classmethod
    def of(cls, names: Names) -> "Symbols":
        module = names.walk.module
        definitions = _definitions(names)
        symbols = {
            name: tuple(_symbol(names, name, each, definitions) for each in found)
            for name, found in module.bindings.items()
        }
        exported = names.bound(module, "__all__") if "__all__" in module.bindings else None
        classes = [scope for scope in names.walk.scopes if scope.kind is ScopeKind.CLASS]
        return cls(
            symbols=symbols,
            definitions={each.scope: each for each in definitions.values()},
            classes={scope.name: _class(names, scope) for scope in classes},
            values={name: names.bound(module, name) for name in module.bindings},
            results=_results(names),
            stars=tuple(imported_module(node) for node in module.stars),
            has_getattr="__getattr__" in symbols,
            exported=_strings(exported),
        )

    def takes(self, name: str, count: int) -> bool | None:
        """Whether the top-level *name* can be called with *count* positional arguments; ``None``: cannot be told.

        A name imported from elsewhere cannot be told here, nor one with an unknown decorator.
        """
        answers: set[bool | None] = set()
        for symbol in self.final(name):
            if symbol.definition is not None:
                signature = symbol.definition.signature if symbol.definition.keeps_signature else None
            else:
                signature = self._signature(symbol.value, 0)
            answers.add(None if signature is None else signature.takes(count))
        return answers.pop() if len(answers) == 1 else None

    def final(self, name: str) -> tuple[Symbol, ...]:
        """The bindings of a top-level name that may hold in the end: the last sure one and those after it."""
        found = self.symbols.get(name, ())
        for number in range(len(found) - 1, 0, -1):
            if not found[number].conditional and found[number].kind is not SymbolKind.UNKNOWN:
                return found[number:]
        return found

    def callables(self) -> tuple[str, ...]:
        """The top-level names that can be called, in the order of the text."""
        kinds = (SymbolKind.DEF, SymbolKind.LAMBDA, SymbolKind.CLASS)
        return tuple(name for name, found in self.symbols.items() if any(each.kind in kinds for each in found))

    def signature(self, value: Expression) -> Signature | None:
        """How *value*, as described inside this module, can be called; ``None`` when that cannot be told."""
        return self._signature(value, 0)

    def method(self, owner: str, name: str) -> str | None:
        """The qualified name of the method *name* of a class of this module or of its bases in this module."""
        for _ in range(10):
            found = self.classes.get(owner)
            if found is None:
                return None
            if name in found.methods:
                return found.methods[name]
            own = [base for base in found.bases if base is not None and base.startswith(":")]
            if len(found.bases) != 1 or not own:
                return None
            owner = own[0][1:]
        return None

    def _signature(self, value: Expression, depth: int) -> Signature | None:
        if depth > 10:
            return None
        match value:
            case Name(name) if name.startswith(":"):
                return self._named(name[1:], depth)
            case CallOf(name, args, keywords) if name in _PARTIALS and args and "**" not in keywords:
                inner = self._signature(args[0], depth + 1)
                return None if inner is None else inner.without(len(args) - 1, tuple(keywords))
            case CallOf(name, _) if name is not None and name.startswith(":") and name[1:] in self.classes:
                method = self.method(name[1:], "__call__")
                return None if method is None else self._bound(method)
            case _:
                return None

    def _named(self, name: str, depth: int) -> Signature | None:
        found = self.definitions.get(name)
        if found is not None:
            if not found.keeps_signature:
                return None
            return (
                found.signature.without(1)
                if found.is_method and "staticmethod" not in found.decorators
                else (found.signature)
            )
        owner = self.classes.get(name)
        if owner is not None:
            if owner.decorators or owner.metaclass is not None or "__new__" in owner.methods:
                return None
            method = self.method(name, "__init__")
            if method is not None:
                return self._bound(method)
            return Signature(0, 0) if not owner.bases or owner.bases == ("object",) else None
        value = self.values.get(name)
        return None if value is None or value == Name(f":{name}") else self._signature(value, depth + 1)

    def _bound(self, method: str) -> Signature | None:
        found = self.definitions.get(method)
        if found is None or not found.keeps_signature:
            return None
        return found.signature if "staticmethod" in found.decorators else found.signature.without(1)


def _symbol(names: Names, name: str, binding: Binding, definitions: Mapping[Scope, Definition]) -> Symbol:
    value = names.option(binding)
    context = binding.context
    conditional = context is not None and any(
        each.branch in (Branch.IF, Branch.EXCEPT, Branch.MAIN, Branch.TYPE_CHECKING) for each in context.outwards()
    )
    definition = definitions.get(binding.value) if isinstance(binding.value, Scope) else None
    return Symbol(name, _kind(binding, value), names.span(binding.node), value, conditional, definition)


def _kind(binding: Binding, value: Expression) -> SymbolKind:
    match binding.bound:
        case Bound.DEF:
            return SymbolKind.DEF
        case Bound.CLASS:
            return SymbolKind.CLASS
        case Bound.IMPORT:
            return SymbolKind.IMPORT
        case Bound.ASSIGNED:
            pass
        case _:
            return SymbolKind.UNKNOWN
    match value:
        case Name(name):
            return SymbolKind.LAMBDA if name.rpartition("<")[2].startswith("lambda:") else SymbolKind.ALIAS
        case CallOf():
            return SymbolKind.CALL
        case Literal() | Collection() | Joined():
            return SymbolKind.CONSTANT
        case Either(options) if all(isinstance(each, Name) for each in options):
            return SymbolKind.ALIAS
        case Either(options) if all(isinstance(each, Literal | Collection | Joined) for each in options):
            return SymbolKind.CONSTANT
        case _:
            return SymbolKind.UNKNOWN


def _definitions(names: Names) -> dict[Scope, Definition]:
    kinds = (ScopeKind.DEF, ScopeKind.LAMBDA)
    return {scope: _definition(names, scope) for scope in names.walk.scopes if scope.kind in kinds}


def _definition(names: Names, scope: Scope) -> Definition:
    node = scope.node
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    around = scope.parent or names.walk.module
    return Definition(
        scope.name,
        names.span(node),
        _signature(node.args),
        tuple([_decorator(names, each, around) for each in getattr(node, "decorator_list", ())]),
        isinstance(node, ast.AsyncFunctionDef),
        scope.generator,
        isinstance(node, ast.Lambda),
        around.kind is ScopeKind.CLASS and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef),
        tuple([each.arg for each in (*node.args.posonlyargs, *node.args.args)]),
    )


def _class(names: Names, scope: Scope) -> Class:
    node = scope.node
    assert isinstance(node, ast.ClassDef)
    around = scope.parent or names.walk.module
    attributes: dict[str, Expression] = {}
    for name in (*scope.bindings, *scope.attributes):
        if name not in scope.members and name not in attributes:
            value = names.attribute_of(scope, name)
            if value is not None:
                attributes[name] = value
    metaclass = [keyword.value for keyword in node.keywords if keyword.arg == "metaclass"]
    return Class(
        scope.name,
        names.span(node),
        tuple(names.name(base, around) for base in node.bases),
        {name: child.name for name, child in scope.members.items() if child.kind is ScopeKind.DEF},
        attributes,
        tuple(_decorator(names, each, around) for each in node.decorator_list),
        names.name(metaclass[0], around) if metaclass else None,
    )


def _decorator(names: Names, node: ast.expr, scope: Scope) -> str | None:
    return names.callee(node, scope)[0] if isinstance(node, ast.Call) else names.name(node, scope)


def _results(names: Names) -> dict[str, Expression]:
    found: dict[str, list[Expression]] = {}
    for node, scope, _ in names.walk.returns:
        if node.value is not None:
            found.setdefault(scope.owner.name, []).append(names.describe(node.value, scope))
    for scope in names.walk.scopes:
        if scope.kind is ScopeKind.LAMBDA and isinstance(scope.node, ast.Lambda):
            found[scope.name] = [names.describe(scope.node.body, scope)]
    generators = {scope.name for scope in names.walk.scopes if scope.generator}
    results: dict[str, Expression] = {}
    for owner, values in found.items():
        if owner not in generators and len(values) <= 4:
            result = names.either(values)
            if qualified_name(result) is not None:
                results[owner] = result
    return results


def _signature(args: ast.arguments) -> Signature:
    positional = len(args.posonlyargs) + len(args.args)
    return Signature(
        positional - len(args.defaults),
        None if args.vararg is not None else positional,
        tuple([each.arg for each, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default is None]),
    )


def _strings(value: Expression | None) -> frozenset[str] | None:
    if not isinstance(value, Collection) or not value.complete:
        return None
    return frozenset(each.value for each in value.items if isinstance(each, Literal) and isinstance(each.value, str))
