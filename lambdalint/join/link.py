"""Templates, code and artifacts become one project."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final, TypeVar

from lambdalint.aws.runtimes import is_python
from lambdalint.errors import UnreadableInput
from lambdalint.facts.imports import Imports
from lambdalint.facts.outline import Outline
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.symbols import Symbols
from lambdalint.join.artifacts import function_artifact, layer_artifact
from lambdalint.join.cloudformation import Declared
from lambdalint.join.code import load_code
from lambdalint.join.dialects import declare_root
from lambdalint.join.discover import Discovered
from lambdalint.join.given import given
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.properties import items_of, reference_of
from lambdalint.join.roles import Roles
from lambdalint.join.stacks import declare_document, root_documents
from lambdalint.join.undeclared import Facts, found_functions, stated_functions
from lambdalint.model.artifact import Artifact, ArtifactKind
from lambdalint.model.function import CodeKind, Evidence, Function, Handling, Layer, Permission, Trigger
from lambdalint.model.image import Image
from lambdalint.model.project import Module, Project
from lambdalint.model.values import Known
from lambdalint.readers.tree import LazyTree, MemoryTree, Mounted

About = TypeVar("About", Trigger, Permission)

#: Files of which the same is worth a word are named up to this number.
_SAID_SINGLY: Final = 3


def link(
    tree: Mounted,
    found: Discovered,
    symbols: PerModule[Symbols],
    imports: PerModule[Imports],
    outlines: PerModule[Outline],
    today: date,
    inputs: Inputs,
) -> Project:
    """The project that the templates in *found* declare, with the handlers that they do not speak of.

    Archives and inline code are mounted into *tree*.

    What cannot be read goes to the failures of *found*.
    """
    functions: list[Function] = []
    images: list[Image] = []
    layers: list[Layer] = []
    templates = []
    permissions = []
    said = Said(found.failures)
    for declared in _all_declared(tree, found, inputs, said):
        templates.append(declared.template)
        permissions += declared.permissions
        own_layers = [_with_artifact(layer, declared, tree, found) for layer in declared.layers]
        layers += own_layers
        by_name = {layer.name: layer for layer in own_layers}
        roles = Roles(declared.template.resources)
        triggers, granted = _by_function(declared.triggers), _by_function(declared.permissions)
        functions += [
            _joined(
                replace(function, role=roles.of(function.resource.get("Role"))),
                triggers,
                granted,
                by_name,
                tree,
                found,
                symbols,
                imports,
                images,
            )
            for function in declared.functions
        ]
    facts = Facts(symbols, imports, outlines)
    named = {(each.target.path, each.target.symbol) for each in functions}
    stated = [each for each in inputs.functions if (each.path, each.symbol) not in named]
    functions += stated_functions(tree, stated, facts)
    declared_paths = {each.artifact.path for each in functions if each.artifact}
    declared_paths |= {each.artifact.path for each in layers if each.artifact}
    alone = given(tree, [path for path in found.artifacts if path not in declared_paths], inputs.artifacts, said)
    layers += alone.layers
    functions += [_loaded(each, tree, symbols, imports) for each in alone.functions]
    if inputs.images:
        from lambdalint.join.packed_images import given_images

        for function, image in given_images(tree, inputs.images, inputs.artifacts):
            functions.append(_loaded(function, tree, symbols, imports))
            images.append(image)
    undeclared = found_functions(tree, list(_on_lambda(found.modules, said.elsewhere)), functions, facts)
    functions += sorted(undeclared, key=lambda each: each.evidence is Evidence.SIGNATURE)
    artifacts = list(_artifacts(functions, layers))
    if images:
        from lambdalint.join.image_natives import native_parts

        artifacts += native_parts(images)
    return Project(
        functions=tuple(functions),
        templates=tuple(templates),
        today=today,
        layers=tuple(layers),
        artifacts=tuple(artifacts),
        images=tuple(images),
        permissions=tuple(permissions),
        modules=tuple(
            Module(path) for path in dict.fromkeys(path for each in functions for path in each.modules.values())
        ),
        notes=(*_notes(functions, found), *_folded(said.notes)),
        measured=inputs.measured,
        policy=inputs.policy,
    )


def _all_declared(tree: Mounted, found: Discovered, inputs: Inputs, said: Said) -> Iterator[Declared]:
    for path in root_documents(found.documents, tree):
        try:
            yield declare_document(found.documents[path], path, tree, inputs, said)
        except UnreadableInput as failure:
            said.failures.append(failure)
    for dialect, path in found.roots:
        try:
            yield from declare_root(dialect, tree, path, inputs, said)
        except UnreadableInput as failure:
            said.failures.append(failure)


def _joined(
    function: Function,
    triggers: Mapping[str | None, list[Trigger]],
    permissions: Mapping[str | None, list[Permission]],
    layers: Mapping[str, Layer],
    tree: Mounted,
    found: Discovered,
    symbols: PerModule[Symbols],
    imports: PerModule[Imports],
    images: list[Image],
) -> Function:
    """*function* with all that belongs to it; the image that it runs goes to *images*."""
    local, complete = _local_layers(function, layers)
    joined = replace(
        function,
        triggers=tuple(triggers.get(function.name, ())),
        permissions=tuple(permissions.get(function.name, ())),
        local_layers=local,
        layers_complete=complete,
    )
    if joined.image:
        from lambdalint.join.images import joined_image

        joined, image = joined_image(joined, tree, found.failures)
        images += [image] if image else []
    joined = replace(joined, artifact=_artifact(joined, tree, found))
    return _loaded(joined, tree, symbols, imports)


def _by_function(things: Iterable[About]) -> dict[str | None, list[About]]:
    """Triggers or permissions by the function that they are about."""
    grouped: dict[str | None, list[About]] = {}
    for thing in things:
        grouped.setdefault(thing.function, []).append(thing)
    return grouped


def _loaded(function: Function, tree: Mounted, symbols: PerModule[Symbols], imports: PerModule[Imports]) -> Function:
    """*function* with its handler and modules, if it is Python's.

    Where the runtime is hidden, a handler that is there speaks for Python; one that is not there says nothing, unless
    somebody gave it to us by name.
    """
    runtime = function.runtime
    stated = isinstance(runtime, Known) or bool(function.container and function.container.python)
    stated = stated or (function.evidence is Evidence.CONFIGURATION and isinstance(function.handler, Known))
    if isinstance(runtime, Known) and not is_python(str(runtime.value)):
        return function
    if not stated and function.code and function.code.kind is CodeKind.INLINE:
        return function
    _mount(function, tree)
    loaded = load_code(tree, function, symbols, imports, _roots(function))
    return loaded if stated or loaded.target.state is Handling.RESOLVED else function


def _artifact(function: Function, tree: Mounted, found: Discovered) -> Artifact | None:
    try:
        return function_artifact(tree, function)
    except UnreadableInput as failure:
        found.failures.append(failure)
        return None


def _with_artifact(layer: Layer, declared: Declared, tree: Mounted, found: Discovered) -> Layer:
    users = [
        function
        for function in declared.functions
        if any(
            (reference := reference_of(item)) and reference.resource == layer.name for item in items_of(function.layers)
        )
    ]
    try:
        return replace(layer, artifact=layer_artifact(tree, layer, users))
    except UnreadableInput as failure:
        found.failures.append(failure)
        return layer


def _mount(function: Function, tree: Mounted) -> None:
    code = function.code
    if code is None or code.root is None:
        return
    if code.kind is CodeKind.INLINE:
        text = function.resource.get("InlineCode") or function.resource.get("Code", "ZipFile")
        if isinstance(text, Known):
            tree.mount(code.root, MemoryTree({"index.py": str(text.value)}))
    elif function.artifact and function.artifact.kind is ArtifactKind.ZIP and not function.artifact.is_unreadable:
        tree.mount(code.root, LazyTree({entry.path: (entry.size, entry.read) for entry in function.artifact.entries}))


def _local_layers(function: Function, layers: Mapping[str, Layer]) -> tuple[tuple[Layer, ...], bool]:
    if not isinstance(function.layers, Known):
        return (), function.layers is None
    local = []
    for item in function.layers.value:
        reference = reference_of(item)
        if reference and reference.resource in layers:
            local.append(layers[reference.resource])
    return tuple(local), len(local) == len(function.layers.value)


def _roots(function: Function) -> tuple[str, ...]:
    """The folders on ``sys.path``, in order: the code, then each layer's ``python`` and the layer itself.

    A layer that ``sam build`` builds has no ``python`` folder in its source.
    """
    roots = [function.code.root, *function.code.more_roots] if function.code and function.code.root is not None else []
    for layer in function.local_layers:
        if layer.code.root is not None:
            roots += [f"{layer.code.root}/python".lstrip("/"), layer.code.root]
    return tuple(roots)


def _artifacts(functions: list[Function], layers: list[Layer]) -> Iterator[Artifact]:
    seen: set[tuple[str, str | None, str | None]] = set()
    owners: tuple[Function | Layer, ...] = (*functions, *layers)
    for owner in owners:
        artifact = owner.artifact
        if artifact is None:
            continue
        key = (artifact.path, artifact.runtime, artifact.architecture)
        if key not in seen:
            seen.add(key)
            yield artifact


def _notes(functions: list[Function], found: Discovered) -> Iterator[str]:
    remote = sum(
        each.code is None or (each.code.kind in (CodeKind.REMOTE, CodeKind.IMAGE) and each.code.root is None)
        for each in functions
    )
    if remote:
        yield f"the code of {_count(remote, 'function')} is not in these files and was not looked at"
    missing = sum(1 for each in functions if each.code and each.code.kind is CodeKind.MISSING)
    if missing:
        yield f"the code of {_count(missing, 'function')} is not where the template says, perhaps until it is built"
    yield from _alone(functions)
    yield from _handlers_elsewhere(functions, found)
    if found.terragrunt:
        files = _count(len(found.terragrunt), "Terragrunt file")
        yield f"{files} {'was' if len(found.terragrunt) == 1 else 'were'} not read; variables set there stay unset"
    if found.placeholders:
        yield (
            f"{_count(len(found.placeholders), 'template')} hold placeholders and were left out: "
            f"{', '.join(found.placeholders[:3])}{' …' if len(found.placeholders) > 3 else ''}"
        )


def _on_lambda(modules: Iterable[str], elsewhere: Iterable[str]) -> Iterator[str]:
    """Those of *modules* that are in no folder of another cloud's."""
    folders = tuple(f"{folder}/" for folder in elsewhere if folder)
    return (path for path in modules if not path.startswith(folders))


def _alone(functions: list[Function]) -> Iterator[str]:
    """What is said of the handlers that nobody declares."""
    names = [each.name for each in functions if each.evidence in (Evidence.FRAMEWORK, Evidence.SIGNATURE)]
    if names:
        shown = ", ".join(names[:_SAID_SINGLY]) + (", …" if len(names) > _SAID_SINGLY else "")
        are = "is" if len(names) == 1 else "are"
        yield f"{_count(len(names), 'handler')} without a template ({shown}) {are} judged by the code alone"


def _handlers_elsewhere(functions: list[Function], found: Discovered) -> Iterator[str]:
    """What is said of given artifacts in which the stated handler is not, while their layers are not known."""
    for each in functions:
        if each.template is not None or each.artifact is None or each.artifact.path not in found.artifacts:
            continue
        if isinstance(each.handler, Known) and each.target.state is Handling.UNJUDGED and not each.layers_complete:
            yield f"{each.handler.value} was not found in {each.artifact.path}: {each.target.reason}"


def _folded(notes: list[str]) -> Iterator[str]:
    """*notes*, each once; what is said of many files alike is said of the first and counted for the others."""
    groups: dict[str, list[str]] = {}
    for note in dict.fromkeys(notes):
        subject, _, rest = note.partition(" ")
        groups.setdefault(rest if "." in subject or "/" in subject else note, []).append(note)
    for alike in groups.values():
        if len(alike) <= _SAID_SINGLY:
            yield from alike
        else:
            yield f"{alike[0]}; so it is with {len(alike) - 1} more"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
