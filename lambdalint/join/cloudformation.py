"""CloudFormation templates: their resources, and the functions and layers that they declare."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lambdalint.aws.limits import limit
from lambdalint.join.called import function_of
from lambdalint.join.intrinsics import Evaluator
from lambdalint.join.loops import FOR_EACH
from lambdalint.join.network import declared_network
from lambdalint.join.properties import items_of, properties_of, stated_or, text_of, whole_number
from lambdalint.join.resource_types import FUNCTION, LAYER, PERMISSION
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node, Scalar
from lambdalint.model.function import Code, CodeKind, Function, Layer, Permission, Trigger
from lambdalint.model.places import Span
from lambdalint.model.template import Dialect, Resource, Template
from lambdalint.model.values import Known, Properties, Property, Unknown, Value
from lambdalint.readers.tree import Tree, joined


@dataclass(slots=True)
class Declared:
    """What one template declares, before code is joined to it."""

    template: Template
    functions: list[Function] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)


def is_template(document: Node | None) -> bool:
    """Whether *document* declares CloudFormation resources."""
    if not isinstance(document, Document):
        return False
    resources = document.items.get("Resources")
    if not isinstance(resources, Document):
        return False
    return any(
        key.startswith(FOR_EACH) or _type(node).startswith(("AWS::", "Custom::", "Alexa::"))
        for key, node in resources.items.items()
    )


def read_template(document: Document, path: str, evaluator: Evaluator | None = None) -> tuple[Template, Evaluator]:
    """The template in *document* with its resources evaluated, and the evaluator for what stands beside them.

    *evaluator* is one of a dialect that knows more than CloudFormation does.

    Raises:
        UnreadableInput: the template has more values than anyone could deploy.
    """
    evaluator = evaluator or Evaluator(document)
    dialect = _dialect(evaluator.document)
    if dialect is Dialect.SAM:
        from lambdalint.join.sam.names import generated_names

        evaluator.names.update(generated_names(evaluator))
    metadata = properties_of(_value(evaluator, evaluator.document.items.get("Metadata")))
    return Template(path, dialect, dict(_resources(evaluator.resources, evaluator)), metadata), evaluator


def _resources(nodes: Document, evaluator: Evaluator) -> Iterator[tuple[str, Resource]]:
    for name, node in nodes.items.items():
        if isinstance(node, Document) and (kind := _type(node)):
            condition = node.items.get("Condition")
            scoped = evaluator.outside.scope + name
            yield (
                scoped,
                Resource(
                    scoped,
                    kind,
                    properties_of(_value(evaluator, node.items.get("Properties"))),
                    nodes.keys[name],
                    node.span,
                    condition.text if isinstance(condition, Scalar) else None,
                    properties_of(_value(evaluator, node.items.get("Metadata"))),
                ),
            )


def _value(evaluator: Evaluator, node: Node | None) -> Property | None:
    return None if node is None else evaluator.value(node)


def _type(node: Node) -> str:
    kind = node.items.get("Type") if isinstance(node, Document) else None
    return kind.text if isinstance(kind, Scalar) else ""


def _dialect(document: Document) -> Dialect:
    """SAM's by its transform, or by its types: ``sam build`` takes a template that forgets the transform."""
    transform = document.items.get("Transform")
    nodes = (transform,) if isinstance(transform, Scalar) else getattr(transform, "items", ())
    names = [node.text for node in nodes if isinstance(node, Scalar)]
    resources = document.items.get("Resources")
    if isinstance(resources, Document):
        names += [_type(node) for node in resources.items.values()]
    return Dialect.SAM if any(name.startswith("AWS::Serverless") for name in names) else Dialect.CLOUDFORMATION


def declared_function(resource: Resource, settings: Properties, template: Template, code: Code | None) -> Function:
    """The function that *resource* declares; *settings* are its merged properties, by CloudFormation's names."""
    span = resource.span
    image = text_of(settings.get("PackageType")) == "Image"
    variables = _below(settings.get("Environment"), "Variables")
    return Function(
        name=resource.name,
        span=span,
        template=template.path,
        dialect=template.dialect,
        resource=resource,
        image=image,
        runtime=settings.get("Runtime"),
        handler=settings.get("Handler"),
        memory_mb=stated_or(whole_number(settings.get("MemorySize")), limit("memory", "default_mb"), span),
        timeout_s=stated_or(whole_number(settings.get("Timeout")), limit("timeout", "default_s"), span),
        ephemeral_mb=stated_or(
            whole_number(_below(settings.get("EphemeralStorage"), "Size")), limit("ephemeral", "default_mb"), span
        ),
        architectures=stated_or(_listed(settings.get("Architectures")), (Known("x86_64", span, stated=False),), span),
        env=stated_or(_mapping(variables), {}, span),
        layers=stated_or(_listed(settings.get("Layers")), (), span),
        file_mounts=tuple(_mounts(settings)),
        network=declared_network(settings.get("VpcConfig"), template),
        code=code,
    )


def code_at(value: Property | None, template: Template, tree: Tree, span: Span) -> Code | None:
    """The code at a local path or an address; ``None`` when it is unknown where.

    Nothing said means the template's own folder, as for ``sam build``.
    """
    if isinstance(value, Unknown):
        return None
    if value is None:
        uri, span = ".", span
    elif isinstance(value.value, str):
        uri, span = value.value, value.span
    else:
        return Code(CodeKind.REMOTE, value.span)
    if uri.startswith(("s3://", "https://", "http://", "arn:")):
        return Code(CodeKind.REMOTE, span)
    path = joined(template.path.rpartition("/")[0], uri)
    if path is None:
        return None
    if tree.is_folder(path):
        return Code(CodeKind.FOLDER, span, path, path)
    if tree.is_file(path):
        if path.lower().endswith((".zip", ".jar")):
            return Code(CodeKind.ZIP, span, path, path)
        return Code(CodeKind.FILE, span, path, path.rpartition("/")[0])
    return Code(CodeKind.MISSING, span, path)


def inline_code(value: Property | None, template: Template, name: str) -> Code | None:
    """Code that stands in the template; its module is called ``index``, whatever the runtime."""
    if not isinstance(value, Known) or not isinstance(value.value, str):
        return None
    root = f"{template.path}#{name}"
    return Code(CodeKind.INLINE, value.span, f"{root}/index.py", root)


def declare(template: Template, tree: Tree, names: Iterable[str] | None = None) -> Declared:
    """The functions, layers and permissions that plain CloudFormation resources declare.

    *names* are the resources to look at; without them it is all of them.
    """
    found = Declared(template)
    for name in template.resources if names is None else names:
        resource = template.resources[name]
        if resource.type == FUNCTION:
            found.functions.append(
                declared_function(resource, resource.properties, template, _code(resource, template, tree))
            )
        elif resource.type == LAYER:
            found.layers.append(declared_layer(resource, "Content", template, tree))
        elif resource.type == PERMISSION:
            function = function_of(resource.properties.get("FunctionName"), template.resources)
            found.permissions.append(Permission(function, resource.span, resource.properties))
    return found


def declared_layer(resource: Resource, content: str, template: Template, tree: Tree) -> Layer:
    """The layer that *resource* declares; *content* is the property that says where its files are."""
    where = resource.properties.get(content)
    code = code_at(where, template, tree, resource.span) or Code(CodeKind.REMOTE, resource.span)
    return Layer(
        resource.name,
        resource.span,
        code,
        tuple(_texts(resource.properties.get("CompatibleRuntimes"))),
        tuple(_texts(resource.properties.get("CompatibleArchitectures"))),
    )


def _code(resource: Resource, template: Template, tree: Tree) -> Code | None:
    value = resource.properties.get("Code")
    if isinstance(value, Known) and isinstance(value.value, Mapping):
        for key, kind in (("ImageUri", CodeKind.IMAGE), ("S3Bucket", CodeKind.REMOTE)):
            if key in value.value:
                code = Code(kind, value.value[key].span)
                return _built(code, resource, template, tree) if kind is CodeKind.IMAGE else code
        return inline_code(value.value.get("ZipFile"), template, resource.name)
    return None if value is None else code_at(value, template, tree, resource.span)


#: Where metadata say how an image is built: the context, the Dockerfile below it, the stage, and arguments.
_BUILDS: Final = (
    ("DockerContext", "Dockerfile", "DockerBuildTarget", "DockerBuildArgs"),
    ("aws:asset:path", "aws:asset:dockerfile-path", "aws:asset:docker-build-target", "aws:asset:docker-build-args"),
)


def _built(code: Code, resource: Resource, template: Template, tree: Tree) -> Code:
    """The image *code* with what the metadata of SAM or the CDK say about its build."""
    for context, file, target, arguments in _BUILDS:
        metadata = resource.metadata
        if context not in metadata and file not in metadata:
            continue
        from lambdalint.join.images import build_at, image_code

        given = properties_of(metadata.get(arguments))
        build = build_at(
            tree,
            template.path.rpartition("/")[0],
            text_of(metadata.get(context)) or ".",
            text_of(metadata.get(file)) or "Dockerfile",
            text_of(metadata.get(target)),
            {name: text for name, value in given.items() if (text := text_of(value)) is not None},
        )
        return image_code(code, build)
    return code


def _below(value: Property | None, key: str) -> Property | None:
    return properties_of(value).get(key) if isinstance(value, Known) else value


def _listed(value: Property | None) -> Value[tuple[Value[str], ...]] | None:
    if isinstance(value, Known) and not isinstance(value.value, tuple):
        return Known((value,), value.span)
    return value


def _mapping(value: Property | None) -> Value[Mapping[str, Value[Any]]] | None:
    if isinstance(value, Known) and not isinstance(value.value, Mapping):
        return Unknown("Variables", value.span)
    return value


def _mounts(settings: Properties) -> Iterator[str]:
    for item in items_of(settings.get("FileSystemConfigs")):
        if path := text_of(properties_of(item).get("LocalMountPath")):
            yield path


def _texts(value: Property | None) -> Iterator[str]:
    for item in items_of(value):
        if (text := text_of(item)) is not None:
            yield text
