"""Serverless Framework services, versions 1 to 4: what they declare, as the CloudFormation that they compile to.

Source: https://www.serverless.com/framework/docs/providers/aws/guide/serverless.yml
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.cloudformation import Declared, code_at, declare, read_template
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.properties import properties_of
from lambdalint.join.serverless_events import compile_events
from lambdalint.join.serverless_functions import compile_function, compile_layer
from lambdalint.join.serverless_nodes import (
    Reader,
    at,
    block,
    is_default,
    is_hidden,
    is_null,
    is_true,
    items,
    merged,
    text,
)
from lambdalint.join.serverless_roles import compile_roles
from lambdalint.join.serverless_stack import Called, Compiled, Service, Stack
from lambdalint.join.serverless_variables import Variables
from lambdalint.join.triggers import declared_triggers
from lambdalint.model.document import Mapping, Node, Scalar
from lambdalint.model.function import Code, CodeKind, Function, Trigger
from lambdalint.model.places import Span
from lambdalint.model.template import Dialect, Template
from lambdalint.model.values import Known
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Mounted, Tree, joined
from lambdalint.readers.yaml import read_yaml

#: What a service compiles to; a stack of CloudFormation holds 500 resources.
MAX_RESOURCES: Final = 20_000
MAX_FILE_BYTES: Final = 16 * 1024 * 1024

_NAMES: Final = ("serverless.yml", "serverless.yaml", "serverless.json")
_CODE: Final = ("serverless.ts", "serverless.js", "serverless.mjs", "serverless.cjs")
_COMPOSE: Final = ("serverless-compose.yml", "serverless-compose.yaml")
_OTHER_NAME: Final = re.compile(r"serverless[-.][^/]*\.(?:ya?ml|json)")
_KEY: Final = r'^(?:\s*")?%s"?\s*:'
_PLACEHOLDERS: Final = ("{{cookiecutter", "{{ cookiecutter", "{%")


def claims(tree: Tree, path: str) -> bool:
    """Whether the file at *path* is the root of a service, or of something near to one that is worth a note."""
    folder, _, name = path.rpartition("/")
    if name in _COMPOSE:
        return True
    if name in _CODE:
        beside = (f"{folder}/{each}".lstrip("/") for each in _NAMES)
        return not any(tree.is_file(each) for each in beside) and _states(tree, path, r"\bprovider\b", r"\bservice\b")
    if name in _NAMES:
        return _states(tree, path, _KEY % "provider") or not _states(tree, path, _KEY % "Resources")
    return bool(_OTHER_NAME.fullmatch(name)) and _states(tree, path, _KEY % "provider", _KEY % "service")


def _states(tree: Tree, path: str, *patterns: str) -> bool:
    try:
        text = tree.read(path)[:MAX_FILE_BYTES].decode(errors="replace") if tree.is_file(path) else ""
    except UnreadableInput:
        return False
    return all(re.search(pattern, text, re.MULTILINE) for pattern in patterns)


def declare_serverless(tree: Mounted, path: str, inputs: Inputs, said: Said) -> Iterator[Declared]:
    """What the service at *path* declares: nothing, and a note, when it is for another cloud or is code."""
    name = path.rpartition("/")[2]
    if name in _COMPOSE:
        said.notes.append(f"{path} composes services, which are read on their own")
        return
    if name in _CODE:
        said.notes.append(f"{path} is code, which is not run: print it with `serverless print` to have it read")
        return
    try:
        document = _document(tree, path, said)
        if document is not None:
            yield from _declared(document, tree, path, inputs, said)
    except UnreadableInput as failure:
        said.failures.append(failure)


def _document(tree: Tree, path: str, said: Said) -> Mapping | None:
    if tree.size(path) > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1024 // 1024
        raise UnreadableInput(f"the file is larger than {limit} MB, too large for a service", path=path)
    written = decoded(tree.read(path), path)
    try:
        document = read_json(written, path) if written.lstrip()[:1] == "{" else read_yaml(written, path)
    except UnreadableInput:
        if any(mark in written for mark in _PLACEHOLDERS):
            said.notes.append(f"{path} holds placeholders and was left out")
            return None
        raise
    if isinstance(document, Mapping):
        return document
    said.notes.append(f"{path} declares no service and was left out")
    return None


def _declared(document: Mapping, tree: Mounted, path: str, inputs: Inputs, said: Said) -> Iterator[Declared]:
    variables = Variables(document, path, tree, inputs, said)
    provider = variables.resolved("provider")
    cloud = text(provider) or text(at(provider, "name"))
    if cloud != "aws":
        said.notes.append(_left_out(document, provider, cloud, path))
        if cloud is not None:
            said.elsewhere.append(path.rpartition("/")[0])
        return
    stack = Stack(_service(variables, document, provider, path))
    functions: list[Compiled] = []
    incomplete: set[str] = set()
    for key, node in _named(variables.resolved("functions"), "functions", path, said):
        if len(stack.resources) > MAX_RESOURCES:
            said.notes.append(
                f"{path} makes more than {MAX_RESOURCES:,} resources; {key} and what follows were left out"
            )
            break
        function = compile_function(stack, key, *node)
        functions.append(function)
        if not compile_events(stack, function):
            incomplete.add(function.logical)
    for key, node in _named(variables.resolved("layers"), "layers", path, said):
        compile_layer(stack, key, *node)
    if "constructs" in document.items:
        said.notes.append(f"{path}: the constructs of serverless-lift, and the functions among them, were left out")
    compile_roles(stack, functions)
    whole = _with_resources(stack, variables.resolved("resources"), path, said)
    reader = Reader(whole)
    template, _ = read_template(whole, path, reader)
    yield _joined(replace(template, dialect=Dialect.SERVERLESS), stack, functions, incomplete, reader, tree)


def _left_out(document: Mapping, provider: Node | None, cloud: str | None, path: str) -> str:
    if cloud is not None:
        return f"{path} is for {cloud} and was left out"
    if is_hidden(provider) or is_hidden(at(provider, "name")):
        return f"{path} is for a provider that is not known and was left out"
    if "component" in document.items:
        return f"{path} is for a Serverless Component and was left out"
    return f"{path} names no provider and was left out"


def _service(variables: Variables, document: Mapping, provider: Node | None, path: str) -> Service:
    name = variables.resolved("service")
    plugins = variables.resolved("plugins")
    listed = items(plugins) or items(at(plugins, "modules"))
    return Service(
        path=path,
        folder=path.rpartition("/")[0],
        span=document.keys.get("provider", document.span),
        name=at(name, "name") if isinstance(name, Mapping) else name,
        stage=variables.stage(document.span),
        provider=provider,
        package=variables.resolved("package"),
        custom=variables.resolved("custom"),
        plugins=frozenset(written for item in listed if (written := text(item)) is not None),
    )


def _named(node: Node | None, what: str, path: str, said: Said) -> Iterator[tuple[str, tuple[Span, Mapping]]]:
    """The functions or layers in *node*: a mapping, or a list of such."""
    for part in items(node) or ((node,) if node is not None else ()):
        if isinstance(part, Mapping):
            for key, value in part.items.items():
                if isinstance(value, Mapping):
                    yield key, (part.keys[key], value)
                elif is_hidden(value):
                    said.notes.append(f"{path}: what {key} of {what} is cannot be known from its files")
        elif is_hidden(part):
            said.notes.append(f"{path}: {what} cannot be known from its files")


def _with_resources(stack: Stack, resources: Node | None, path: str, said: Said) -> Mapping:
    """The compiled stack with what the service adds to it and changes in it."""
    parts = _sections(resources, path, said)
    own = parts.pop("Resources", None)
    extensions = parts.pop("extensions", None)
    compiled: Node = Mapping(stack.resources, stack.names, stack.service.span)
    for part in items(own) or ((own,) if own is not None else ()):
        if isinstance(part, Mapping):
            compiled = merged(compiled, part) or compiled
        elif is_hidden(part):
            said.notes.append(f"{path}: a part of its resources cannot be known from its files")
    if isinstance(compiled, Mapping) and isinstance(extensions, Mapping):
        compiled = _extended(compiled, extensions)
    parts["Resources"] = compiled
    return block(stack.service.span, parts)


def _sections(resources: Node | None, path: str, said: Said) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for part in items(resources) or ((resources,) if resources is not None else ()):
        if isinstance(part, Mapping):
            for name, node in part.items.items():
                below = merged(found.get(name), None if is_null(node) else node)
                if below is not None:
                    found[name] = below
        elif is_hidden(part):
            said.notes.append(f"{path}: a part of its resources cannot be known from its files")
    return found


def _extended(resources: Mapping, extensions: Mapping) -> Mapping:
    """*resources* with properties replaced, rather than merged, by those of *extensions*."""
    changed = dict(resources.items)
    for name, extension in extensions.items.items():
        before = changed.get(name)
        if not isinstance(before, Mapping) or not isinstance(extension, Mapping):
            continue
        parts = dict(before.items)
        for key, node in extension.items.items():
            old = parts.get(key)
            if key in ("Properties", "Metadata") and isinstance(old, Mapping) and isinstance(node, Mapping):
                node = Mapping(old.items | node.items, old.keys | node.keys, old.span)
            parts[key] = node
        changed[name] = Mapping(parts, before.keys | extension.keys, before.span)
    return Mapping(changed, resources.keys, resources.span)


def _joined(
    template: Template,
    stack: Stack,
    functions: list[Compiled],
    incomplete: set[str],
    reader: Reader,
    tree: Mounted,
) -> Declared:
    found = declare(template, tree)
    keys = {function.logical: function for function in functions}
    found.functions = [
        _function(function, keys[function.name], stack.service, incomplete, template, tree)
        if function.name in keys
        else function
        for function in found.functions
    ]
    triggers = (_kind(trigger, stack) for trigger in declared_triggers(template))
    called = (_trigger(each, template, reader) for each in stack.called)
    # The stack knows a function by its logical name; people know it by the key in their file.
    found.triggers = [
        replace(trigger, function=keys[trigger.function].key) if trigger.function in keys else trigger
        for trigger in (*triggers, *called)
    ]
    found.permissions = [
        replace(permission, function=keys[permission.function].key) if permission.function in keys else permission
        for permission in found.permissions
    ]
    return found


def _function(
    function: Function,
    compiled: Compiled,
    service: Service,
    incomplete: set[str],
    template: Template,
    tree: Mounted,
) -> Function:
    return replace(
        function,
        name=compiled.key,
        code=_code(compiled, service, template, tree),
        region=_region(at(service.provider, "region")),
        triggers_complete=compiled.logical not in incomplete,
    )


def _region(node: Node | None) -> Known[str] | None:
    """The region that the provider's section names and the command line does not."""
    name = None if is_default(node) else text(node)
    return Known(name, node.span) if node is not None and name is not None else None


def _code(compiled: Compiled, service: Service, template: Template, tree: Tree) -> Code | None:
    """Where the code is: an artifact, or else the folder of the service, or of a module that is packaged on its own."""
    node = compiled.node
    image = at(node, "image")
    if image is not None:
        return _image(image, service, tree)
    artifact = at(node, "package", "artifact") or at(service.package, "artifact")
    if artifact is not None:
        written = text(artifact)
        return code_at(Known(written, artifact.span), template, tree, artifact.span) if written else None
    installs = _packages_python(service)
    module = at(node, "module") if installs else None
    if module is None or (isinstance(module, Scalar) and module.value == "."):
        return Code(CodeKind.FOLDER, compiled.span, service.folder, service.folder, installs=installs)
    individually = _individually(service, node)
    folder = joined(service.folder, text(module) or "")
    if individually is None or folder is None or text(module) is None:
        return None
    if not individually:
        return Code(CodeKind.FOLDER, compiled.span, service.folder, service.folder, installs=True)
    kind = CodeKind.FOLDER if tree.is_folder(folder) else CodeKind.MISSING
    return Code(kind, module.span, folder, folder if kind is CodeKind.FOLDER else None, installs=True)


def _image(image: Node, service: Service, tree: Tree) -> Code:
    """The image that a function names, with its build where the provider's section says how it is built."""
    from lambdalint.join.images import build_at, image_code

    code = Code(CodeKind.IMAGE, image.span)
    name = text(at(image, "name")) if isinstance(image, Mapping) else text(image)
    stated = at(service.provider, "ecr", "images", name) if name else None
    if stated is None:
        return code
    details = stated if isinstance(stated, Mapping) else None
    arguments = at(details, "buildArgs")
    given = arguments.items if isinstance(arguments, Mapping) else {}
    build = build_at(
        tree,
        service.folder,
        (text(stated) if details is None else text(at(details, "path"))) or ".",
        text(at(details, "file")) or "Dockerfile",
        None,
        {key: value for key, node in given.items() if (value := text(node)) is not None},
    )
    return image_code(code, build)


def _packages_python(service: Service) -> bool:
    """Whether serverless-python-requirements, or what version 4 has of it, packages the functions."""
    return "serverless-python-requirements" in service.plugins or at(service.custom, "pythonRequirements") is not None


def _individually(service: Service, node: Mapping) -> bool | None:
    """Whether each function is packaged on its own, from its ``module``; ``None`` when whoever deploys may choose."""
    stated = at(node, "package", "individually") or at(service.package, "individually")
    return None if is_hidden(stated) or is_default(stated) else is_true(stated)


def _kind(trigger: Trigger, stack: Stack) -> Trigger:
    kind = stack.kinds.get(trigger.name)
    return trigger if kind is None or kind is trigger.kind else replace(trigger, kind=kind)


def _trigger(called: Called, template: Template, reader: Reader) -> Trigger:
    source = template.resources.get(called.source) if called.source else None
    settings = properties_of(reader.value(called.settings))
    return Trigger(called.kind, called.name, called.function, called.span, source, settings)
