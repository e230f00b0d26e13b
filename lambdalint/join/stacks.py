"""CloudFormation and SAM templates with the stacks that they nest, each as one whole.

The resources of a nested stack are called ``Stack.Name`` after the resource that makes the stack, so that references
across stacks are references like any other.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.cloudformation import Declared, declare, is_template, read_template
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.intrinsics import Evaluator
from lambdalint.join.outside import Outside
from lambdalint.join.parameters import configured_parameters
from lambdalint.join.properties import reference_of
from lambdalint.join.roots import outermost
from lambdalint.join.triggers import declared_triggers
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node, Scalar
from lambdalint.model.function import Trigger
from lambdalint.model.places import Span
from lambdalint.model.template import Dialect, Resource, Template
from lambdalint.model.values import Known, Property
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree, joined
from lambdalint.readers.yaml import read_yaml

#: The kinds of resources that make a stack, and the property that says of what.
_STACKS: Final[Mapping[str, str]] = {
    "AWS::CloudFormation::Stack": "TemplateURL",
    "AWS::Serverless::Application": "Location",
}
#: Stacks inside stacks, and stacks of one template in all.
MAX_DEPTH: Final = 8
MAX_STACKS: Final = 200
#: Resources of all stacks together, from which on no further stack is followed.
MAX_RESOURCES: Final = 20_000
#: Files that one template may take in.
MAX_FILES: Final = 200
_MAX_FILE_BYTES: Final = 16 * 1024 * 1024


def declare_document(
    document: Document, path: str, tree: Tree, inputs: Inputs | None = None, said: Said | None = None
) -> Declared:
    """All that a template declares, its nested stacks included as far as their templates are files of *tree*.

    Raises:
        UnreadableInput: the template has more values than anyone could deploy.
    """
    family = _Family(tree, inputs or Inputs(), said or Said())
    root = _Stack(family, document, path)
    stacks = list(root.all_stacks())
    read = [(stack, *stack.read()) for stack in stacks]
    resources = {name: each for _, template, _ in read for name, each in template.resources.items()}
    whole = Declared(Template(path, read[0][1].dialect, resources, read[0][1].metadata))
    for stack, template, triggers in read:
        found = declare(Template(stack.path, template.dialect, resources), tree, tuple(template.resources))
        whole.functions += [replace(function, template=path) for function in found.functions]
        whole.layers += found.layers
        whole.permissions += found.permissions
        whole.triggers += [_settled(trigger, resources) for trigger in triggers]
    whole.triggers += declared_triggers(whole.template)
    return whole


def _settled(trigger: Trigger, resources: Mapping[str, Resource]) -> Trigger:
    """*trigger* with its source as all stacks together have it: it may stand in another one."""
    if trigger.source is not None:
        return replace(trigger, source=resources.get(trigger.source.name, trigger.source))
    for name in ("EventSourceArn", "TopicArn"):
        reference = reference_of(trigger.settings.get(name))
        if reference is not None and reference.resource in resources:
            return replace(trigger, source=resources[reference.resource])
    return trigger


def root_documents(documents: Mapping[str, Document], tree: Tree) -> list[str]:
    """The paths of those templates that no other one nests; of several that nest one another, the first."""
    return outermost({path: set(nested_templates(document, path, tree)) for path, document in documents.items()})


def nested_templates(document: Document, path: str, tree: Tree) -> Iterator[str]:
    """The local templates that *document* names literally as those of its stacks."""
    resources = document.items.get("Resources")
    for node in resources.items.values() if isinstance(resources, Document) else ():
        location = _location(node)
        if isinstance(location, Scalar) and not location.tag:
            child = joined(path.rpartition("/")[0], location.text)
            if child is not None and tree.is_file(child):
                yield child


def _location(node: Node | None) -> Node | None:
    """Where the template of a stack is said to be; ``None`` for a resource that makes none."""
    kind = node.items.get("Type") if isinstance(node, Document) else None
    key = _STACKS.get(kind.text) if isinstance(kind, Scalar) else None
    properties = node.items.get("Properties") if isinstance(node, Document) else None
    return properties.items.get(key) if key and isinstance(properties, Document) else None


@dataclass(slots=True)
class _Family:
    """What all stacks of one template share."""

    tree: Tree
    inputs: Inputs
    said: Said
    stacks: int = 0
    resources: int = 0
    files: int = 0
    read: dict[str, Node | None] = field(default_factory=dict)

    def node(self, path: str) -> Node | None:
        """The document in a file; ``None`` when there is none, or it cannot be read, which is said."""
        if path not in self.read:
            self.read[path] = None
            if self.tree.is_file(path) and self.tree.size(path) <= _MAX_FILE_BYTES:
                try:
                    self.read[path] = template_document(decoded(self.tree.read(path), path), path)
                except UnreadableInput as failure:
                    self.said.failures.append(failure)
        return self.read[path]

    def note(self, text: str) -> None:
        if text not in self.said.notes:
            self.said.notes.append(text)


def template_document(text: str, path: str) -> Node | None:
    """The document in *text*, YAML or JSON; ``None`` when there is none.

    Raises:
        UnreadableInput: it is neither.
    """
    if text.lstrip()[:1] != "{":
        return read_yaml(text, path)
    try:
        return read_json(text, path)
    except UnreadableInput:
        if path.endswith((".yaml", ".yml")):
            return read_yaml(text, path)  # a mapping of YAML's may begin like one of JSON's
        raise


class _Stack(Outside):
    """One template in one place: the root, or a nested stack with what its parent gives it."""

    def __init__(self, family: _Family, document: Document, path: str, parent: "_Stack | None" = None, name: str = ""):
        super().__init__()
        self.said = family.said
        self.path = path
        self.scope = f"{parent.scope}{name}." if parent else ""
        self._family = family
        self._parent, self._name = parent, name
        self._document = document
        self._children: dict[str, _Stack | None] = {}
        self._configured = {} if parent else self._configuration()
        self._evaluator: Evaluator | None = None
        self._evaluator = Evaluator(document, self)
        family.stacks += 1
        family.resources += len(self._evaluator.resources.items)

    def read(self) -> tuple[Template, list[Trigger]]:
        """The stack's own resources, as CloudFormation has them, and the triggers that SAM's events are."""
        template, evaluator = read_template(self._document, self.path, self._evaluator)
        if template.dialect is not Dialect.SAM:
            return template, []
        from lambdalint.join.sam.transform import transformed

        return transformed(template, evaluator)

    def all_stacks(self) -> "Iterator[_Stack]":
        """This stack and those inside it."""
        yield self
        for name, node in self._evaluator.resources.items.items() if self._evaluator else ():
            child = self._child(name) if _location(node) is not None else None
            if child is not None:
                yield from child.all_stacks()

    def given(self, parameter: str) -> Property | None:
        if self._parent is None:
            text = self._family.inputs.parameters.get(parameter)
            return self._configured.get(parameter) if text is None else Known(text, self._declared_at(parameter))
        if parameter.startswith("AWS::"):
            return self._parent.given(parameter) if parameter in _SHARED else None
        return self._parent.passed(self._name, parameter)

    def passed(self, stack: str, parameter: str) -> Property | None:
        """What this stack gives a parameter of one that it nests."""
        node = self._resource(stack, "Properties", "Parameters", parameter)
        return self._evaluator.value(node) if node is not None and self._evaluator else None

    def output(self, stack: str, output: str) -> Property | None:
        child = self._child(stack)
        if child is None or child._evaluator is None:
            return None
        found = child._evaluator.section("Outputs").items.get(output)
        value = found.items.get("Value") if isinstance(found, Document) else None
        return child._evaluator.value(value) if value is not None else None

    def included(self, location: str, at: Span) -> Node | None:
        path = joined(at.path.rpartition("/")[0], location)
        if path is None:
            return None
        self._family.files += 1
        if self._family.files > MAX_FILES:
            self._family.note(f"{self.path} includes more than {MAX_FILES} files; the rest of them was left out")
            return None
        return self._family.node(path)

    def _child(self, name: str) -> "_Stack | None":
        if name not in self._children:
            self._children[name] = None
            self._children[name] = self._read_child(name)
        return self._children[name]

    def _read_child(self, name: str) -> "_Stack | None":
        location = _location(self._resource(name))
        where = self._evaluator.value(location) if location is not None and self._evaluator else None
        asset = self._resource(name, "Metadata", "aws:asset:path")  # where the CDK keeps what it will upload
        if isinstance(asset, Scalar):
            where = Known(asset.text, asset.span)
        if not isinstance(where, Known) or not isinstance(where.value, str):
            return None
        path = joined(self.path.rpartition("/")[0], where.value)
        document = self._family.node(path) if path is not None else None
        if path is None or not isinstance(document, Document) or not is_template(document):
            self._family.note(f"{self.path}: the template of the stack {name} is not among these files: {where.value}")
            return None
        ancestors = list(self._ancestors())
        if path in ancestors:
            self._family.note(f"{self.path}: the stack {name} nests itself and was not followed")
            return None
        family = self._family
        if len(ancestors) >= MAX_DEPTH or family.stacks >= MAX_STACKS or family.resources >= MAX_RESOURCES:
            family.note(f"{self.path}: its stacks nest too deeply, or are too many; some of them were not followed")
            return None
        return _Stack(self._family, document, path, self, name)

    def _ancestors(self) -> Iterator[str]:
        yield self.path
        if self._parent is not None:
            yield from self._parent._ancestors()

    def _resource(self, *keys: str) -> Node | None:
        node: Node | None = self._evaluator.resources if self._evaluator else None
        for key in keys:
            node = node.items.get(key) if isinstance(node, Document) else None
        return node

    def _configuration(self) -> Mapping[str, Known[str]]:
        try:
            return configured_parameters(self._family.tree, self.path)
        except UnreadableInput as failure:
            self._family.said.failures.append(failure)
            return {}

    def _declared_at(self, parameter: str) -> Span:
        declared = self._document.items.get("Parameters")
        return declared.keys.get(parameter, declared.span) if isinstance(declared, Document) else self._document.span


#: Pseudo parameters that are the same for a stack and those inside it.
_SHARED: Final = frozenset(("AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::URLSuffix"))
