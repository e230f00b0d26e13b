"""Plans of Terraform, as ``terraform show -json`` writes them.

A plan has the values and, beside them, the configuration, which says only what an expression refers to.  Together they
make the resources that the configuration itself would.

Source: https://developer.hashicorp.com/terraform/internals/json-format
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.cloudformation import Declared
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.terraform import declared
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node, Scalar, Sequence
from lambdalint.model.places import Span
from lambdalint.model.terraform import TerraformProject, TerraformResource
from lambdalint.model.values import Known, Property, Reference, Unknown
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Mounted

#: The version of the format that this reads; one with another first number means something else.
VERSION: Final = "1"
MAX_RESOURCES: Final = 20_000
#: Modules within modules, and references through their variables and outputs.
_MAX_DEPTH: Final = 32

_INDEX: Final = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')
_LAST_INDEX: Final = re.compile(_INDEX.pattern + "$")
#: A reference as the configuration writes it: the address of a resource, and what lies below it.
_RESOURCE: Final = re.compile(
    r'(?P<address>(?:data\.)?[A-Za-z]\w*\.[\w-]+(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?)(?:\.(?P<attribute>.+))?'
)
_OUTPUT: Final = re.compile(r'(?P<call>module\.[\w-]+(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?)(?:\.(?P<output>[\w-]+))?')
_HIDDEN: Final = ("local.", "each.", "count.", "path.", "terraform.", "self.")
_KEYS: Final = ("count.index", "each.key")
#: Arguments that are what a resource has, and lists of it, by the end of their names.
_SINGLE: Final[Mapping[str, str]] = {"_id": "id", "_arn": "arn"}
_LISTS: Final[Mapping[str, str]] = {
    "_ids": "id",
    "_arns": "arn",
    "layers": "arn",
    "subnets": "id",
    "security_groups": "id",
}


def declare_plan(tree: Mounted, path: str, inputs: Inputs, said: Said) -> Iterator[Declared]:
    """What the plan at *path* will have made; paths in it are relative to its folder.

    Raises:
        UnreadableInput: it is no JSON, or of a version that is not known.
    """
    yield declared(plan_project(read_json(decoded(tree.read(path), path), path), path, said), path, tree, said)


def plan_project(document: Node, path: str, said: Said) -> TerraformProject:
    """The resources that a plan will have made, those of all modules.

    Raises:
        UnreadableInput: its version is not known.
    """
    version = _text(_at(document, "format_version"))
    if version.partition(".")[0] != VERSION:
        raise UnreadableInput(
            f"this plan has format {version or 'without a version'}; only format {VERSION} is known",
            path=path,
            hint="write the plan with Terraform 1.1 or newer",
        )
    resources = list(_Plan(document).resources())
    if len(resources) > MAX_RESOURCES:
        said.failures.append(
            UnreadableInput(
                f"the plan has more than {MAX_RESOURCES:,} resources; the rest was not looked at", path=path
            )
        )
    return TerraformProject(path.rpartition("/")[0], tuple(resources[:MAX_RESOURCES]), files=(path,))


@dataclass(frozen=True, slots=True, eq=False)
class _Module:
    """One instance of a module: *address* of the instance, *config* what the configuration says of the module.

    *given* are the expressions of its variables, as the calling module, *parent*, writes them.
    """

    address: str
    config: Node | None
    given: Node | None = None
    parent: "_Module | None" = None

    def within(self, address: str) -> str:
        """*address* as seen from the root."""
        return f"{self.address}.{address}" if self.address else address


@dataclass(slots=True)
class _Referred:
    """What an expression refers to.

    *hidden* says that there is something else in it, too; *same* that the key of the instance is, which mostly picks
    the instance with the same key.
    """

    to: dict[Reference, None] = field(default_factory=dict)
    hidden: bool = False
    same: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Planned:
    """A resource in the plan with the module that it is in."""

    node: Document
    address: str
    module: _Module
    config: Node | None

    @property
    def key(self) -> str:
        """The index of the instance, with its brackets; empty when there is only one."""
        match = _LAST_INDEX.search(self.address)
        return match[0] if match else ""


class _Plan:
    """A plan while it is read."""

    def __init__(self, document: Node) -> None:
        self._document = document
        self._unknown = {
            _text(_at(each, "address")): _at(each, "change", "after_unknown")
            for each in _items(_at(document, "resource_changes"))
        }
        self._planned: dict[str, _Planned] = {}
        root = _Module("", _at(document, "configuration", "root_module"))
        for planned in self._walk(_at(document, "prior_state", "values", "root_module"), root, 0):
            if _text(_at(planned.node, "mode")) == "data":
                self._planned[planned.address] = planned
        for planned in self._walk(_at(document, "planned_values", "root_module"), root, 0):
            self._planned[planned.address] = planned
        self._instances: dict[str, list[str]] = {}
        for address in self._planned:
            self._instances.setdefault(_INDEX.sub("", address), []).append(address)

    def resources(self) -> Iterator[TerraformResource]:
        """All resources of the plan, and the data sources that it has read or will read."""
        for planned in self._planned.values():
            yield self._resource(planned)

    def _walk(self, values: Node | None, module: _Module, depth: int) -> Iterator[_Planned]:
        configs = {
            f"{_prefix(each)}{_text(_at(each, 'type'))}.{_text(_at(each, 'name'))}": each
            for each in _items(_at(module.config, "resources"))
        }
        for node in _items(_at(values, "resources")):
            if isinstance(node, Document):
                name = f"{_prefix(node)}{_text(_at(node, 'type'))}.{_text(_at(node, 'name'))}"
                yield _Planned(node, _text(_at(node, "address")), module, configs.get(name))
        for child in _items(_at(values, "child_modules")):
            if depth < _MAX_DEPTH:
                address = _text(_at(child, "address"))
                yield from self._walk(child, _called(module, address), depth + 1)

    def _resource(self, planned: _Planned) -> TerraformResource:
        node = planned.node
        expressions = _at(planned.config, "expressions")
        values, unknown = _at(node, "values"), self._unknown.get(planned.address)
        attributes: dict[str, Property] = {}
        for name in dict.fromkeys((*_keys(values), *_keys(unknown))):
            value = self._value(_at(values, name), _at(unknown, name), _at(expressions, name), planned, name, node.span)
            if value is not None:
                attributes[name] = value
        if isinstance(tags := attributes.get("tags_all"), Known):
            attributes["tags"] = tags
        at = _at(node, "address")
        return TerraformResource(
            address=planned.address,
            type=_text(_at(node, "type")),
            name=_text(_at(node, "name")),
            attributes=attributes,
            span=at.span if at is not None else node.span,
            extent=node.span,
            mode=_text(_at(node, "mode")) or "managed",
            module=planned.module.address,
        )

    def _value(
        self, value: Node | None, unknown: Node | None, expression: Node | None, owner: _Planned, name: str, place: Span
    ) -> Property | None:
        """The value of one argument, or of a part of it: *name* is the argument's, *place* that of the whole."""
        if isinstance(unknown, Scalar) and unknown.value is True:
            return self._hidden(expression, owner, name, value.span if value is not None else place)
        if isinstance(value, Document):
            found: dict[str, Property] = {}
            for key in dict.fromkeys((*value.items, *_keys(unknown))):
                part = self._value(
                    value.items.get(key),
                    _at(unknown, key),
                    expression if _is_leaf(expression) else _at(expression, key),
                    owner,
                    key if not _is_leaf(expression) else name,
                    value.span,
                )
                if part is not None:
                    found[key] = part
            return Known(found, value.span, expression is not None)
        if isinstance(value, Sequence):
            return self._list(value, unknown, expression, owner, name)
        if value is None and isinstance(unknown, Document):
            return None
        if value is None or (isinstance(value, Scalar) and value.value is None):
            return None
        assert isinstance(value, Scalar)
        known = Known(value.value, value.span, expression is not None)
        return self._read_through(known, expression, owner)

    def _list(
        self, value: Sequence, unknown: Node | None, expression: Node | None, owner: _Planned, name: str
    ) -> Property | None:
        hidden, stated = _items(unknown), _items(expression)
        found = []
        for number, item in enumerate(value.items):
            part = self._value(
                item,
                hidden[number] if number < len(hidden) else None,
                expression if _is_leaf(expression) else stated[number] if number < len(stated) else expression,
                owner,
                "" if _is_leaf(expression) else name,
                value.span,
            )
            found.append(Unknown("null", value.span) if part is None else part)
        if not found and expression is None:
            return None  # a block that is not there
        referred = self._referred(expression, owner.module, owner)
        if _is_leaf(expression) and all(isinstance(part, Unknown) for part in found) and len(referred.to) == len(found):
            # Each unknown item is one of the references, in the order written.
            found = [
                Unknown(_spelled(reference), part.span, reference)
                for part, reference in zip(found, referred.to, strict=True)
            ]
        return Known(tuple(found), value.span, expression is not None)

    def _hidden(self, expression: Node | None, owner: _Planned, name: str, span: Span) -> Property | None:
        """What will be known after the plan is applied, as far as the configuration says where it comes from."""
        if expression is None:
            return None  # the provider decides
        referred = self._referred(expression, owner.module, owner)
        wanted = next((attribute for end, attribute in _LISTS.items() if name.endswith(end)), None)
        if wanted is not None and referred.to:
            items: list[Property] = []
            for reference in referred.to:
                if reference.attribute is not None:
                    items.append(Unknown(_spelled(reference), span, reference))
                    continue
                for address in self._instances.get(_INDEX.sub("", reference.resource), ()):
                    each = Reference(address, wanted)
                    items.append(Unknown(_spelled(each), span, each))
            if referred.hidden:
                items.append(Unknown("…", span))
            return Known(tuple(items), span)
        references = tuple(referred.to)
        if len(references) == 1 and not referred.hidden:
            (reference,) = references
            if reference.attribute is None and referred.same:
                single = next((attribute for end, attribute in _SINGLE.items() if name.endswith(end)), None)
                same = f"{_INDEX.sub('', reference.resource)}{owner.key}"
                reference = Reference(same if same in self._planned else reference.resource, single)
            if reference.attribute is not None:
                return Unknown(_spelled(reference), span, reference)
        return Unknown("(known after apply)", span, mentions=references)

    def _read_through(self, known: Known[Any], expression: Node | None, owner: _Planned) -> Property:
        """*known*, or the reference that it is: text that another resource states is that resource's."""
        if not isinstance(known.value, str) or not _is_leaf(expression):
            return known
        referred = self._referred(expression, owner.module, owner)
        if len(referred.to) != 1 or referred.hidden:
            return known
        (reference,) = referred.to
        target = self._planned.get(reference.resource)
        stated = _at(target.node if target else None, "values", reference.attribute or "")
        if isinstance(stated, Scalar) and stated.value == known.value:
            return Unknown(_spelled(reference), known.span, reference)
        return known

    def _referred(
        self, expression: Node | None, module: _Module, owner: _Planned | None = None, depth: int = 0
    ) -> _Referred:
        """What an expression refers to, through variables and outputs of modules; *owner* is whose expression it is."""
        found = _Referred()
        if depth > _MAX_DEPTH:
            found.hidden = True
            return found
        last = ""
        for item in _items(_at(expression, "references")):
            text = _text(item)
            if last.startswith((f"{text}.", f"{text}[")):
                continue  # after each reference come the shorter ones that it begins with
            last = text
            if owner is not None and text in _KEYS:
                found.same = True
            elif owner is not None and text.startswith("each.value."):
                self._each(text.removeprefix("each.value."), owner, found)
            else:
                self._follow(text, module, depth, found)
        return found

    def _each(self, attribute: str, owner: _Planned, found: _Referred) -> None:
        """Follow an attribute of what the owner is made for each of, which may be another resource."""
        made_for = self._referred(_at(owner.config, "for_each_expression"), owner.module)
        addresses = [f"{_INDEX.sub('', each.resource)}{owner.key}" for each in made_for.to if each.attribute is None]
        if len(addresses) == 1 and addresses[0] in self._planned and not made_for.hidden:
            found.to[Reference(addresses[0], attribute)] = None
        else:
            found.hidden = True

    def _follow(self, text: str, module: _Module, depth: int, found: _Referred) -> None:
        if text.startswith("var."):
            name = re.split(r"[.\[]", text.removeprefix("var."), maxsplit=1)[0]
            given = _at(module.given, name)
            if module.parent is not None and given is not None:
                _join(found, self._referred(given, module.parent, depth=depth + 1))
            return  # a variable of the root has its value, and the default of another is plain
        if text.startswith(_HIDDEN):
            found.hidden = True
        elif output := _OUTPUT.match(text):
            child = _called(module, module.within(output["call"]))
            expression = _at(child.config, "outputs", output["output"] or "", "expression")
            if expression is None:
                found.hidden = True
            else:
                _join(found, self._referred(expression, child, depth=depth + 1))
        elif match := _RESOURCE.fullmatch(text):
            address = module.within(match["address"])
            if address not in self._planned:
                instances = self._instances.get(address, [])
                address = instances[0] if len(instances) == 1 else address
            found.to[Reference(address, match["attribute"])] = None


def _join(found: _Referred, other: _Referred) -> None:
    found.to |= other.to
    found.hidden = found.hidden or other.hidden


def _called(module: _Module, address: str) -> _Module:
    """The instance at *address* of a module that *module* calls."""
    call = _INDEX.sub("", address.removeprefix(f"{module.address}." if module.address else "")).removeprefix("module.")
    stated = _at(module.config, "module_calls", call)
    return _Module(address, _at(stated, "module"), _at(stated, "expressions"), module)


def _spelled(reference: Reference) -> str:
    return f"{reference.resource}.{reference.attribute}" if reference.attribute else reference.resource


def _is_leaf(expression: Node | None) -> bool:
    """Whether *expression* is that of an argument, and not a block of them."""
    return isinstance(expression, Document) and (
        "references" in expression.items or "constant_value" in expression.items
    )


def _prefix(node: Node) -> str:
    return "data." if _text(_at(node, "mode")) == "data" else ""


def _at(node: Node | None, *keys: str) -> Node | None:
    for key in keys:
        if isinstance(node, Sequence) and len(node.items) == 1:
            (node,) = node.items
        node = node.items.get(key) if isinstance(node, Document) else None
    return node


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else ()


def _keys(node: Node | None) -> tuple[str, ...]:
    return tuple(node.items) if isinstance(node, Document) else ()


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
