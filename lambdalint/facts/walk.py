"""The one walk over a module's syntax tree: scopes, what is bound in them, and what happens where.

Every fact about a module is made from this, so that nothing is walked twice.  It refers to the tree and is worked
out anew whenever the facts are.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

Def: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_DEFS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_LEAVES: Final = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.Constant)
_ENDS: Final = (ast.Return, ast.Raise, ast.Continue, ast.Break)
#: Methods that are called for what they give as often as for their effect.
_REMOVING: Final = ("pop", "popitem")
#: What enters or closes its argument.
_CLOSING: Final = ("closing", "aclosing")


class ScopeKind(Enum):
    """What makes a scope."""

    MODULE = "module"
    DEF = "def"
    LAMBDA = "lambda"
    CLASS = "class"
    COMPREHENSION = "comprehension"


class Branch(Enum):
    """What kind of statement a context stands for."""

    IF = "if"
    TRY = "try"
    EXCEPT = "except"
    LOOP = "loop"
    WITH = "with"
    TYPE_CHECKING = "type checking"
    MAIN = "main"


class Context:
    """A branch around a statement, linked to the ones around it; *after* one that leaves, rather than in it."""

    __slots__ = ("after", "branch", "loop", "negated", "node", "outer", "skipped")

    def __init__(
        self, branch: Branch, node: Any, outer: "Context | None", negated: bool = False, after: bool = False
    ) -> None:
        self.after = after
        self.branch = branch
        self.node = node
        self.outer = outer
        self.negated = negated
        self.loop: bool = branch is Branch.LOOP or (outer is not None and outer.loop)
        self.skipped: bool = branch in (Branch.TYPE_CHECKING, Branch.MAIN) or (outer is not None and outer.skipped)

    def outwards(self) -> "Iterator[Context]":
        """The branch itself and those around it, the innermost first."""
        found: Context | None = self
        while found is not None:
            yield found
            found = found.outer


class Bound(Enum):
    """How a name is bound."""

    ASSIGNED = "assigned"
    AUGMENTED = "augmented"
    ELEMENT = "element"  # of what is iterated over
    WITH = "with"
    PARAMETER = "parameter"
    IMPORT = "import"
    DEF = "def"
    CLASS = "class"
    OTHER = "other"  # except, match, del, type


class Binding(NamedTuple):
    """One place that binds a name.

    *value* is the node it comes from and *path* the way into it when several names are unpacked; *scope* is where
    the value is evaluated.
    """

    bound: Bound
    node: ast.AST
    value: Any
    path: tuple[int | None, ...]
    scope: "Scope"
    context: Context | None


class Scope:
    """A scope under construction.

    *name* is the qualified name, dotted, without ``<locals>``; *owner* is the scope whose run runs this one's code:
    the ``def`` or module around a class body or a comprehension.  *uses* are the names that its code reads.
    """

    __slots__ = (
        "attributes",
        "bindings",
        "changes",
        "children",
        "generator",
        "globals",
        "kind",
        "members",
        "name",
        "node",
        "nonlocals",
        "owner",
        "parent",
        "stars",
        "uses",
    )

    def __init__(self, kind: ScopeKind, name: str, node: ast.AST, parent: "Scope | None") -> None:
        self.kind = kind
        self.name = name
        self.node = node
        self.parent = parent
        inline = kind in (ScopeKind.CLASS, ScopeKind.COMPREHENSION)
        self.owner: Scope = parent.owner if inline and parent is not None else self
        self.bindings: dict[str, list[Binding]] = {}
        self.attributes: dict[str, list[Binding]] = {}
        self.changes: dict[str, list[ast.AST]] = {}
        self.members: dict[str, Scope] = {}
        self.children: list[Scope] = []
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.stars: list[ast.ImportFrom] = []
        self.generator = False
        self.uses: set[str] = set()

    def child_name(self, name: str) -> str:
        """The qualified name of something called *name* in here."""
        around = self
        while around.kind is ScopeKind.COMPREHENSION and around.parent is not None:
            around = around.parent
        return f"{around.name}.{name}" if around.name else name


#: Attributes of a scope that lead back to it.
_CIRCULAR: Final = ("attributes", "bindings", "children", "members", "owner", "parent")


class Place(NamedTuple):
    """A node, the scope it is evaluated in and the branch it stands in."""

    node: Any
    scope: Scope
    context: Context | None


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """What a module is made of, in no particular order.

    *reads* are names and chains of attributes that are read but not called; *annotations* those in annotations.
    *stores* are assignments to an attribute of a name or an item of a name or attribute, with what is assigned.
    *tests* are the ``if``, ``while``, ``assert`` and ``a if b else c`` that have one.
    *assigned* maps a call to the name it is assigned to.  *novelties* are of kinds that not every
    version of Python has, or not in every form: ``match``, ``except*``, ``:=``, f-strings, tuples without brackets.
    """

    tree: ast.Module
    module: Scope
    scopes: list[Scope] = field(default_factory=list)
    comprehensions: list[Scope] = field(default_factory=list)
    calls: list[Place] = field(default_factory=list)
    reads: list[Place] = field(default_factory=list)
    annotations: list[Place] = field(default_factory=list)
    items: list[Place] = field(default_factory=list)
    subscripts: list[Place] = field(default_factory=list)
    memberships: list[Place] = field(default_factory=list)
    imports: list[Place] = field(default_factory=list)
    returns: list[Place] = field(default_factory=list)
    raises: list[Place] = field(default_factory=list)
    stores: list[tuple[ast.Attribute | ast.Subscript, Binding]] = field(default_factory=list)
    decorated: list[Place] = field(default_factory=list)
    tests: list[Place] = field(default_factory=list)
    compared: list[ast.Compare | ast.BoolOp] = field(default_factory=list)
    novelties: list[ast.AST] = field(default_factory=list)
    assigned: dict[ast.AST, str] = field(default_factory=dict)
    awaited: set[ast.AST] = field(default_factory=set)
    entered: set[ast.AST] = field(default_factory=set)
    decorators: set[ast.AST] = field(default_factory=set)

    @classmethod
    def of(cls, tree: ast.Module) -> "Walk":
        walk = cls(tree, Scope(ScopeKind.MODULE, "", tree, None))
        walk.scopes.append(walk.module)
        _Walker(walk).run()
        return walk

    def take_apart(self) -> None:
        """Give up the scopes, so that the tree and all that was worked out from it go at once.

        Scopes refer to each other in circles, and what runs for a second only does not look for those.
        """
        for scope in (*self.scopes, *self.comprehensions):
            for each in _CIRCULAR:
                delattr(scope, each)


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    return tuple(name for name in kind._fields if name not in ("ctx", "op", "ops", "kind", "type_comment"))


_FIELDS: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    kind: _fields(kind)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and not issubclass(kind, _LEAVES)
}
_SKIPPED: Final = frozenset(kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, _LEAVES))


def nodes(*roots: ast.AST, closed: frozenset[type[ast.AST]] = frozenset()) -> Iterator[ast.AST]:
    """*roots* and every node below them, in no particular order, but for constants, contexts and operators.

    What is below nodes of the kinds *closed* is left out.  It takes half the time of ``ast.walk``, which looks at every
    field of every leaf.
    """
    stack = list(roots)
    while stack:
        node = stack.pop()
        yield node
        if type(node) in closed:
            continue
        for name in _FIELDS.get(type(node), node._fields):
            value = getattr(node, name, None)
            if value.__class__ is list:
                stack += [each for each in value if isinstance(each, ast.AST) and type(each) not in _SKIPPED]
            elif isinstance(value, ast.AST) and type(value) not in _SKIPPED:
                stack.append(value)


class _Walker:
    """The state of a walk: blocks of statements and single expressions that are still to be looked at."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.todo: list[tuple[Any, Scope, Context | None]] = [(walk.tree.body, walk.module, None)]

    def run(self) -> None:
        todo = self.todo
        while todo:
            work, scope, context = todo.pop()
            if not isinstance(work, list):
                self.look(work, scope, context)
                continue
            for statement in work:
                _STATEMENTS.get(type(statement), _Walker.novelty)(self, statement, scope, context)
                if type(statement) is ast.If or type(statement) is ast.Match:
                    context = _afterwards(statement, context)

    # Statements

    def nothing(self, node: ast.stmt, scope: Scope, context: Context | None) -> None:
        pass

    def expr(self, node: ast.Expr, scope: Scope, context: Context | None) -> None:
        value = node.value
        if type(value) is not ast.Constant:
            self.look(value, scope, context)
            if type(value) is ast.Call:
                of = value.func.value if type(value.func) is ast.Attribute else None
                if type(of) is ast.Name and value.func.attr not in _REMOVING:  # type: ignore[attr-defined]
                    self.changed(of.id, value, scope)
                # A call for its effect alone may change what it is given.
                for argument in value.args:
                    if type(argument) is ast.Name:
                        self.changed(argument.id, value, scope)

    def assign(self, node: ast.Assign, scope: Scope, context: Context | None) -> None:
        value = node.value
        self.look(value, scope, context)
        for target in node.targets:
            self.bind(target, Bound.ASSIGNED, node, value, scope, context)
        self.name_call(value, node.targets[0])

    def ann_assign(self, node: ast.AnnAssign, scope: Scope, context: Context | None) -> None:
        self.annotation(node.annotation, scope, context)
        if node.value is not None:
            self.look(node.value, scope, context)
            self.bind(node.target, Bound.ASSIGNED, node, node.value, scope, context)
            self.name_call(node.value, node.target)

    def aug_assign(self, node: ast.AugAssign, scope: Scope, context: Context | None) -> None:
        self.look(node.value, scope, context)
        if type(node.target) is not ast.Name:
            self.look(node.target, scope, context)
        self.bind(node.target, Bound.AUGMENTED, node, node.value, scope, context)

    def name_call(self, value: ast.expr, target: ast.expr) -> None:
        if type(value) is ast.Await:
            value = value.value
        if type(value) is ast.Call:
            if type(target) is ast.Name:
                self.walk.assigned[value] = target.id
            elif type(target) is ast.Attribute and type(target.value) is ast.Name:
                self.walk.assigned[value] = f"{target.value.id}.{target.attr}"

    def definition(self, node: Def, scope: Scope, context: Context | None) -> None:
        self.decorate(node, scope, context)
        child = self.child(ScopeKind.DEF, node.name, node, scope)
        self.add(scope, node.name, Binding(Bound.DEF, node, child, (), scope, context))
        self.parameters(node.args, child, scope, context)
        if node.returns is not None:
            self.annotation(node.returns, scope, context)
        self.todo.append((node.body, child, None))

    def class_def(self, node: ast.ClassDef, scope: Scope, context: Context | None) -> None:
        self.decorate(node, scope, context)
        for base in node.bases:
            self.look(base, scope, context)
        for keyword in node.keywords:
            self.look(keyword.value, scope, context)
        child = self.child(ScopeKind.CLASS, node.name, node, scope)
        self.add(scope, node.name, Binding(Bound.CLASS, node, child, (), scope, context))
        self.todo.append((node.body, child, context))

    def decorate(self, node: Def | ast.ClassDef, scope: Scope, context: Context | None) -> None:
        for decorator in node.decorator_list:
            self.look(decorator, scope, context)
            self.walk.decorators.add(decorator)
        if node.decorator_list:
            self.walk.decorated.append(Place(node, scope, context))

    def child(self, kind: ScopeKind, name: str, node: ast.AST, scope: Scope) -> Scope:
        child = Scope(kind, scope.child_name(name), node, scope)
        scope.members[name] = child
        scope.children.append(child)
        self.walk.scopes.append(child)
        return child

    def parameters(self, args: ast.arguments, child: Scope, scope: Scope, context: Context | None) -> None:
        for group in (args.posonlyargs, args.args, args.kwonlyargs, (args.vararg, args.kwarg)):
            for arg in group:
                if arg is not None:
                    self.add(child, arg.arg, Binding(Bound.PARAMETER, arg, None, (), child, None))
                    if arg.annotation is not None:
                        self.annotation(arg.annotation, scope, context)
        for default in args.defaults:
            self.look(default, scope, context)
        for keyword_default in args.kw_defaults:
            if keyword_default is not None:
                self.look(keyword_default, scope, context)

    def import_(self, node: ast.Import | ast.ImportFrom, scope: Scope, context: Context | None) -> None:
        self.walk.imports.append(Place(node, scope, context))
        for alias in node.names:
            if alias.name == "*" and isinstance(node, ast.ImportFrom):
                scope.stars.append(node)
            else:
                bound = alias.asname or (alias.name.partition(".")[0] if type(node) is ast.Import else alias.name)
                self.add(scope, bound, Binding(Bound.IMPORT, node, alias, (), scope, context))

    def if_(self, node: ast.If, scope: Scope, context: Context | None) -> None:
        test: ast.expr = node.test
        negated = False
        while type(test) is ast.UnaryOp and type(test.op) is ast.Not:
            test, negated = test.operand, not negated
        branch = _special(test)
        self.walk.tests.append(Place(node, scope, context))
        if branch is None:
            self.look(node.test, scope, context)
            yes: Context | None = Context(Branch.IF, test, context, negated)
            no: Context | None = Context(Branch.IF, test, context, not negated)
        else:
            yes, no = Context(branch, test, context), context
            if negated:
                yes, no = no, yes
        if node.orelse:
            self.todo.append((node.orelse, scope, no))
        self.todo.append((node.body, scope, yes))

    def for_(self, node: ast.For | ast.AsyncFor, scope: Scope, context: Context | None) -> None:
        if type(node.iter) is ast.Tuple:
            self.walk.novelties.append(node)
        self.look(node.iter, scope, context)
        self.bind(node.target, Bound.ELEMENT, node, node.iter, scope, context)
        if node.orelse:
            self.todo.append((node.orelse, scope, context))
        self.todo.append((node.body, scope, Context(Branch.LOOP, node, context)))

    def while_(self, node: ast.While, scope: Scope, context: Context | None) -> None:
        inside = Context(Branch.LOOP, node, context)
        self.walk.tests.append(Place(node, scope, context))
        self.look(node.test, scope, inside)
        if node.orelse:
            self.todo.append((node.orelse, scope, context))
        self.todo.append((node.body, scope, inside))

    def with_(self, node: ast.With | ast.AsyncWith, scope: Scope, context: Context | None) -> None:
        for item in node.items:
            self.look(item.context_expr, scope, context)
            self.walk.entered.add(item.context_expr)
            inner = item.context_expr
            if isinstance(inner, ast.Call) and inner.args and _last_part(inner.func) in _CLOSING:
                self.walk.entered.add(inner.args[0])
            if item.optional_vars is not None:
                self.bind(item.optional_vars, Bound.WITH, node, item.context_expr, scope, context)
                self.name_call(item.context_expr, item.optional_vars)
            context = Context(Branch.WITH, item, context)
        self.todo.append((node.body, scope, context))

    def try_(self, node: ast.Try | ast.TryStar, scope: Scope, context: Context | None) -> None:
        if node.finalbody:
            self.todo.append((node.finalbody, scope, context))
        if node.orelse:
            self.todo.append((node.orelse, scope, context))
        if type(node) is not ast.Try:
            self.walk.novelties.append(node)
        for handler in reversed(node.handlers):
            if handler.type is not None:
                self.look(handler.type, scope, context)
                if type(handler.type) is ast.Tuple:
                    self.walk.novelties.append(handler)
            if handler.name is not None:
                self.add(scope, handler.name, Binding(Bound.OTHER, handler, None, (), scope, context))
            self.todo.append((handler.body, scope, Context(Branch.EXCEPT, handler, context)))
        self.todo.append((node.body, scope, Context(Branch.TRY, node, context) if node.handlers else context))

    def return_(self, node: ast.Return, scope: Scope, context: Context | None) -> None:
        self.walk.returns.append(Place(node, scope, context))
        if node.value is not None:
            self.look(node.value, scope, context)

    def global_(self, node: ast.Global, scope: Scope, context: Context | None) -> None:
        scope.globals.update(node.names)

    def nonlocal_(self, node: ast.Nonlocal, scope: Scope, context: Context | None) -> None:
        scope.nonlocals.update(node.names)

    def match(self, node: ast.Match, scope: Scope, context: Context | None) -> None:
        self.walk.novelties.append(node)
        self.look(node.subject, scope, context)
        for case in reversed(node.cases):
            stack: list[ast.AST] = [case.pattern]
            while stack:
                pattern = stack.pop()
                if isinstance(pattern, ast.expr):
                    self.look(pattern, scope, context)
                    continue
                bound = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                if bound is not None:
                    self.add(scope, bound, Binding(Bound.OTHER, pattern, node.subject, (), scope, context))
                stack.extend(ast.iter_child_nodes(pattern))
            if case.guard is not None:
                self.look(case.guard, scope, context)
            self.todo.append((case.body, scope, Context(Branch.IF, node.subject, context, _takes_all(case))))

    def raise_(self, node: ast.Raise, scope: Scope, context: Context | None) -> None:
        self.walk.raises.append(Place(node, scope, context))
        self.other(node, scope, context)

    def delete(self, node: ast.Delete, scope: Scope, context: Context | None) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                self.changed(target.value.id, node, scope)
        self.other(node, scope, context)

    def assert_(self, node: ast.Assert, scope: Scope, context: Context | None) -> None:
        self.walk.tests.append(Place(node, scope, context))
        self.other(node, scope, context)

    def novelty(self, node: ast.stmt, scope: Scope, context: Context | None) -> None:
        """``type`` and what grammars to come may add."""
        self.walk.novelties.append(node)
        self.other(node, scope, context)

    def other(self, node: ast.stmt, scope: Scope, context: Context | None) -> None:
        """A statement with nothing but expressions in it."""
        for name in _FIELDS.get(type(node), node._fields):
            value = getattr(node, name, None)
            for each in value if isinstance(value, list) else (value,):
                if isinstance(each, ast.expr):
                    self.look(each, scope, context)

    # Binding

    def add(self, scope: Scope, name: str, binding: Binding) -> None:
        if name in scope.globals:
            scope = self.walk.module
        elif name in scope.nonlocals and scope.parent is not None:
            scope = scope.parent
            while name not in scope.bindings and scope.parent is not None and scope.parent.parent is not None:
                scope = scope.parent
        found = scope.bindings.get(name)
        if found is None:
            scope.bindings[name] = [binding]
        else:
            found.append(binding)

    def bind(
        self, target: ast.expr, bound: Bound, node: ast.AST, value: Any, scope: Scope, context: Context | None
    ) -> None:
        if type(target) is ast.Name:
            self.add(scope, target.id, Binding(bound, node, value, (), scope, context))
            return
        stack: list[tuple[ast.expr, tuple[int | None, ...]]] = [(target, ())]
        while stack:
            target, path = stack.pop()
            if isinstance(target, ast.Name):
                self.add(scope, target.id, Binding(bound, node, value, path, scope, context))
            elif isinstance(target, ast.Tuple | ast.List):
                starred = False
                for number, element in enumerate(target.elts):
                    starred = starred or isinstance(element, ast.Starred)
                    stack.append((element, (*path, None if starred else number)))
            elif isinstance(target, ast.Starred):
                stack.append((target.value, (*path, None)))
            elif isinstance(target, ast.Attribute):
                self.look(target.value, scope, context)
                binding = Binding(bound, node, value, path, scope, context)
                if isinstance(target.value, ast.Name):
                    self.walk.stores.append((target, binding))
                owner = self.instance_of(target.value, scope)
                if owner is not None:
                    owner.attributes.setdefault(target.attr, []).append(binding)
            elif isinstance(target, ast.Subscript):
                self.look(target, scope, context)
                if isinstance(target.value, ast.Name | ast.Attribute):
                    self.walk.stores.append((target, Binding(bound, node, value, path, scope, context)))
                if isinstance(target.value, ast.Name):
                    self.changed(target.value.id, node, scope)

    def changed(self, name: str, node: ast.AST, scope: Scope) -> None:
        """Remember that the object under *name* may be changed by *node*."""
        scope.changes.setdefault(name, []).append(node)

    def instance_of(self, node: ast.expr, scope: Scope) -> Scope | None:
        """The class whose method calls its first parameter *node*."""
        if type(node) is ast.Name and scope.kind is ScopeKind.DEF:
            parent = scope.parent
            if parent is not None and parent.kind is ScopeKind.CLASS and node.id == first_parameter(scope.node):
                return parent
        return None

    # Expressions

    def annotation(self, node: ast.expr, scope: Scope, context: Context | None) -> None:
        self.walk.annotations.append(Place(node, scope, context))

    def look(self, node: ast.AST, scope: Scope, context: Context | None) -> None:
        """Go through an expression; iteratively, since generated code nests deeply."""
        if type(node) is ast.Constant:
            return
        walk = self.walk
        if type(node) is ast.Name:
            walk.reads.append(Place(node, scope, context))
            scope.uses.add(node.id)
            return
        read, call, use = walk.reads.append, walk.calls.append, scope.uses.add
        place = tuple.__new__  # a third of the price of Place(…), and there is one for every name
        stack: list[Any] = [node]
        push, pop = stack.append, stack.pop
        while stack:
            node = pop()
            kind = type(node)
            if kind in _SKIPPED:
                continue
            if kind is ast.Name:
                read(place(Place, (node, scope, context)))
                use(node.id)  # type: ignore[attr-defined]
            elif kind is ast.Attribute:
                read(place(Place, (node, scope, context)))
                base = node.value  # type: ignore[attr-defined]
                while type(base) is ast.Attribute:
                    base = base.value
                if type(base) is ast.Name:
                    use(base.id)
                else:
                    push(base)
            elif kind is ast.Call:
                call(place(Place, (node, scope, context)))
                base = node.func  # type: ignore[attr-defined]
                if type(base) is ast.Attribute and base.attr in _REMOVING and type(base.value) is ast.Name:
                    self.changed(base.value.id, node, scope)
                while type(base) is ast.Attribute:
                    base = base.value
                if type(base) is ast.Name:
                    use(base.id)
                else:
                    push(base)
                stack.extend(node.args)  # type: ignore[attr-defined]
                for keyword in node.keywords:  # type: ignore[attr-defined]
                    push(keyword.value)
            elif kind in _FORMS:
                _FORMS[kind](self, node, scope, context, push)
            else:
                for name in _FIELDS.get(kind, ()):
                    value = getattr(node, name)
                    if type(value) is list:
                        stack.extend(value)
                    elif value is not None:
                        push(value)

    def subscript(
        self, node: ast.Subscript, scope: Scope, context: Context | None, push: Callable[[Any], None]
    ) -> None:
        value = node.value
        kind = type(value)
        place = Place(node, scope, context)
        self.walk.subscripts.append(place)
        if kind is ast.Name or (kind is ast.Attribute and value.attr == "environ"):  # type: ignore[attr-defined]
            self.walk.items.append(place)
        push(value)
        push(node.slice)

    def compare(self, node: ast.Compare, scope: Scope, context: Context | None, push: Callable[[Any], None]) -> None:
        self.walk.compared.append(node)
        if type(node.ops[0]) in (ast.In, ast.NotIn) and type(node.comparators[0]) in (ast.Name, ast.Attribute):
            self.walk.memberships.append(Place(node, scope, context))
        push(node.left)
        for each in node.comparators:
            push(each)

    def await_(self, node: ast.Await, scope: Scope, context: Context | None, push: Callable[[Any], None]) -> None:
        self.walk.awaited.add(node.value)
        push(node.value)

    def yield_(self, node: ast.Yield, scope: Scope, context: Context | None, push: Callable[[Any], None]) -> None:
        scope.owner.generator = True
        if node.value is not None:
            push(node.value)
            if type(node.value) is ast.Tuple:
                self.walk.novelties.append(node)

    def template(self, node: Any, scope: Scope, context: Context | None, push: Callable[[Any], None]) -> None:
        self.walk.novelties.append(node)
        for each in node.values:
            push(each)

    def walrus(self, node: ast.NamedExpr, scope: Scope, context: Context | None, push: Callable[[Any], None]) -> None:
        self.walk.novelties.append(node)
        push(node.value)
        around = scope
        while around.kind is ScopeKind.COMPREHENSION and around.parent is not None:
            around = around.parent
        self.add(around, node.target.id, Binding(Bound.ASSIGNED, node, node.value, (), scope, context))
        self.name_call(node.value, node.target)

    def if_exp(self, node: ast.IfExp, scope: Scope, context: Context | None, push: Callable[[Any], None]) -> None:
        push(node.test)
        self.walk.tests.append(Place(node, scope, context))
        self.todo.append((node.body, scope, Context(Branch.IF, node.test, context)))
        self.todo.append((node.orelse, scope, Context(Branch.IF, node.test, context, negated=True)))

    def bool_op(self, node: ast.BoolOp, scope: Scope, context: Context | None, push: Callable[[Any], None]) -> None:
        self.walk.compared.append(node)
        push(node.values[0])
        negated = isinstance(node.op, ast.Or)
        for before, value in zip(node.values, node.values[1:], strict=False):
            context = Context(Branch.IF, before, context, negated)
            if type(value) is ast.Name:
                push(value)
            else:
                self.todo.append((value, scope, context))

    def lambda_(self, node: ast.Lambda, scope: Scope, context: Context | None, push: Callable[[Any], None]) -> None:
        name = f"<lambda:{node.lineno}:{node.col_offset}>"
        child = self.child(ScopeKind.LAMBDA, name, node, scope)
        self.parameters(node.args, child, scope, context)
        self.todo.append((node.body, child, None))

    def comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        scope: Scope,
        context: Context | None,
        push: Callable[[Any], None],
    ) -> None:
        child = Scope(ScopeKind.COMPREHENSION, scope.name, node, scope)
        self.walk.comprehensions.append(child)
        inside = Context(Branch.LOOP, node, context)
        for number, generator in enumerate(node.generators):
            evaluated = child if number else scope
            if number:
                self.todo.append((generator.iter, child, inside))
            else:
                push(generator.iter)
            self.bind_element(generator.target, node, generator.iter, child, evaluated, inside)
            self.todo.extend((test, child, inside) for test in generator.ifs)
        if isinstance(node, ast.DictComp):
            self.todo.append((node.key, child, inside))
            self.todo.append((node.value, child, inside))
        else:
            self.todo.append((node.elt, child, inside))

    def bind_element(
        self, target: ast.expr, node: ast.AST, value: ast.expr, scope: Scope, evaluated: Scope, context: Context
    ) -> None:
        stack: list[tuple[ast.expr, tuple[int | None, ...]]] = [(target, ())]
        while stack:
            target, path = stack.pop()
            if isinstance(target, ast.Name):
                self.add(scope, target.id, Binding(Bound.ELEMENT, node, value, path, evaluated, context))
            elif isinstance(target, ast.Tuple | ast.List):
                stack.extend((element, (*path, number)) for number, element in enumerate(target.elts))
            elif isinstance(target, ast.Starred):
                stack.append((target.value, (*path, None)))


_STATEMENTS: Final[dict[type[ast.AST], Callable[..., None]]] = {
    ast.Expr: _Walker.expr,
    ast.Assign: _Walker.assign,
    ast.AnnAssign: _Walker.ann_assign,
    ast.AugAssign: _Walker.aug_assign,
    ast.FunctionDef: _Walker.definition,
    ast.AsyncFunctionDef: _Walker.definition,
    ast.ClassDef: _Walker.class_def,
    ast.Import: _Walker.import_,
    ast.ImportFrom: _Walker.import_,
    ast.If: _Walker.if_,
    ast.For: _Walker.for_,
    ast.AsyncFor: _Walker.for_,
    ast.While: _Walker.while_,
    ast.With: _Walker.with_,
    ast.AsyncWith: _Walker.with_,
    ast.Try: _Walker.try_,
    ast.TryStar: _Walker.try_,
    ast.Return: _Walker.return_,
    ast.Raise: _Walker.raise_,
    ast.Delete: _Walker.delete,
    ast.Global: _Walker.global_,
    ast.Nonlocal: _Walker.nonlocal_,
    ast.Match: _Walker.match,
    ast.Pass: _Walker.nothing,
    ast.Break: _Walker.nothing,
    ast.Continue: _Walker.nothing,
    ast.Assert: _Walker.assert_,
}

_FORMS: Final[dict[type[ast.AST], Callable[..., None]]] = {
    ast.Subscript: _Walker.subscript,
    ast.Compare: _Walker.compare,
    ast.Await: _Walker.await_,
    ast.Yield: _Walker.yield_,
    ast.YieldFrom: _Walker.yield_,
    ast.NamedExpr: _Walker.walrus,
    ast.IfExp: _Walker.if_exp,
    ast.BoolOp: _Walker.bool_op,
    ast.Lambda: _Walker.lambda_,
    ast.ListComp: _Walker.comprehension,
    ast.SetComp: _Walker.comprehension,
    ast.DictComp: _Walker.comprehension,
    ast.GeneratorExp: _Walker.comprehension,
    ast.JoinedStr: _Walker.template,
    # Python has it from 3.14 on.
    **({ast.TemplateStr: _Walker.template} if hasattr(ast, "TemplateStr") else {}),
}


def first_parameter(node: ast.AST) -> str | None:
    """The name under which a method knows its instance or class; ``None`` for a static method or no method."""
    if not isinstance(node, _DEFS):
        return None
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Name) and decorator.id == "staticmethod":
            return None
    args = node.args.posonlyargs or node.args.args
    return args[0].arg if args else None


def _last_part(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _afterwards(statement: ast.If | ast.Match, context: Context | None) -> Context | None:
    """The context of what follows: where one branch leaves, the other was taken."""
    if isinstance(statement, ast.If):
        leaves = isinstance(statement.body[-1], _ENDS)
        otherwise = bool(statement.orelse) and isinstance(statement.orelse[-1], _ENDS)
        if leaves is not otherwise:
            return Context(Branch.IF, statement.test, context, negated=leaves, after=True)
    elif _takes_all(statement.cases[-1]) and isinstance(statement.cases[-1].body[-1], _ENDS):
        return Context(Branch.IF, statement.subject, context, after=True)
    return context


def _takes_all(case: ast.match_case) -> bool:
    """Whether it is what is left: ``case _``."""
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def _special(test: ast.expr) -> Branch | None:
    """Whether a test asks for the type checker or for being run as a program."""
    if isinstance(test, ast.Name) and test.id == "TYPE_CHECKING":
        return Branch.TYPE_CHECKING
    if isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING":
        return Branch.TYPE_CHECKING
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        sides = (test.left, test.comparators[0])
        if any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides):
            for side in sides:
                if isinstance(side, ast.Constant) and side.value == "__main__":
                    return Branch.MAIN
    return None
