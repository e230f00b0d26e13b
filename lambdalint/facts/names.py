"""What the names and expressions of a module refer to."""

import ast
import builtins
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Final, NamedTuple, TypeAlias

from lambdalint.facts.expressions import (
    NONE,
    UNKNOWN,
    Attribute,
    CallOf,
    Collection,
    Either,
    Env,
    EventPath,
    Expression,
    Item,
    Joined,
    Literal,
    Name,
    Opaque,
    Parameter,
    depends_on_event,
    parts,
    qualified_name,
)
from lambdalint.facts.walk import Binding, Bound, Place, Scope, ScopeKind, Walk, first_parameter
from lambdalint.model.places import Span
from lambdalint.model.source import Source

BUILTINS: Final = frozenset(dir(builtins))
_MODULE_NAMES: Final = frozenset(("__name__", "__file__", "__doc__", "__package__", "__spec__", "__path__"))
_EVENTS: Final = frozenset(("event", "_event", "evt", "lambda_event", "raw_event"))
CONTEXTS: Final = frozenset(("context", "_context", "ctx", "lambda_context", "__context"))
_HARMLESS: Final = frozenset(
    ("boto3", "botocore", "requests", "urllib3", "httpx", "aws_lambda_powertools", "aws_xray_sdk")
)
_PROPERTIES: Final = frozenset(("property", "functools.cached_property", "abc.abstractproperty"))

# A description stays small however the code nests or builds one thing out of another.
_MAX_NESTING: Final = 40
_MAX_DEPTH: Final = 12
_MAX_SIZE: Final = 200
_MAX_OPTIONS: Final = 6
_MAX_TEXT: Final = 4096
_MAX_ITEMS: Final = 64


#: Methods by which a dict or list is changed.
_ALTERING: Final = ("append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update")

#: First line and column, last line and column, as in a span.
Lines: TypeAlias = tuple[int, int, int, int]


class Called(NamedTuple):
    """A call: the callee's qualified name, what it is a method of where it has none, and the arguments."""

    name: str | None
    receiver: Expression | None
    args: tuple[Expression, ...]
    keywords: dict[str, Expression]


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Answers what a node of the tree is; each is worked out once.

    Like ``Walk`` it refers to the tree and is not kept.
    """

    walk: Walk
    source: Source
    _ascii: bool
    _described: dict[ast.AST, Expression] = field(default_factory=dict, repr=False)
    _bound: dict[tuple[Scope, str], Expression] = field(default_factory=dict, repr=False)
    _seen: dict[tuple[Scope, str], Expression] = field(default_factory=dict, repr=False)
    _names: dict[str, Name] = field(default_factory=dict, repr=False)
    _constants: dict[tuple[type, object], Literal] = field(default_factory=dict, repr=False)
    _sizes: dict[int, tuple[int, int, Expression]] = field(default_factory=dict, repr=False)
    _busy: dict[tuple[Scope, str], int] = field(default_factory=dict, repr=False)
    _calls: dict[ast.AST, Called] = field(default_factory=dict, repr=False)
    _changes: dict[tuple[Scope, str], list[tuple[ast.AST, Scope]]] = field(default_factory=dict, repr=False)
    by_name: dict[str | None, list[Place]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, walk: Walk, source: Source) -> "Names":
        names = cls(walk, source, source.text.isascii())
        names._find_changes()
        by_name = names.by_name
        # Inner calls come after the outer ones: described first, they keep the recursion shallow.
        for place in reversed(walk.calls):
            name = names.called(place.node, place.scope).name
            found = by_name.get(name)
            if found is None:
                by_name[name] = [place]
            else:
                found.append(place)
        return names

    def span(self, node: ast.AST) -> Span:
        """The place of *node*, which must have one."""
        if self._ascii:
            return Span(self.source.path, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        return self.source.span(node)

    def lines(self, node: ast.AST) -> Lines:
        """The place of *node* without the path: a fifth of the price of a span."""
        if self._ascii:
            return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        span = self.source.span(node)
        return span.line, span.column, span.end_line, span.end_column

    def end(self, node: ast.expr) -> tuple[int, int]:
        """The line and column where *node* ends."""
        if self._ascii:
            return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        span = self.source.span(node)
        return span.end_line, span.end_column

    def describe(self, node: ast.AST, scope: Scope, nesting: int = 0) -> Expression:
        """What *node*, evaluated in *scope*, is."""
        kind = type(node)
        if kind is ast.Name:
            found = self._seen.get((scope, node.id))  # type: ignore[attr-defined]
            return self.lookup(scope, node.id, nesting + 1) if found is None else found  # type: ignore[attr-defined]
        found = self._described.get(node)
        if found is not None:
            return found
        if nesting > _MAX_NESTING:
            return UNKNOWN
        describe = _DESCRIBERS.get(kind)
        found = UNKNOWN if describe is None else describe(self, node, scope, nesting + 1)
        self._described[node] = found
        return found

    def name(self, node: ast.AST, scope: Scope) -> str | None:
        """The qualified name of what *node* is."""
        return qualified_name(self.describe(node, scope))

    def called(self, node: ast.Call, scope: Scope) -> Called:
        """The callee and the arguments of a call."""
        found = self._calls.get(node)
        if found is None:
            self.describe(node, scope)
            found = self._calls.get(node)
        return Called(None, None, (), {}) if found is None else found

    def calls_of(self, *names: str) -> Iterator[Place]:
        """The calls whose callee has one of these qualified names."""
        for name in names:
            yield from self.by_name.get(name, ())

    def callee(self, node: ast.Call, scope: Scope, nesting: int = 0) -> tuple[str | None, Expression | None]:
        """The qualified name of what is called, and what it is a method of where it has none."""
        function = node.func
        if type(function) is ast.Attribute:
            of = self.describe(function.value, scope, nesting)
            member = self.member(of, function.attr, nesting)
            name = qualified_name(member)
            return name, (None if name is not None else of)
        found = self.describe(function, scope, nesting)
        name = qualified_name(found)
        return name, (None if name is not None else found)

    def home(self, scope: Scope, name: str) -> Scope | None:
        """The scope that binds *name* as seen from *scope*; ``None`` for a builtin or a name nobody binds."""
        module = self.walk.module
        around: Scope | None = scope
        while around is not None:
            if name in around.globals:
                return module if name in module.bindings else None
            if name in around.bindings and (around is scope or around.kind is not ScopeKind.CLASS):
                return around
            around = around.parent
        return None

    def lookup(self, scope: Scope, name: str, nesting: int = 0) -> Expression:
        """What *name* is in *scope*."""
        home = self.home(scope, name)
        if home is not None:
            found = self.bound(home, name, nesting)
            if (home, name) in self._bound:
                self._seen[scope, name] = found
            return found
        stars = self.walk.module.stars
        if not stars or name in BUILTINS or name in _MODULE_NAMES:
            found = self.named(name)
        else:
            found = Name(f"{imported_module(stars[0])}{name}") if len(stars) == 1 else UNKNOWN
        self._seen[scope, name] = found
        return found

    def bound(self, home: Scope, name: str, nesting: int = 0) -> Expression:
        """What *name*, bound in *home*, is."""
        key = (home, name)
        found = self._bound.get(key)
        if found is not None:
            return found
        bindings = home.bindings[name][: _MAX_OPTIONS + 1]
        if nesting > _MAX_NESTING:
            return UNKNOWN
        if key in self._busy:
            # ``handler = wrap(handler)`` wraps what was bound before; anything else would go round in a circle.
            number = self._busy[key]
            return self.option(bindings[0], nesting) if number == 1 and len(bindings) == 2 else UNKNOWN
        options = []
        for number, each in enumerate(bindings):
            self._busy[key] = number
            options.append(self.option(each, nesting))
        found = self._changed(self.either(options), home, name, nesting)
        del self._busy[key]
        self._bound[key] = found
        return found

    def either(self, options: Iterable[Expression]) -> Expression:
        """One of *options*, as little as can be said about it."""
        options = list(options)
        if len(options) == 1:
            return options[0]
        unique: list[Expression] = []
        for option in options:
            for each in option.options if isinstance(option, Either) else (option,):
                if each not in unique:
                    unique.append(each)
        if len(unique) == 1:
            return unique[0]
        if len(unique) > _MAX_OPTIONS:
            return self.bounded(Opaque(tuple(unique)))
        return self.bounded(Either(tuple(unique)))

    def bounded(self, found: Expression) -> Expression:
        """*found*, or less if that has grown too large."""
        inner = parts(found)
        depth, size, sizes = 1, 1, self._sizes
        for part in inner:
            known = sizes.get(id(part))
            if known is None:
                size += 1
            else:
                size += known[1]
                if known[0] > depth:
                    depth = known[0]
        if depth + 1 > _MAX_DEPTH or size > _MAX_SIZE:
            return Opaque((EventPath(),)) if any(depends_on_event(part) for part in inner) else UNKNOWN
        if inner:
            self._sizes[id(found)] = (depth + 1, size, found)  # an id is only unique while its object lives
        return found

    def class_of(self, name: str) -> Scope | None:
        """The class of this module with the qualified name *name* (without the colon)."""
        scope = self.walk.module
        for part in name.split("."):
            child = scope.members.get(part)
            if child is None:
                return None
            scope = child
        return scope if scope.kind is ScopeKind.CLASS else None

    def member(self, of: Expression, attribute: str, nesting: int = 0) -> Expression:
        """What *attribute* of *of* is."""
        if isinstance(of, EventPath):
            return EventPath((*of.keys, attribute), of.context) if len(of.keys) < _MAX_DEPTH else of
        name = qualified_name(of)
        if name is None:
            return self.bounded(Attribute(of, attribute))
        if attribute == "parent" and name == "pathlib.Path()" and isinstance(of, CallOf) and of.args:
            inner = of.args[0] if len(of.args) == 1 else CallOf("os.path.join", of.args)
            return self.bounded(CallOf("pathlib.Path", (CallOf("os.path.dirname", (inner,)),)))
        if name.startswith(":"):
            owner = self.class_of(name[1:].removesuffix("()"))
            if owner is not None:
                is_member = attribute in owner.bindings and self._is_plain_enum(owner)
                found = None if is_member else self._class_member(owner, attribute, nesting)
                if found is not None:
                    return found
            elif attribute == "value":
                of_member, _, member = name[1:].rpartition(".")
                enum = self.class_of(of_member)
                if enum is not None and self._is_plain_enum(enum):
                    return self._class_member(enum, member, nesting) or UNKNOWN
        return self.named(f"{name}.{attribute}")

    def _is_plain_enum(self, owner: Scope) -> bool:
        """Whether the members of a class are objects of their own, and not the text or number that they stand for."""
        bases: list[ast.expr] = getattr(owner.node, "bases", [])
        return len(bases) == 1 and self.name(bases[0], owner.parent or owner) in ("enum.Enum", "enum.Flag")

    def named(self, name: str) -> Name:
        """The one ``Name`` of that name: sharing it makes facts smaller."""
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = Name(name)
        return found

    def _class_member(self, owner: Scope, attribute: str, nesting: int) -> Expression | None:
        child = owner.members.get(attribute)
        if child is not None:
            whole = Name(f":{child.name}")
            for decorator in getattr(child.node, "decorator_list", ()):
                if self.name(decorator, owner) in _PROPERTIES:
                    return CallOf(whole.name)
            return whole
        key = (owner, f"self.{attribute}")
        if key in self._bound:
            return self._bound[key]
        places = [*owner.bindings.get(attribute, ()), *owner.attributes.get(attribute, ())]
        if not places or key in self._busy:
            return None
        self._busy[key] = 0
        found = self.either(self.option(each, nesting) for each in places[: _MAX_OPTIONS + 1])
        del self._busy[key]
        self._bound[key] = found
        return found

    def attribute_of(self, owner: Scope, attribute: str) -> Expression | None:
        """What *attribute* of an instance of the class *owner* is; ``None`` when the class does not set it."""
        return self._class_member(owner, attribute, 0)

    def option(self, binding: Binding, nesting: int = 0) -> Expression:
        """What one *binding* alone makes of its name."""
        bound, node, value, path, scope, _ = binding
        if bound is Bound.IMPORT:
            return self.named(imported_name(node, value))
        if bound in (Bound.DEF, Bound.CLASS):
            return Name(f":{value.name}")
        if bound is Bound.PARAMETER:
            return self._parameter(node, scope)
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            return (
                self.either(CallOf(self.name(each, scope)) for each in types[: _MAX_OPTIONS + 1]) if types else UNKNOWN
            )
        if value is None:
            return UNKNOWN
        found = self.describe(value, scope, nesting)
        if bound is Bound.AUGMENTED or bound is Bound.OTHER:
            return self.bounded(Opaque((found,)))
        if bound is Bound.ELEMENT:
            found = self.item(found, None)
        for step in path:
            found = self.item(found, None if step is None else Literal(step))
        return found

    def _parameter(self, node: Any, scope: Scope) -> Expression:
        name: str = node.arg
        around = scope.parent
        if around is not None and around.kind is ScopeKind.CLASS and name == first_parameter(scope.node):
            for decorator in getattr(scope.node, "decorator_list", ()):
                if isinstance(decorator, ast.Name) and decorator.id == "classmethod":
                    return Name(f":{around.name}")
            if scope.name.endswith(("__new__", "__init_subclass__", "__class_getitem__")):
                return Name(f":{around.name}")
            return Name(f":{around.name}()")
        args: ast.arguments = scope.node.args  # type: ignore[attr-defined]
        if node is args.vararg or node is args.kwarg:
            return Parameter(name)
        positional = [each.arg for each in (*args.posonlyargs, *args.args)]
        if around is not None and around.kind is ScopeKind.CLASS and first_parameter(scope.node):
            positional = positional[1:]
        if name in _EVENTS:
            return EventPath()
        if len(positional) == 2 and positional[1] in CONTEXTS:
            return EventPath(context=name == positional[1])
        return (
            EventPath(context=True)
            if name in CONTEXTS and positional[:1] and positional[0] in _EVENTS
            else Parameter(name)
        )

    def item(self, of: Expression, key: Expression | None) -> Expression:
        """What ``of[key]`` is; some element of it for no key."""
        if isinstance(of, EventPath):
            if len(of.keys) >= _MAX_DEPTH:
                return of
            value = key.value if isinstance(key, Literal) else None
            return EventPath((*of.keys, value if isinstance(value, str | int) else None), of.context)
        if isinstance(of, Collection):
            if isinstance(key, Literal):
                found = of.get(key.value)
                if found is not None:
                    return found
            elif of.complete and of.items and of.kind != "dict":
                return self.either(of.items)
        if isinstance(of, Name) and of.name == "os.environ" and isinstance(key, Literal) and isinstance(key.value, str):
            return Env(key.value)
        return self.bounded(Item(of, key))

    def _find_changes(self) -> None:
        """Sort the statements that change an object by the variable that holds it."""
        for scope in self.walk.scopes:
            for name, nodes in scope.changes.items():
                home = self.home(scope, name)
                if home is not None:
                    self._changes.setdefault((home, name), []).extend((node, scope) for node in nodes)
        for changes in self._changes.values():
            changes.sort(key=_position)

    def is_harmless(self, node: ast.Call, scope: Scope, nesting: int = 0) -> bool:
        """Whether a call surely leaves its arguments as they are: what is not the project's does, near enough."""
        name = self.callee(node, scope, nesting)[0]
        if name is None:
            return False
        root = name.partition(".")[0].partition("(")[0]
        return name in BUILTINS or root in _HARMLESS or root in sys.stdlib_module_names

    def _changed(self, found: Expression, home: Scope, name: str, nesting: int) -> Expression:
        """*found* with what statements of the same scope add to it and take from it."""
        if not isinstance(found, Collection | Either | Parameter):
            return found
        changes = self._changes.get((home, name))
        if not changes:
            return found
        if isinstance(found, Parameter):
            return Opaque((found,)) if any(_alters(node, name) for node, _ in changes) else found
        if isinstance(found, Either):
            return self.bounded(Either(tuple(_open(option) for option in found.options)))
        items, keys, complete = list(found.items), list(found.keys), found.complete
        for node, scope in changes:
            if len(items) > _MAX_ITEMS:
                return self.bounded(Collection(found.kind, tuple(items), tuple(keys), False))
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                value = UNKNOWN if node.value is None else self.describe(node.value, scope, nesting)
                if found.kind == "dict" and isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    keys.append(self.describe(target.slice, scope, nesting))
                    items.append(value)
                else:
                    complete = False
            elif isinstance(node, ast.Delete):
                gone = [self.describe(each.slice, scope) for each in node.targets if isinstance(each, ast.Subscript)]
                items, keys, left = _without(gone, items, keys)
                complete = complete and left
            elif isinstance(node, ast.Call) and not _is_method_of(node, name):
                complete = complete and self.is_harmless(node, scope, nesting)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                method = node.func.attr
                added = [self.describe(each, scope, nesting) for each in node.args]
                if method in ("append", "add") and len(added) == 1 and found.kind != "dict":
                    items.append(added[0])
                    complete = False  # as often as it runs
                elif method == "update" and found.kind == "dict":
                    complete = complete and len(added) <= 1
                    for keyword in node.keywords:
                        keys.append(UNKNOWN if keyword.arg is None else Literal(keyword.arg))
                        items.append(self.describe(keyword.value, scope, nesting))
                    if added and isinstance(added[0], Collection) and added[0].kind == "dict":
                        keys.extend(added[0].keys)
                        items.extend(added[0].items)
                    elif added:
                        complete = False
                elif method == "pop" and found.kind == "dict":
                    items, keys, left = _without(added[:1], items, keys)
                    complete = complete and left
                elif method in ("extend", "insert", "setdefault", "pop", "remove", "clear", "popitem", "discard"):
                    complete = False
        return self.bounded(Collection(found.kind, tuple(items), tuple(keys), complete))


def _is_method_of(node: ast.Call, name: str) -> bool:
    function = node.func
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == name


def _position(change: tuple[Any, Scope]) -> tuple[int, int]:
    return change[0].lineno, change[0].col_offset


def _alters(node: ast.AST, name: str) -> bool:
    """Whether a statement writes to the object under *name* itself, and does not only hand it on."""
    if isinstance(node, ast.Call):
        return _is_method_of(node, name) and node.func.attr in _ALTERING  # type: ignore[attr-defined]
    return True


def _without(
    gone: list[Expression], items: list[Expression], keys: list[Expression]
) -> tuple[list[Expression], list[Expression], bool]:
    """The items and keys of a dict but for those under the keys *gone*, and whether these are known."""
    left = [(key, item) for key, item in zip(keys, items, strict=False) if key not in gone]
    known = len(keys) == len(items) and all(isinstance(key, Literal) for key in gone)
    return ([item for _, item in left], [key for key, _ in left], known) if known else (items, keys, False)


def _open(expression: Expression) -> Expression:
    """*expression*, of which nobody knows any more whether it is all."""
    if isinstance(expression, Collection):
        return Collection(expression.kind, expression.items, expression.keys, False)
    return expression


def imported_module(node: ast.ImportFrom) -> str:
    """What to put before a name that *node* imports: dots for the level, the module and a dot."""
    return "." * node.level + (f"{node.module}." if node.module else "")


def imported_name(node: ast.AST, alias: ast.alias) -> str:
    """The qualified name of what *alias* binds."""
    if isinstance(node, ast.ImportFrom):
        return imported_module(node) + alias.name
    return alias.name if alias.asname else alias.name.partition(".")[0]


# Descriptions of the kinds of nodes


def _constant(names: Names, node: ast.Constant, scope: Scope, nesting: int) -> Expression:
    value = node.value
    if value is None or value is ...:
        return NONE
    if isinstance(value, str | bytes) and len(value) > _MAX_TEXT:
        return Literal(value[:_MAX_TEXT]) if isinstance(value, bytes) else Joined((Literal(value[:_MAX_TEXT]), UNKNOWN))
    key = (type(value), value)
    found = names._constants.get(key)
    if found is None:
        found = names._constants[key] = Literal(value)
    return found


def _attribute(names: Names, node: ast.Attribute, scope: Scope, nesting: int) -> Expression:
    return names.member(names.describe(node.value, scope, nesting), node.attr, nesting)


def _call(names: Names, node: ast.Call, scope: Scope, nesting: int) -> Expression:
    name, receiver = names.callee(node, scope, nesting)
    describe = names.describe
    args = (
        ()
        if not node.args
        else tuple(
            [
                Opaque((describe(each.value, scope, nesting),))
                if type(each) is ast.Starred
                else describe(each, scope, nesting)
                for each in node.args
            ]
        )
    )
    keywords = {keyword.arg or "**": describe(keyword.value, scope, nesting) for keyword in node.keywords}
    names._calls[node] = Called(name, receiver, args, keywords)
    if name is not None:
        if name in _ENV_READERS and args:
            read = args[0]
            if isinstance(read, Literal) and isinstance(read.value, str):
                default = args[1] if len(args) > 1 else keywords.get("default", None if name.endswith("pop") else NONE)
                return names.bounded(Env(read.value, default))
        if name == "super" and not args:
            return _super(names, scope)
        if name in _SAME_PATH and isinstance(node.func, ast.Attribute):
            path = describe(node.func.value, scope, nesting)
            if isinstance(path, CallOf) and path.args:
                if name.endswith("with_name"):
                    path = names.member(path, "parent", nesting)
                return names.bounded(CallOf("pathlib.Path", (*parts(path), *args)))
        if name == "str.format":
            return names.bounded(_formatted(names, node, scope, args, keywords, nesting))
        if name in _COPIES and not args:
            kind = name
            return names.bounded(
                Collection(
                    kind, tuple(keywords.values()), tuple(Literal(key) for key in keywords), "**" not in keywords
                )
            )
    elif isinstance(receiver, EventPath) and args and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        return names.item(receiver, args[0])
    found = CallOf(name, args, keywords, receiver)
    return names.bounded(found) if args or keywords or receiver is not None else found


_ENV_READERS: Final = frozenset(("os.environ.get", "os.getenv", "os.environ.setdefault", "os.environ.pop"))
#: What gives the same path, or one below or beside it.
_SAME_PATH: Final = frozenset(f"pathlib.Path().{name}" for name in ("absolute", "joinpath", "resolve", "with_name"))
_COPIES: Final = frozenset(("dict", "list", "set", "tuple"))


def _super(names: Names, scope: Scope) -> Expression:
    around: Scope | None = scope
    while around is not None and around.kind is not ScopeKind.CLASS:
        around = around.parent
    if around is not None and isinstance(around.node, ast.ClassDef) and len(around.node.bases) == 1:
        base = names.name(around.node.bases[0], around.parent or around)
        if base is not None:
            return CallOf(base)
    return UNKNOWN


def _formatted(
    names: Names,
    node: ast.Call,
    scope: Scope,
    args: tuple[Expression, ...],
    keywords: dict[str, Expression],
    nesting: int,
) -> Expression:
    """``"…{}…".format(…)`` with plain fields."""
    assert isinstance(node.func, ast.Attribute)
    pattern = names.describe(node.func.value, scope, nesting)
    whole = Opaque((pattern, *args, *keywords.values()))
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        return whole
    try:
        fields = list(Formatter().parse(pattern.value))
    except ValueError:
        return whole
    found: list[Expression] = []
    number = 0
    for before, key, layout, conversion in fields[:_MAX_ITEMS]:
        if before:
            found.append(Literal(before))
        if key is None:
            continue
        if key.isdecimal() or not key:
            index = int(key or number) if len(key) < 4 else len(args)
            value = args[index] if index < len(args) else UNKNOWN
            number += 1
        else:
            value = keywords.get(key, UNKNOWN)
        found.append(Opaque((value,)) if layout or conversion else value)
    if len(fields) > _MAX_ITEMS:
        found.append(UNKNOWN)
    return _join(found)


def _binary(names: Names, node: ast.BinOp, scope: Scope, nesting: int) -> Expression:
    # ``a + b + c + …`` leans to the left as deep as it is long.
    operands: list[ast.expr] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
        operands.append(left.right)
        left = left.left
        if len(operands) > _MAX_ITEMS:
            return UNKNOWN
    if operands:
        operands.append(left)
        found = [names.describe(each, scope, nesting) for each in reversed(operands)]
        if any(_is_text(each) for each in found):
            return names.bounded(_join(found))
        return names.bounded(Opaque(tuple(found)))
    first, second = names.describe(node.left, scope, nesting), names.describe(node.right, scope, nesting)
    if isinstance(node.op, ast.Mod) and isinstance(first, Literal) and isinstance(first.value, str):
        filled = _percent(first.value, second)
        return names.bounded(Opaque((first, second)) if filled is None else filled)
    if isinstance(node.op, ast.Div) and isinstance(first, CallOf) and (first.name or "").startswith("pathlib."):
        return names.bounded(CallOf("pathlib.Path", (*first.args, second)))
    if isinstance(first, Literal) and isinstance(second, Literal):
        return _computed(node.op, first.value, second.value)
    return names.bounded(Opaque((first, second)))


def _computed(operator: ast.operator, left: object, right: object) -> Expression:
    """Arithmetic on numbers as written for readability: ``15 * 60``."""
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return Opaque((), "")
    small = abs(left) < 1e12 and abs(right) < 1e12
    if small and isinstance(operator, ast.Mult):
        return Literal(left * right)
    if small and isinstance(operator, ast.Sub):
        return Literal(left - right)
    if small and isinstance(operator, ast.Div) and right:
        return Literal(left / right)
    if small and isinstance(operator, ast.FloorDiv) and right:
        return Literal(left // right)
    return UNKNOWN


def _percent(pattern: str, values: Expression) -> Expression | None:
    args = values.items if isinstance(values, Collection) and values.kind == "tuple" else (values,)
    pieces = pattern.replace("%d", "%s").split("%s")
    if len(pieces) != len(args) + 1 or any("%" in piece for piece in pieces):
        return None
    found: list[Expression] = [Literal(pieces[0])]
    for arg, piece in zip(args, pieces[1:], strict=True):
        found += [arg, Literal(piece)] if piece else [arg]
    return _join(found)


def _is_text(expression: Expression) -> bool:
    return isinstance(expression, Joined) or (isinstance(expression, Literal) and isinstance(expression.value, str))


def _join(found: list[Expression]) -> Expression:
    """Text made of *found*; neighbouring constants become one."""
    merged: list[Expression] = []
    for each in found:
        for part in each.parts if isinstance(each, Joined) else (each,):
            last = merged[-1] if merged else None
            if (
                isinstance(part, Literal)
                and isinstance(part.value, str)
                and isinstance(last, Literal)
                and isinstance(last.value, str)
            ):
                merged[-1] = Literal(last.value + part.value)
            else:
                merged.append(part)
    if not merged:
        return Literal("")
    return merged[0] if len(merged) == 1 and isinstance(merged[0], Literal) else Joined(tuple(merged))


def _joined(names: Names, node: ast.JoinedStr, scope: Scope, nesting: int) -> Expression:
    found: list[Expression] = []
    for value in node.values[:_MAX_ITEMS]:
        if isinstance(value, ast.FormattedValue):
            inner = names.describe(value.value, scope, nesting)
            plain = value.format_spec is None and value.conversion == -1
            if isinstance(inner, Literal) and not isinstance(inner.value, str):
                inner = Literal(str(inner.value)) if plain and isinstance(inner.value, int) else Opaque((inner,))
            found.append(inner if plain else Opaque((inner,)))
        else:
            found.append(names.describe(value, scope, nesting))
    if len(node.values) > _MAX_ITEMS:
        found.append(UNKNOWN)
    return names.bounded(_join(found))


def _subscript(names: Names, node: ast.Subscript, scope: Scope, nesting: int) -> Expression:
    of = names.describe(node.value, scope, nesting)
    if isinstance(node.slice, ast.Slice):
        return names.bounded(Opaque((of,)))
    return names.item(of, names.describe(node.slice, scope, nesting))


def _sequence(names: Names, node: ast.Tuple | ast.List | ast.Set, scope: Scope, nesting: int) -> Expression:
    complete = len(node.elts) <= _MAX_ITEMS
    items: list[Expression] = []
    for element in node.elts[:_MAX_ITEMS]:
        if isinstance(element, ast.Starred):
            complete = False
            items.append(Opaque((names.describe(element.value, scope, nesting),)))
        else:
            items.append(names.describe(element, scope, nesting))
    return names.bounded(Collection(type(node).__name__.lower(), tuple(items), (), complete))


def _dict(names: Names, node: ast.Dict, scope: Scope, nesting: int) -> Expression:
    complete = len(node.keys) <= _MAX_ITEMS
    keys: list[Expression] = []
    items: list[Expression] = []
    for key, value in zip(node.keys[:_MAX_ITEMS], node.values[:_MAX_ITEMS], strict=True):
        found = names.describe(value, scope, nesting)
        if key is not None:
            keys.append(names.describe(key, scope, nesting))
            items.append(found)
        elif isinstance(found, Collection) and found.kind == "dict":
            keys.extend(found.keys)
            items.extend(found.items)
            complete = complete and found.complete
        else:
            complete = False
            keys.append(UNKNOWN)
            items.append(Opaque((found,)))
    return names.bounded(Collection("dict", tuple(items), tuple(keys), complete))


def _if_exp(names: Names, node: ast.IfExp, scope: Scope, nesting: int) -> Expression:
    return names.either((names.describe(node.body, scope, nesting), names.describe(node.orelse, scope, nesting)))


def _bool_op(names: Names, node: ast.BoolOp, scope: Scope, nesting: int) -> Expression:
    found = [names.describe(each, scope, nesting) for each in node.values[:_MAX_ITEMS]]
    if isinstance(node.op, ast.And):
        return names.bounded(Opaque(tuple(found)))
    return names.either(found)


def _unary(names: Names, node: ast.UnaryOp, scope: Scope, nesting: int) -> Expression:
    inner = names.describe(node.operand, scope, nesting)
    if isinstance(node.op, ast.Not):
        return names.bounded(Opaque((inner,), "bool"))
    if isinstance(node.op, ast.USub) and isinstance(inner, Literal) and isinstance(inner.value, int | float | complex):
        return Literal(-inner.value)
    return names.bounded(Opaque((inner,)))


def _compare(names: Names, node: ast.Compare, scope: Scope, nesting: int) -> Expression:
    found = [names.describe(each, scope, nesting) for each in (node.left, *node.comparators[:_MAX_ITEMS])]
    return names.bounded(Opaque(tuple(found), "bool"))


def _walrus(names: Names, node: ast.NamedExpr, scope: Scope, nesting: int) -> Expression:
    return names.describe(node.value, scope, nesting)


def _await(names: Names, node: ast.Await, scope: Scope, nesting: int) -> Expression:
    return names.describe(node.value, scope, nesting)


def _lambda(names: Names, node: ast.Lambda, scope: Scope, nesting: int) -> Expression:
    return Name(f":{scope.child_name(f'<lambda:{node.lineno}:{node.col_offset}>')}")


def _comprehension(kind: str) -> Callable[[Names, Any, Scope, int], Expression]:
    def describe(names: Names, node: Any, scope: Scope, nesting: int) -> Expression:
        return names.bounded(Opaque((names.describe(node.generators[0].iter, scope, nesting),), kind))

    return describe


_DESCRIBERS: Final[dict[type[ast.AST], Callable[[Names, Any, Scope, int], Expression]]] = {
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.JoinedStr: _joined,
    ast.Subscript: _subscript,
    ast.Tuple: _sequence,
    ast.List: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.IfExp: _if_exp,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.NamedExpr: _walrus,
    ast.Await: _await,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension("list"),
    ast.SetComp: _comprehension("set"),
    ast.DictComp: _comprehension("dict"),
    ast.GeneratorExp: _comprehension("generator"),
}
