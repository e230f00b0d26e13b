"""CDK apps, by their output: the CloudFormation templates of a cloud assembly, and the assets beside them.

A resource is called by its construct's path, so that messages name what stands in the app and not what is generated
from it.  The functions that the CDK adds by itself are left out.

Source: https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lambdalint.aws.cdk import is_harmless, is_helper
from lambdalint.errors import UnreadableInput
from lambdalint.join.cloudformation import Declared, declare
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.properties import items_of, properties_of, reference_of, text_of
from lambdalint.join.resource_types import FUNCTION
from lambdalint.join.stacks import declare_document
from lambdalint.join.triggers import declared_triggers
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node, Scalar, Sequence
from lambdalint.model.function import Code, CodeKind, Function, Layer, Trigger, TriggerKind
from lambdalint.model.template import Dialect, Resource, Template
from lambdalint.model.values import Known, Property, Reference, Unknown
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Mounted, Tree, joined

#: Stages within stages; nobody has more than two or three.
MAX_DEPTH: Final = 8
#: Stacks of one assembly; more are left out, and said.
MAX_STACKS: Final = 2000

#: Where the output goes unless the app says otherwise.
CDK_OUTPUT: Final = "cdk.out"

_MANIFEST: Final = "manifest.json"
_STACK: Final = "aws:cloudformation:stack"
#: Where a stack goes; an app that leaves the region to the deployment says unknown-region.
_ENVIRONMENT: Final = re.compile(r"aws://[^/]+/((?!unknown-)[a-z0-9-]+)")
_ASSEMBLY: Final = "cdk:cloud-assembly"
_ASSETS: Final = "cdk:asset-manifest"
_NESTED: Final = "AWS::CloudFormation::Stack"
_NOTIFICATIONS: Final = "Custom::S3BucketNotifications"

_PATH: Final = "aws:cdk:path"
_ASSET_PATH: Final = "aws:asset:path"

#: Ids that the CDK leaves out itself where it shows a path.
_HIDDEN: Final = ("/Resource", "/Default")


def claims(tree: Tree, path: str) -> bool:
    """Whether *path* is the manifest of a cloud assembly that is in no other, or the ``cdk.json`` of an app."""
    folder, _, name = path.rpartition("/")
    if not tree.is_file(path):
        return False
    if name == "cdk.json":
        return b'"app"' in tree.read(path)
    if name != _MANIFEST or _is_nested(tree, folder):
        return False
    return folder.rpartition("/")[2] == CDK_OUTPUT or _is_assembly(tree, folder)


def is_of_assembly(tree: Tree, path: str) -> bool:
    """Whether the file at *path* is part of a cloud assembly, which declares it."""
    return _is_assembly(tree, path.rpartition("/")[0])


def declare_cdk(tree: Mounted, path: str, inputs: Inputs, said: Said) -> Iterator[Declared]:
    """What the templates of an assembly declare, nested stacks and stages included; of an app, where its output is.

    Raises:
        UnreadableInput: the manifest cannot be read.
    """
    folder, _, name = path.rpartition("/")
    if name != "cdk.json":
        yield from _Assembly(tree, inputs, said).declared(folder, 0)
        return
    output = joined(folder, _output(tree, path) or CDK_OUTPUT)
    if output is None or not _is_assembly(tree, output):
        said.notes.append(f"{folder or '.'} is a CDK app; run `npx cdk synth` and check cdk.out")


@dataclass(slots=True)
class _Assembly:
    tree: Mounted
    inputs: Inputs
    said: Said
    seen: set[str] = field(default_factory=set)

    def declared(self, folder: str, depth: int) -> Iterator[Declared]:
        manifest = _document(self.tree, _below(folder, _MANIFEST))
        stacks: list[tuple[str, Known[str] | None]] = []
        assemblies: list[str] = []
        assets: dict[str, str] = {}
        for kind, properties, region in _artifacts(manifest):
            if kind == _STACK and (file := _text(properties.items.get("templateFile"))):
                stacks.append((file, region))
            elif kind == _ASSEMBLY and (name := _text(properties.items.get("directoryName"))):
                assemblies.append(name)
            elif kind == _ASSETS and (file := _text(properties.items.get("file"))):
                assets.update(self._assets(folder, file))
        for file, region in stacks:
            for declared in self._stack(folder, file, assets):
                declared.functions = [replace(each, region=region) for each in declared.functions]
                yield declared
        for name in assemblies:
            inside = joined(folder, name)
            if inside is not None and depth < MAX_DEPTH and self.tree.is_file(_below(inside, _MANIFEST)):
                try:
                    yield from self.declared(inside, depth + 1)
                except UnreadableInput as failure:
                    self.said.failures.append(failure)

    def _stack(self, folder: str, file: str, assets: Mapping[str, str]) -> Iterator[Declared]:
        """What the template *file* declares, with the stacks that it nests."""
        path = joined(folder, file)
        if path is None or path in self.seen:
            return
        self.seen.add(path)
        if len(self.seen) > MAX_STACKS:
            self.said.notes.append(f"{folder or '.'} holds more than {MAX_STACKS:,} stacks; the others were left out")
            return
        try:
            if not self.tree.is_file(path):
                raise UnreadableInput(
                    f"it names the template {file}, which is not there",
                    path=_below(folder, _MANIFEST),
                    hint="run `npx cdk synth` again, or leave the folder out",
                )
            document = _nesting(_document(self.tree, path), assets)
            whole = declare_document(document, path, self.tree, self.inputs, self.said)
        except UnreadableInput as failure:
            self.said.failures.append(failure)
        else:
            yield self._declared(whole, folder, assets)

    def _declared(self, whole: Declared, folder: str, assets: Mapping[str, str]) -> Declared:
        """The stack with its assets, its resources called by their constructs."""
        template = replace(whole.template, dialect=Dialect.CDK)
        helpers = {
            name for name, each in template.resources.items() if is_helper(text_of(each.metadata.get(_PATH)), name)
        }
        if added := sum(1 for name in helpers if template.resources[name].type == FUNCTION):
            counted = "1 function that the CDK adds is" if added == 1 else f"{added} functions that the CDK adds are"
            self.said.notes.append(f"{counted} not judged in {template.path}")
        template = _by_construct(template, helpers)
        notifications = [each for each in template.resources.values() if each.type == _NOTIFICATIONS]
        kept = {name: each for name, each in template.resources.items() if not is_harmless(each.type)}
        template = replace(template, resources=kept)
        found = declare(template, self.tree)
        found.functions = [self._with_code(each, folder, assets) for each in found.functions]
        found.layers = [
            self._with_content(each, template.resources[each.name], folder, assets) for each in found.layers
        ]
        found.triggers += declared_triggers(template)
        for resource in notifications:
            found.triggers += _notified(resource, template)
        return found

    def _with_code(self, function: Function, folder: str, assets: Mapping[str, str]) -> Function:
        resource = function.resource
        if function.code is None or function.code.kind is not CodeKind.REMOTE:
            return function
        return replace(function, code=self._asset(resource, "Code", folder, assets) or function.code)

    def _with_content(self, layer: Layer, resource: Resource, folder: str, assets: Mapping[str, str]) -> Layer:
        return replace(layer, code=self._asset(resource, "Content", folder, assets) or layer.code)

    def _asset(self, resource: Resource, key: str, folder: str, assets: Mapping[str, str]) -> Code | None:
        """The folder or archive in the assembly that is uploaded for the property *key*."""
        where = resource.get(key, "S3Key")
        file = None
        if text_of(resource.metadata.get("aws:asset:property")) in (None, key):
            file = text_of(resource.metadata.get(_ASSET_PATH))
        file = file or assets.get((text_of(where) or "").rpartition("/")[2].partition(".")[0])
        path = joined(folder, file) if file else None
        if path is None:
            return None
        span = where.span if where else resource.span
        if self.tree.is_folder(path):
            return Code(CodeKind.FOLDER, span, path, path)
        if self.tree.is_file(path):
            return Code(CodeKind.ZIP, span, path, path)
        return Code(CodeKind.MISSING, span, path)

    def _assets(self, folder: str, file: str) -> Iterator[tuple[str, str]]:
        """Hash and source, relative to the assembly, of each file asset that an asset manifest lists."""
        path = joined(folder, file)
        if path is None or not self.tree.is_file(path):
            return
        try:
            files = _document(self.tree, path).items.get("files")
        except UnreadableInput as failure:
            self.said.failures.append(failure)
            return
        for name, node in files.items.items() if isinstance(files, Document) else ():
            source = node.items.get("source") if isinstance(node, Document) else None
            if isinstance(source, Document) and (where := _text(source.items.get("path"))):
                yield name, where


def _by_construct(template: Template, left_out: set[str]) -> Template:
    """*template* without some resources, the others and all references to them called by their construct's path."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for logical_id, resource in template.resources.items():
        name = text_of(resource.metadata.get(_PATH)) or logical_id
        for hidden in _HIDDEN:
            name = name.removesuffix(hidden)
        names[logical_id] = logical_id if name in taken else name
        taken.add(names[logical_id])
    resources = {
        names[logical_id]: replace(
            resource,
            name=names[logical_id],
            properties={key: _renamed(value, names) for key, value in resource.properties.items()},
        )
        for logical_id, resource in template.resources.items()
        if logical_id not in left_out
    }
    return replace(template, resources=resources)


def _renamed(value: Property, names: Mapping[str, str]) -> Property:
    if isinstance(value, Unknown):
        return replace(
            value,
            refers=_renamed_reference(value.refers, names) if value.refers else None,
            mentions=tuple(_renamed_reference(each, names) for each in value.mentions),
            choices=tuple(each if each is None else _renamed(each, names) for each in value.choices),
        )
    inside: Any = value.value
    if isinstance(inside, Mapping):
        return replace(value, value={key: _renamed(each, names) for key, each in inside.items()})
    if isinstance(inside, tuple):
        return replace(value, value=tuple(_renamed(each, names) for each in inside))
    return value


def _renamed_reference(reference: Reference, names: Mapping[str, str]) -> Reference:
    return replace(reference, resource=names.get(reference.resource, reference.resource))


def _notified(resource: Resource, template: Template) -> Iterator[Trigger]:
    """The functions that a bucket notifies: the CDK sets that up through a resource of its own."""
    bucket = reference_of(resource.properties.get("BucketName"))
    source = template.resources.get(bucket.resource) if bucket else None
    listed = properties_of(resource.properties.get("NotificationConfiguration")).get("LambdaFunctionConfigurations")
    for item in items_of(listed):
        settings = properties_of(item)
        function = reference_of(settings.get("LambdaFunctionArn"))
        if function:
            yield Trigger(TriggerKind.S3, resource.name, function.resource, item.span, source, settings)


def _nesting(document: Document, assets: Mapping[str, str]) -> Document:
    """*document* with the file of each nested stack where the CDK states it unless it is told not to."""
    resources = document.items.get("Resources")
    if not assets or not isinstance(resources, Document):
        return document
    changed: dict[str, Node] = {}
    for name, resource in resources.items.items():
        if not isinstance(resource, Document) or _text(resource.items.get("Type")) != _NESTED:
            continue
        stated = resource.items.get("Metadata")
        metadata = stated.items if isinstance(stated, Document) else {}
        properties = resource.items.get("Properties")
        location = properties.items.get("TemplateURL") if isinstance(properties, Document) else None
        file = next((assets[each] for each in _hashes(location) if each in assets), None)
        if location is not None and file is not None and _ASSET_PATH not in metadata:
            added = Document(
                {**metadata, _ASSET_PATH: Scalar(file, file, location.span)},
                dict.fromkeys((*metadata, _ASSET_PATH), location.span),
                location.span,
            )
            keys = {"Metadata": location.span, **resource.keys}
            changed[name] = Document({**resource.items, "Metadata": added}, keys, resource.span)
    if not changed:
        return document
    whole = Document({**resources.items, **changed}, resources.keys, resources.span)
    return Document({**document.items, "Resources": whole}, document.keys, document.span)


def _hashes(location: Node | None) -> Iterator[str]:
    """What may be the hash of an asset in the address that an intrinsic puts together."""
    if isinstance(location, Scalar):
        yield from (each.partition(".")[0] for each in _text(location).split("/"))
    elif isinstance(location, Sequence):
        yield from (each for item in location.items for each in _hashes(item))
    elif isinstance(location, Document):
        yield from (each for item in location.items.values() for each in _hashes(item))


def _is_assembly(tree: Tree, folder: str) -> bool:
    path = _below(folder, _MANIFEST)
    if not tree.is_file(path):
        return False
    data = tree.read(path)
    return b'"artifacts"' in data and any(kind.encode() in data for kind in (_STACK, _ASSEMBLY, "cdk:tree"))


def _is_nested(tree: Tree, folder: str) -> bool:
    outside, _, name = folder.rpartition("/")
    return bool(name) and _is_assembly(tree, outside) and f'"{name}"'.encode() in tree.read(_below(outside, _MANIFEST))


def _artifacts(manifest: Document) -> Iterator[tuple[str, Document, Known[str] | None]]:
    """Type and properties of each artifact, and the region that a stack is made for, where the app says that."""
    artifacts = manifest.items.get("artifacts")
    for node in artifacts.items.values() if isinstance(artifacts, Document) else ():
        properties = node.items.get("properties") if isinstance(node, Document) else None
        if isinstance(node, Document) and isinstance(properties, Document):
            yield _text(node.items.get("type")), properties, _region(node.items.get("environment"))


def _region(environment: Node | None) -> Known[str] | None:
    found = _ENVIRONMENT.fullmatch(_text(environment))
    return Known(found[1], environment.span) if found and environment else None


def _document(tree: Tree, path: str) -> Document:
    document = read_json(decoded(tree.read(path), path), path)
    if not isinstance(document, Document):
        raise UnreadableInput("this is no JSON object", path=path)
    return document


def _output(tree: Tree, path: str) -> str:
    """The folder that an app's ``cdk.json`` sends its output to; empty where it does not say."""
    try:
        return _text(_document(tree, path).items.get("output"))
    except UnreadableInput:
        return ""


def _text(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
