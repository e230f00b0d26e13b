"""Terraform: a root module with its local modules, evaluated as far as the project alone allows.

What the project states decides.  A variable of the root module has its default, and what rests on it says so
(``Known.parameter``); ``count`` and ``for_each`` are decided by defaults, since otherwise there would be nothing to
look at, while conditional values keep both branches.  A variable of a child module that its caller does not set is
decided: it has its default as long as the project is as it is.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.terraform_expressions import Expressions, Scope, Step, spelled_key
from lambdalint.join.terraform_modules import (
    Source,
    Sources,
    address_in,
    constraint_of,
    converted,
    given_expressions,
    spelled_out,
)
from lambdalint.join.terraform_values import (
    Instances,
    Invalid,
    Leaning,
    TooMuchError,
    Work,
    WrongError,
    integer_in,
    mentions,
    text_in,
)
from lambdalint.model.hcl import Attribute, Block, Body, Expression, ListOf, Literal, ObjectOf
from lambdalint.model.places import Span
from lambdalint.model.terraform import TerraformModuleCall, TerraformProject, TerraformProvider, TerraformResource
from lambdalint.model.values import Known, Properties, Property, Reference, Unknown
from lambdalint.readers.tree import Tree, joined

#: Instances of one block, and of all blocks.
MAX_INSTANCES: Final = 500
MAX_RESOURCES: Final = 20_000
#: Calls of local modules, and how deep they lie within one another.
MAX_MODULES: Final = 2_000
MAX_MODULE_DEPTH: Final = 20

#: How the source of a module in the project begins.
LOCAL: Final = ("./", "../")

#: Arguments that say how Terraform treats a block, and blocks within it that say nothing about what is made.
_META_ARGUMENTS: Final = frozenset(("count", "for_each", "depends_on", "provider", "providers", "source", "version"))
_META_BLOCKS: Final = frozenset(("lifecycle", "provisioner", "connection", "timeouts"))

Key = str | int | None


def evaluate(tree: Tree, folder: str, inputs: Inputs, said: Said) -> TerraformProject:
    """What the root module in *folder* declares; what cannot be read, and bounds that were hit, go to *said*."""
    return _Project(tree, folder, inputs, said).evaluated()


@dataclass(frozen=True, slots=True, eq=False)
class _Instance:
    """One instance of a block; *condition* is what decides whether there is one, ``None`` when there is."""

    address: str
    scope: Scope
    condition: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Expansion:
    """The instances of a block by key; *value* is what the block's address means."""

    instances: Mapping[Key, _Instance]
    value: Property


@dataclass(slots=True)
class _Progress:
    """What was found so far."""

    resources: list[TerraformResource] = field(default_factory=list)
    calls: list[TerraformModuleCall] = field(default_factory=list)
    children: set[str] = field(default_factory=set)
    modules: int = 0


class _Project:
    """One root module while it is evaluated."""

    def __init__(self, tree: Tree, folder: str, inputs: Inputs, said: Said) -> None:
        self.tree, self.folder, self.said = tree, folder, said
        self.work = Work(said)
        self.expressions = Expressions(tree, folder, self.work)
        self.sources = Sources(tree, said)
        self.given = given_expressions(self.sources, tree, folder, inputs)
        self.found = _Progress()

    def evaluated(self) -> TerraformProject:
        root = _Module(self, self.sources.of(self.folder), "")
        todo = deque([root])
        while todo:
            module = todo.popleft()
            for name, block in module.source.resources.items():
                self._emit(module, name, block)
            for name, block in module.source.modules.items():
                todo += self._called(module, name, block)
        return TerraformProject(
            folder=self.folder,
            resources=tuple(self.found.resources),
            module_calls=tuple(self.found.calls),
            children=frozenset(self.found.children - {self.folder}),
            files=tuple(dict.fromkeys(self.sources.files)),
            providers=tuple(root.providers.values()),
            outputs={name: root.output(name) for name in root.source.outputs},
        )

    def _emit(self, module: "_Module", name: str, block: Block) -> None:
        for instance in module.expansion(name, block).instances.values():
            if len(self.found.resources) >= MAX_RESOURCES:
                self.work.tell(f"there are more than {MAX_RESOURCES:,} resources; the rest are left out", block.span)
                return
            attributes = block.body.attributes
            depends = attributes["depends_on"].expression if "depends_on" in attributes else None
            self.found.resources.append(
                TerraformResource(
                    address=instance.address,
                    type=block.labels[0],
                    name=block.labels[1],
                    attributes=self.properties(block.body, instance.scope, _META_ARGUMENTS - {"source", "version"}),
                    span=block.span,
                    extent=block.extent,
                    mode="data" if block.type == "data" else "managed",
                    module=module.address,
                    folder=module.source.folder,
                    condition=instance.condition or module.condition,
                    provider=module.provider_of(block, block.labels[0].partition("_")[0]),
                    depends_on=tuple(
                        module.prefix + address_in(item)
                        for item in (depends.items if isinstance(depends, ListOf) else ())
                    ),
                    uses={name: attribute.expression.span for name, attribute in attributes.items()},
                    ignored=tuple(_ignored(block)),
                )
            )

    def _called(self, module: "_Module", name: str, block: Block) -> Iterator["_Module"]:
        """The local modules that *block* calls; a call of another is kept."""
        for instance in module.expansion(f"module.{name}", block).instances.values():
            child = module.child(instance, block)
            if child is not None:
                self.found.children.add(child.source.folder)
                yield child
                continue
            attributes = block.body.attributes
            source = attributes.get("source")
            self.found.calls.append(
                TerraformModuleCall(
                    address=instance.address,
                    source=None if source is None else self.expressions.value(source.expression, instance.scope),
                    arguments=self.properties(block.body, instance.scope, _META_ARGUMENTS),
                    span=block.span,
                    extent=block.extent,
                    module=module.address,
                    folder=module.source.folder,
                    condition=instance.condition or module.condition,
                    provider=module.provider_of(block, "aws"),
                    uses={name: attribute.expression.span for name, attribute in attributes.items()},
                )
            )

    def properties(self, body: Body, scope: Scope, meta: frozenset[str] = frozenset()) -> dict[str, Property]:
        """Arguments and nested blocks of *body*; what is ``null`` is absent."""
        found: dict[str, Property] = {}
        value = self.expressions.value
        for name, attribute in body.attributes.items():
            if name not in meta and (settled := _settled(value(attribute.expression, scope))) is not None:
                found[name] = settled
        for name in dict.fromkeys(_inner_type(block) for block in body.blocks if block.type not in _META_BLOCKS):
            if name and (settled := _settled(self.blocks(body, name, scope))) is not None:
                found[name] = settled
        return found

    def blocks(self, body: Body, name: str, scope: Scope) -> Property:
        """The nested blocks of one type as a list of mappings; ``null`` when it turns out that there are none."""
        blocks = [block for block in body.blocks if _inner_type(block) == name]
        span = blocks[0].span
        try:
            with self.expressions.deeper(3) as may:
                if not may:
                    return self.expressions.refused(span)
                return self._together([self._block(block, scope) for block in blocks], span)
        except TooMuchError as bound:
            self.work.tell(bound.message, span)
            return self.expressions.unknown(span)

    def _block(self, block: Block, scope: Scope) -> Property:
        if block.type == "dynamic":
            return self._dynamic(block, scope)
        mapping = self.work.mapped(self.properties(block.body, scope), block.extent)
        return self.work.listed((mapping,), block.extent)

    def _together(self, parts: Sequence[Property], span: Span) -> Property:
        def together(world: Sequence[Property]) -> Property:
            if any(isinstance(part, Unknown) for part in world):
                return self.expressions.unknown(span, world)
            items = [item for part in world if isinstance(part, Known) for item in part.value]
            return self.work.listed(items, world[0].span) if items else Known(None, span)

        return self.expressions.lifted(parts, together, span)

    def _dynamic(self, block: Block, scope: Scope) -> Property:
        """What a ``dynamic`` block expands to."""
        expressions, attributes = self.expressions, block.body.attributes
        content = next((inner for inner in block.body.blocks if inner.type == "content"), None)
        each = attributes.get("for_each")
        if content is None or each is None:
            return expressions.unknown(block.span)
        iterator = address_in(attributes["iterator"].expression) if "iterator" in attributes else block.labels[0]
        body = content.body

        def mapping(key: Property, item: Property) -> Property:
            names = {iterator: self.work.mapped({"key": key, "value": item}, block.span)}
            return self.work.mapped(self.properties(body, scope.having(names)), content.extent)

        def expanded(world: Sequence[Property]) -> Property:
            pairs = expressions.pairs(world[0])
            if pairs is None:
                item = Unknown(f"{iterator}.value", block.span, mentions=mentions(world))
                return expressions.unknown(block.span, (*world, mapping(Unknown(f"{iterator}.key", block.span), item)))
            return self.work.listed([mapping(key, item) for key, item in pairs[:MAX_INSTANCES]], block.extent)

        return expressions.lifted([expressions.value(each.expression, scope)], expanded, block.span)


def _inner_type(block: Block) -> str:
    return (block.labels[0] if block.labels else "") if block.type == "dynamic" else block.type


def _ignored(block: Block) -> Iterator[str]:
    """The arguments that ``ignore_changes`` names."""
    for inner in block.body.blocks:
        if inner.type == "lifecycle" and (named := inner.body.attributes.get("ignore_changes")):
            items = named.expression.items if isinstance(named.expression, ListOf) else (named.expression,)
            yield from filter(None, map(address_in, items))


def _settled(value: Property) -> Property | None:
    """*value* as an argument has it: ``null`` is absence, in each of its worlds."""
    if isinstance(value, Known):
        return None if value.value is None else value
    if value.choices and any(isinstance(choice, Known) and choice.value is None for choice in value.choices):
        choices = tuple(None if isinstance(each, Known) and each.value is None else each for each in value.choices)
        return replace(value, choices=choices)
    return value


class _Module:
    """One module as it is called: the root, or an instance of a ``module`` block."""

    def __init__(
        self,
        project: _Project,
        source: Source,
        address: str,
        caller: "_Module | None" = None,
        call: Block | None = None,
        instance: _Instance | None = None,
    ) -> None:
        self.project, self.source, self.address = project, source, address
        self.prefix = f"{address}." if address else ""
        self.caller, self.call, self.instance = caller, call, instance
        self.depth: int = caller.depth + 1 if caller else 0
        self.condition: str | None = (instance.condition if instance else None) or (
            caller.condition if caller else None
        )
        self._remembered: dict[tuple[str, str], Property] = {}
        self._deciding: set[tuple[str, str]] = set()
        self._expansions: dict[str, _Expansion] = {}
        self._children: dict[str, _Module | None] = {}
        self.scope = Scope(self)
        self.providers: dict[str, TerraformProvider] = dict(self._providers())

    # Names

    def named(self, name: str, steps: Sequence[Step], span: Span) -> tuple[Property, int]:
        """What *name* with the *steps* after it means, and how many of them that takes."""
        first = steps[0] if steps else None
        if not isinstance(first, str):
            return self._undeclared(name, span), len(steps)
        if name == "var":
            return self.variable(first, span), 1
        if name == "local":
            return self.local(first, span), 1
        if name == "module" and first in self.source.modules:
            return _at(self.expansion(f"module.{first}", self.source.modules[first]).value, span), 1
        if name == "path":
            return self._path(first, span), 1
        taken = 1
        full = f"{name}.{first}"
        if name == "data" and len(steps) > 1 and isinstance(steps[1], str):
            taken, full = 2, f"data.{first}.{steps[1]}"
        block = self.source.resources.get(full)
        if block is None:
            return self._undeclared(name, span), len(steps)
        return _at(self.expansion(full, block).value, span), taken

    def _undeclared(self, name: str, span: Span) -> Property:
        return Unknown(self.project.expressions.words(span) or name, span)

    def _path(self, name: str, span: Span) -> Property:
        """A path as seen from the root module's folder, in which Terraform is taken to run."""
        if name in ("root", "cwd"):
            return Known(".", span)
        return (
            Known(_relative(self.source.folder, self.project.folder), span) if name == "module" else Unknown(name, span)
        )

    def _once(self, kind: str, name: str, span: Span, result: Callable[[], Property]) -> Property:
        """*result*, worked out once; what rests on itself is not known."""
        key = (kind, name)
        found = self._remembered.get(key)
        if found is None:
            if key in self._deciding:
                return Unknown(f"{kind}.{name}", span)
            self._deciding.add(key)
            try:
                with self.project.expressions.deeper(2):
                    found = self._remembered[key] = result()
            finally:
                self._deciding.discard(key)
        return found

    def local(self, name: str, span: Span) -> Property:
        attribute = self.source.locals.get(name)
        if attribute is None:
            return Unknown(f"local.{name}", span)
        return self._once("local", name, span, lambda: self._value(attribute.expression, self.scope))

    def output(self, name: str) -> Property:
        block = self.source.outputs[name]
        attribute = block.body.attributes.get("value")
        if attribute is None:
            return Unknown(f"{self.prefix}{name}", block.span)
        return self._once("output", name, block.span, lambda: self._value(attribute.expression, self.scope))

    def variable(self, name: str, span: Span) -> Property:
        block = self.source.variables.get(name)
        if block is None:
            return Unknown(f"var.{name}", span)
        found = self._once("var", name, block.span, lambda: self._variable(name, block))
        # What is not known about a variable is not known where it is used.
        return _at(found, span) if isinstance(found, Unknown) and not found.choices else found

    def _value(self, expression: Expression, scope: Scope) -> Property:
        return self.project.expressions.value(expression, scope)

    def _variable(self, name: str, block: Block) -> Property:
        constraint = constraint_of(block)
        work = self.project.work
        given = self._given(name, constraint)
        refuses_null = _is_false(block.body.attributes.get("nullable"))
        try:
            if given is not None and not (refuses_null and isinstance(given, Known) and given.value is None):
                return converted(given, constraint, work)
            default = block.body.attributes.get("default")
            if default is None:
                return Unknown(f"var.{name}", block.span)
            value = converted(self._value(default.expression, Scope(None)), constraint, work)
            return value if self.caller else _defaulted(value, name, work)
        except TooMuchError as bound:
            work.tell(bound.message, block.span)
            return Unknown(f"var.{name}", block.span)

    def _given(self, name: str, constraint: Expression | None) -> Property | None:
        if self.caller and self.call and self.instance:
            attribute = self.call.body.attributes.get(name)
            if name in ("source", "version") or attribute is None:
                return None
            return self._value(attribute.expression, self.instance.scope)
        expression = self.project.given.get(name)
        if expression is None:
            return None
        if isinstance(expression, Literal) and isinstance(expression.value, str):
            expression = spelled_out(expression.value, constraint, expression.span)
        return self._value(expression, Scope(None))

    # Instances

    def expansion(self, name: str, block: Block) -> _Expansion:
        """The instances of the block that is called *name* in this module."""
        found = self._expansions.get(name)
        if found is None:
            key = ("instances", name)
            if key in self._deciding:
                return _Expansion({}, Unknown(self.prefix + name, block.span))
            self._deciding.add(key)
            try:
                with self.project.expressions.deeper(2):
                    found = self._expansions[name] = self._expanded(self.prefix + name, block)
            except TooMuchError as bound:
                self.project.work.tell(bound.message, block.span)
                found = self._expansions[name] = _Expansion({}, Unknown(self.prefix + name, block.span))
            finally:
                self._deciding.discard(key)
            for instance in found.instances.values():
                # ``partial`` rather than a closure: the loop's variable changes.
                self.project.expressions.objects[instance.address] = (
                    partial(self._module_output, instance, block)
                    if block.type == "module"
                    else partial(self._argument, instance, block)
                )
        return found

    def _expanded(self, address: str, block: Block) -> _Expansion:
        count, each = (block.body.attributes.get(name) for name in ("count", "for_each"))
        if each is not None:
            return self._for_each(address, block, each)
        if count is not None:
            return self._counted(address, block, count)
        return _Expansion({None: _Instance(address, self.scope)}, _whole(address, block.span))

    def _counted(self, address: str, block: Block, attribute: Attribute) -> _Expansion:
        span = attribute.expression.span
        numbers = _worlds(self._value(attribute.expression, self.scope), _whole_number)
        if numbers is None:
            scope = self._scope("count", {"index": Unknown("count.index", span)}, span)
            return self._open(address, "[count.index]", scope, block, attribute)
        most = max(numbers)
        if most > MAX_INSTANCES:
            self.project.work.tell(f"count makes {most:,} instances; {MAX_INSTANCES} are looked at", span)
            numbers = [min(number, MAX_INSTANCES) for number in numbers]
            most = MAX_INSTANCES
        words = self.project.expressions.words(span)
        instances: dict[Key, _Instance] = {
            index: _Instance(
                f"{address}[{index}]",
                self._scope("count", {"index": Known(index, span)}, span),
                words if index >= min(numbers) else None,
            )
            for index in range(most)
        }
        worlds: list[Property] = [
            self.project.work.listed([_whole(instances[index].address, block.span) for index in range(number)], span)
            for number in dict.fromkeys(numbers)
        ]
        return _Expansion(instances, _one_of_worlds(worlds, words, span))

    def _for_each(self, address: str, block: Block, attribute: Attribute) -> _Expansion:
        span = attribute.expression.span
        collections = _worlds(self._value(attribute.expression, self.scope), _keyed)
        words = self.project.expressions.words(span)
        if collections is None:
            members = {name: Unknown(f"each.{name}", span) for name in ("key", "value")}
            return self._open(address, "[each.key]", self._scope("each", members, span), block, attribute)
        if max(map(len, collections)) > MAX_INSTANCES:
            most = max(map(len, collections))
            self.project.work.tell(f"for_each makes {most:,} instances; {MAX_INSTANCES} are looked at", span)
            collections = [dict(list(each.items())[:MAX_INSTANCES]) for each in collections]
        instances: dict[Key, _Instance] = {}
        for collection in collections:
            for key, item in collection.items():
                if key not in instances:
                    names: dict[str, Property] = {"key": Known(key, item.span), "value": item}
                    always = all(key in other for other in collections)
                    instances[key] = _Instance(
                        address + spelled_key(key), self._scope("each", names, span), None if always else words
                    )
        worlds: list[Property] = [
            self.project.work.mapped({key: _whole(instances[key].address, block.span) for key in collection}, span)
            for collection in collections
        ]
        return _Expansion(instances, _one_of_worlds(worlds, words, span))

    def _open(self, address: str, key: str, scope: Scope, block: Block, attribute: Attribute) -> _Expansion:
        """One instance that stands for all, since nobody knows how many there are."""
        words = self.project.expressions.words(attribute.expression.span)
        one = _Instance(address + key, scope, words)
        return _Expansion({None: one}, Instances(address, block.span, refers=Reference(one.address)))

    def _scope(self, name: str, members: Mapping[str, Property], span: Span) -> Scope:
        return Scope(self, {name: self.project.work.mapped(dict(members), span)})

    def _argument(self, instance: _Instance, block: Block, name: str) -> Property | None:
        """An argument of a resource that says more than a reference to it: anything but text."""
        attribute = block.body.attributes.get(name)
        if name in _META_ARGUMENTS:
            return None
        if attribute is not None:
            value = self._once(
                instance.address, name, attribute.span, lambda: self._value(attribute.expression, instance.scope)
            )
        elif any(_inner_type(inner) == name for inner in block.body.blocks):
            value = self._once(
                instance.address, name, block.span, lambda: self.project.blocks(block.body, name, instance.scope)
            )
        else:
            return None
        return value if isinstance(value, Known) and not isinstance(value.value, str | None) else None

    def _module_output(self, instance: _Instance, block: Block, name: str) -> Property | None:
        child = self.child(instance, block)
        if child is None:
            return None
        if name in child.source.outputs:
            return child.output(name)
        return Invalid(f"{instance.address}.{name}", block.span)

    # Modules

    def child(self, instance: _Instance, block: Block) -> "_Module | None":
        """The local module that an instance of a ``module`` block is; ``None`` when it is not in the project."""
        if instance.address not in self._children:
            self._children[instance.address] = self._child(instance, block)
        return self._children[instance.address]

    def _child(self, instance: _Instance, block: Block) -> "_Module | None":
        attribute = block.body.attributes.get("source")
        source = attribute.expression if attribute else None
        if not isinstance(source, Literal) or not str(source.value).startswith(LOCAL):
            return None
        project = self.project
        folder = joined(self.source.folder, str(source.value))
        if folder is None or not project.sources.of(folder).files:
            project.said.notes.append(f"{instance.address} is made from {source.value}, which is not among these files")
            return None
        if any(module.source.folder == folder for module in self._ways()):
            project.work.tell(f"the module in {folder or '.'} calls itself", source.span)
            return None
        if self.depth >= MAX_MODULE_DEPTH:
            project.work.tell(f"modules call each other more than {MAX_MODULE_DEPTH} levels deep", source.span)
            return None
        project.found.modules += 1
        if project.found.modules > MAX_MODULES:
            project.work.tell(f"there are more than {MAX_MODULES:,} modules; the rest are left out", source.span)
            return None
        return _Module(project, project.sources.of(folder), instance.address, self, block, instance)

    def _ways(self) -> Iterator["_Module"]:
        """This module and those that call it."""
        module: _Module | None = self
        while module is not None:
            yield module
            module = module.caller

    # Providers

    def _providers(self) -> Iterator[tuple[str, TerraformProvider]]:
        """The providers of this module by how its blocks name them, its caller's included."""
        if self.caller and self.call:
            yield from ((name, each) for name, each in self.caller.providers.items() if each.alias is None)
            passed = self.call.body.attributes.get("providers")
            for key, item in passed.expression.items if passed and isinstance(passed.expression, ObjectOf) else ():
                provider = self.caller.providers.get(address_in(item))
                if provider is not None:
                    yield address_in(key), provider
        for block in self.source.providers:
            settings = self.project.properties(block.body, self.scope)
            alias = settings.get("alias")
            named = alias.value if isinstance(alias, Known) and isinstance(alias.value, str) else None
            provider = TerraformProvider(
                block.labels[0], named, settings, block.span, settings.get("region"), _default_tags(settings)
            )
            yield f"{block.labels[0]}.{named}" if named else block.labels[0], provider

    def provider_of(self, block: Block, name: str) -> TerraformProvider | None:
        """The provider that makes a resource: the one that it names, or the one that its type is named for."""
        attribute = block.body.attributes.get("provider")
        return self.providers.get(address_in(attribute.expression) if attribute else name)


def _default_tags(settings: Properties) -> Property | None:
    blocks = settings.get("default_tags")
    if not isinstance(blocks, Known):
        return blocks
    first = blocks.value[0] if isinstance(blocks.value, tuple) and blocks.value else blocks
    tags = first.value.get("tags") if isinstance(first, Known) and isinstance(first.value, dict) else None
    return tags if isinstance(tags, Known | Unknown) else None


def _whole(address: str, span: Span) -> Unknown:
    """A resource or module as a whole."""
    return Unknown(address, span, refers=Reference(address))


def _at(value: Property, span: Span) -> Property:
    return replace(value, span=span) if isinstance(value, Unknown) else value


def _one_of_worlds(worlds: list[Property], words: str, span: Span) -> Property:
    return worlds[0] if len(worlds) == 1 else Unknown(words, span, choices=tuple(worlds))


def _worlds(value: Property, read: Callable[[Property], Any]) -> list[Any] | None:
    """What *read* makes of *value* in each of its worlds; of one that defaults decide, in the world they give.

    ``None`` when that is not known.
    """
    worlds: Sequence[Property | None] = (value,)
    if isinstance(value, Unknown) and value.choices:
        worlds = value.choices[:1] if isinstance(value, Leaning) else value.choices
    try:
        found = [read(world) for world in worlds if world is not None]
    except WrongError:
        return None
    return None if not found or None in found else found


def _whole_number(value: Property) -> int | None:
    number = integer_in(value) if isinstance(value, Known) else None
    return number if number is not None and number >= 0 else None


def _keyed(value: Property) -> dict[str, Property] | None:
    """The instances that a map or a set makes."""
    if not isinstance(value, Known):
        return None
    if isinstance(value.value, dict):
        return {key: value.value[key] for key in sorted(value.value)}
    if not isinstance(value.value, tuple) or any(isinstance(item, Unknown) for item in value.value):
        return None
    return {text_in(item): item for item in value.value}


def _is_false(attribute: Attribute | None) -> bool:
    return attribute is not None and isinstance(attribute.expression, Literal) and attribute.expression.value is False


def _defaulted(value: Property, name: str, work: Work) -> Property:
    """*value* as the default of a variable: all of it may be another."""
    if isinstance(value, Unknown):
        return value
    work.spend(1)
    made: Any = value.value
    if isinstance(made, tuple):
        made = work.listed([_defaulted(item, name, work) for item in made], value.span).value
    elif isinstance(made, dict):
        made = work.mapped({key: _defaulted(item, name, work) for key, item in made.items()}, value.span).value
    return Known(made, value.span, parameter=name)


def _relative(folder: str, root: str) -> str:
    """*folder* as seen from *root*."""
    parts, base = (path.split("/") if path else [] for path in (folder, root))
    shared = 0
    while shared < min(len(parts), len(base)) and parts[shared] == base[shared]:
        shared += 1
    return "/".join([".."] * (len(base) - shared) + parts[shared:]) or "."
