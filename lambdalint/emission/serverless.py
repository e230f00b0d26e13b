"""Services of the Serverless Framework that name what was built, beside the files that they are made of.

A service finds everything by paths as seen from its folder, so that only there nothing else has to change.

Source: https://www.serverless.com/framework/docs/providers/aws/guide/packaging
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from lambdalint.emission.declarations import Declaration, Emission, Emitted, LayerPackage, by_root, without_packages
from lambdalint.emission.local import seen_from
from lambdalint.emission.rewriting import Content, Rewriting, Steps, found
from lambdalint.errors import LambdalintError, Refused
from lambdalint.join.emitted import SERVICE
from lambdalint.model.document import Mapping, Node, Scalar
from lambdalint.model.document import Sequence as DocumentList
from lambdalint.packager.plan import Kind
from lambdalint.readers.tree import Folder

#: Plugins that put requirements into the packages of others.
_INSTALLING: Final = ("serverless-python-requirements",)
#: The layer that they make when they are told to.
_INSTALLED: Final = "PythonRequirementsLambdaLayer"
_SUFFIXES: Final = (".yml", ".yaml", ".json")


def emitted_services(tree: Folder, declarations: Iterable[Declaration], layers: Sequence[LayerPackage]) -> Emission:
    """A file beside each service that declares something which was built, for ``serverless deploy --config``."""
    files: list[Emitted] = []
    failures: list[tuple[str, LambdalintError]] = []
    for root, own in by_root(declarations).items():
        lost = [each for each in own if each.is_lost]
        if not lost and not any(each.built for each in own):
            continue
        folder, _, name = root.rpartition("/")
        path = tree.root / folder / f"{SERVICE}.{name.rpartition('.')[2]}"
        if lost:
            files.append(without_packages(path, lost))
            continue
        try:
            content = _service(tree, root, own, layers)
            files.append(Emitted(path, content, tuple(note for each in own if (note := each.note))))
        except LambdalintError as error:
            failures.append((root, error))
    return Emission(tuple(files), tuple(failures))


def _service(tree: Folder, root: str, declarations: Sequence[Declaration], layers: Sequence[LayerPackage]) -> bytes:
    """The service at *root* with the packages of *declarations*.

    Raises:
        Refused: what was built cannot be said in it.
    """
    if not root.endswith(_SUFFIXES):
        raise Refused(f"{root} is a program, in which nothing can be written", hint="name the packages in it")
    names = {each.name for each in declarations}
    layer = next((each for each in layers if names & {*each.functions}), None)
    if layer is not None:
        raise Refused(f"{root} does not declare the layer {layer.name}", hint="leave out --layers shared")
    rewriting = Rewriting(root, tree.read(root))
    for each in declarations:
        if each.built is None:
            continue
        steps = next(_places(rewriting.root, each), None) if each.span.path == root else None
        if steps is None:
            raise Refused(
                f"{each.name} is declared in {each.span.path}, which {root} takes in", hint="declare it there"
            )
        way, content = _package(tree, root, each)
        rewriting.put((*steps, *way), content)
    for steps in (("plugins",), ("plugins", "modules")):
        plugins = found(rewriting.root, steps)
        if isinstance(plugins, DocumentList):
            kept = [each.text for each in plugins.items if isinstance(each, Scalar) and each.text not in _INSTALLING]
            if len(kept) < len(plugins.items):
                if _INSTALLED in rewriting.text.text:
                    raise Refused(
                        f"{root} has functions with {_INSTALLED}, which is made of what is in their packages already",
                        hint="take it out of their layers",
                    )
                rewriting.put(steps, kept)
    return rewriting.written()


def _package(tree: Folder, root: str, declaration: Declaration) -> tuple[Steps, Content]:
    """Where the package of *declaration* is named below it, and how."""
    built = declaration.built
    assert built is not None
    if (built.kind is Kind.IMAGE) is not declaration.is_image:
        raise Refused(f"{declaration.name} is declared as one of archive and image, and packaged as the other")
    if built.kind is Kind.IMAGE:
        if built.image_uri is None:
            raise Refused(
                f"the image of {declaration.name} is in {built.path.name}, from where nothing deploys it",
                hint="give --to HOST/NAME:TAG, the registry that it is to run from",
            )
        return ("image",), built.image_uri
    if built.kind is Kind.DIR:
        raise Refused(f"{built.path.name} is a folder, and services have archives", hint="give --kind zip")
    return ("package", "artifact"), seen_from(built.path, (tree.root / root).parent)


def _places(root: Mapping, declaration: Declaration) -> Iterator[Steps]:
    """Where *declaration* stands among the functions or layers, which are a mapping or a list of them."""
    holder = "layers" if declaration.is_layer else "functions"
    node: Node | None = root.items.get(holder)
    parts: list[tuple[Steps, Node | None]] = [((holder,), node)]
    if isinstance(node, DocumentList):
        parts = [((holder, number), each) for number, each in enumerate(node.items)]
    for steps, part in parts:
        for key, span in part.keys.items() if isinstance(part, Mapping) else ():
            if (span.line, span.column) == (declaration.span.line, declaration.span.column):
                yield (*steps, key)
