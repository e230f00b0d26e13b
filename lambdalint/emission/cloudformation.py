"""Templates of CloudFormation and SAM that name what was built, to be deployed from where the packages are."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lambdalint.aws.local_paths import package_path
from lambdalint.emission.declarations import (
    Built,
    Declaration,
    Emission,
    Emitted,
    LayerPackage,
    by_root,
    without_packages,
)
from lambdalint.emission.local import moved_path, resources, seen_from, stated_paths
from lambdalint.emission.rewriting import Rewriting, Steps, found
from lambdalint.errors import LambdalintError, Refused, UnreadableInput
from lambdalint.join.emitted import MARK
from lambdalint.join.resource_types import LAYER
from lambdalint.join.stacks import nested_templates
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node, Scalar
from lambdalint.packager.plan import Kind
from lambdalint.readers.tree import Folder, joined

_SAM: Final = "AWS::Serverless::"
_SAM_FUNCTION: Final = "AWS::Serverless::Function"
_SAM_LAYER: Final = "AWS::Serverless::LayerVersion"
#: What says where a function's code is; without any of them `sam package` takes the folder of the template.
_CODE: Final = ("CodeUri", "InlineCode", "ImageUri")
#: Metadata by which `sam build` leaves a resource alone; an archive it leaves alone anyway.
_SKIP_BUILD: Final = ("Metadata", "SkipBuild")


@dataclass(slots=True)
class _Family:
    """A root template with those that it nests, by path, as far as they are named plainly."""

    root: str
    declarations: Sequence[Declaration]
    documents: dict[str, Rewriting] = field(default_factory=dict)
    inner: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, tree: Folder) -> None:
        """Read them all; what is nested and no template is left out.

        Raises:
            UnreadableInput: the root cannot be read.
        """
        waiting = [self.root]
        while waiting:
            path = waiting.pop()
            if path in self.documents:
                continue
            try:
                self.documents[path] = document = Rewriting(path, tree.read(path))
            except UnreadableInput:
                if path == self.root:
                    raise
                continue
            self.inner[path] = tuple(nested_templates(document.root, path, tree))
            waiting += self.inner[path]

    def emitted(self) -> set[str]:
        """The templates that declare what is packaged, and those that nest them.

        Raises:
            Refused: something is declared in a template that is not named plainly.
        """
        wanted = set()
        for each in self.declarations:
            if each.built is None and not each.is_lost:
                continue
            if each.span.path not in self.documents:
                raise Refused(
                    f"{each.name} is declared in {each.span.path}, which {self.root} does not name plainly",
                    hint="write its path where the stack is declared",
                )
            wanted.add(each.span.path)
        while more := {path for path, inner in self.inner.items() if wanted & {*inner}} - wanted:
            wanted |= more
        return wanted


def emitted_templates(
    tree: Folder, declarations: Iterable[Declaration], layers: Sequence[LayerPackage], out: Path
) -> Emission:
    """The templates of *declarations* that declare something which was built, as they are to lie in *out*.

    They lie there as they do in the project, seen from the folder that holds them all.
    """
    families: list[tuple[_Family, set[str]]] = []
    failures: list[tuple[str, LambdalintError]] = []
    for root, own in by_root(declarations).items():
        family = _Family(root, own)
        try:
            family.read(tree)
            families.append((family, family.emitted()))
        except LambdalintError as error:
            failures.append((root, error))
    folders = [path.rpartition("/")[0] for _, paths in families for path in paths]
    base = os.path.commonpath(folders) if folders else ""
    files: dict[Path, Emitted] = {}
    for family, paths in families:
        places = {
            path: out / path.removeprefix(f"{base}/" if base else "")
            for path in sorted(paths, key=lambda path: (path != family.root, path))
        }
        lost = [each for each in family.declarations if each.is_lost]
        if lost:
            if family.root in places:
                files[places[family.root]] = without_packages(places[family.root], lost)
            continue
        try:
            made = [_Template(tree, family, path, places, layers).emitted() for path in places]
            for file in made:
                if files.get(file.path, file).content != file.content:
                    raise Refused(
                        f"{file.path.name} is nested by several templates, and its packages differ with them",
                        hint="package them one at a time, each with an --out of its own",
                    )
            files.update({file.path: file for file in made})
        except LambdalintError as error:
            failures.append((family.root, error))
    return Emission(tuple(files.values()), tuple(failures))


class _Template:
    """One template on its way to its place among *places*, those of all that are emitted with it."""

    def __init__(
        self, tree: Folder, family: _Family, path: str, places: Mapping[str, Path], layers: Sequence[LayerPackage]
    ) -> None:
        self._tree, self._path, self._places = tree, path, places
        self._rewriting = family.documents[path]
        self._root = self._rewriting.root
        self._declarations = [each for each in family.declarations if each.span.path == path]
        self._source = tree.root / path
        self._place = places[path]
        self._layers = layers

    def emitted(self) -> Emitted:
        """The template as it is to be written.

        Raises:
            Refused: what was built cannot be said in it.
        """
        for steps, text in stated_paths(self._root, self._path, self._tree):
            self._rewriting.put(steps, self._moved(text))
        for steps, resource in resources(self._root):
            if _takes_own_folder(resource, self._root):
                self._rewriting.put((*steps, "Properties", "CodeUri"), self._moved("./"))
            key = self._key(steps)
            if key is not None and (built := self._built(key)):
                self._name(built, steps, resource)
                self._attach(built, steps, resource)
        self._rewriting.put(MARK, seen_from(self._source, self._place.parent))
        notes = tuple(note for each in self._declarations if (note := each.note))
        return Emitted(self._place, self._rewriting.written(), notes)

    def _moved(self, text: str) -> str:
        """A local path as it is to be written: of what is emitted as well, or of what stays."""
        nested = joined(self._path.rpartition("/")[0], text)
        if nested is not None and nested in self._places:
            return seen_from(self._places[nested], self._place.parent)
        return moved_path(text, self._source.parent, self._place.parent)

    def _key(self, steps: Steps) -> tuple[int, int] | None:
        holder = found(self._root, steps[:-1])
        key = holder.keys.get(str(steps[-1])) if isinstance(holder, Document) else None
        return (key.line, key.column) if key is not None else None

    def _built(self, key: tuple[int, int]) -> list[Declaration]:
        """What was built for what is declared at *key*: several in loops, or in stacks that are made twice.

        Raises:
            Refused: no one of them can stand for all.
        """
        there = [each for each in self._declarations if (each.span.line, each.span.column) == key]
        built = [each for each in there if each.built is not None]
        if built and len({each.built.sha256 if each.built else None for each in there}) > 1:
            raise Refused(
                f"{self._path}:{key[0]} declares {', '.join(each.name for each in there)}, whose packages differ",
                hint="declare them one by one",
            )
        return built

    def _name(self, declarations: Sequence[Declaration], steps: Steps, resource: Document) -> None:
        """Let the resource at *steps* name the first of the packages of *declarations*."""
        declaration = declarations[0]
        built = declaration.built
        assert built is not None
        kind = _type(resource)
        image = built.kind is Kind.IMAGE
        if image is not declaration.is_image:
            raise Refused(
                f"{declaration.name} is declared as {_form(declaration.is_image)} and packaged as {_form(image)}",
                hint="leave out --kind",
            )
        way = package_path(kind, image=image)
        if way is None:
            raise Refused(f"{self._path}: nobody knows where {kind} names what was built for {declaration.name}")
        self._rewriting.put((*steps, "Properties", *way), self._address(declaration.name, built))
        if built.kind in (Kind.IMAGE, Kind.DIR):
            self._rewriting.put((*steps, *_SKIP_BUILD), True)

    def _attach(self, declarations: Sequence[Declaration], steps: Steps, resource: Document) -> None:
        """Let the function at *steps* have the layers that are for *declarations*.

        Raises:
            Refused: they are for some of them only, or the list of layers is decided elsewhere.
        """
        names = {each.name for each in declarations}
        own = [layer for layer in self._layers if names & {*layer.functions}]
        for layer in own:
            if not names <= {*layer.functions}:
                raise Refused(f"{layer.name} is for some of {', '.join(sorted(names))}, which are declared as one")
            self._declare(layer, resource)
        if own:
            self._rewriting.add((*steps, "Properties", "Layers"), [{"Ref": _logical_name(layer)} for layer in own])

    def _declare(self, layer: LayerPackage, user: Document) -> None:
        """Let the template declare *layer*, in the way in which its *user* is declared."""
        kind = _SAM_LAYER if _type(user).startswith(_SAM) else LAYER
        way = package_path(kind, image=False)
        assert way is not None
        steps: Steps = ("Resources", _logical_name(layer))
        if found(self._root, steps) is not None:
            raise Refused(f"{self._path} declares {steps[-1]}, which is what a shared layer is called")
        self._rewriting.put((*steps, "Type"), kind)
        self._rewriting.put((*steps, "Properties", *way), seen_from(layer.path, self._place.parent))
        self._rewriting.put((*steps, "Properties", "CompatibleRuntimes"), layer.runtimes)
        self._rewriting.put((*steps, "Properties", "CompatibleArchitectures"), layer.architectures)

    def _address(self, name: str, built: Built) -> str:
        if built.image_uri is not None:
            return built.image_uri
        if built.kind is Kind.IMAGE and built.path.is_dir():
            raise Refused(
                f"{name} is a folder with an image, which nothing deploys from",
                hint="give --to docker-archive, whose file `sam deploy` sends to ECR, or --to HOST/NAME:TAG",
            )
        return seen_from(built.path, self._place.parent)


def _form(image: bool) -> str:
    return "an image" if image else "an archive"


def _logical_name(layer: LayerPackage) -> str:
    return "".join(f"{part[:1].upper()}{part[1:]}" for part in re.split(r"[^A-Za-z0-9]+", layer.name))


def _takes_own_folder(resource: Document, root: Document) -> bool:
    """Whether the code of a function is the folder of the template, for want of anything that says otherwise."""
    if _type(resource) != _SAM_FUNCTION:
        return False
    own, shared = resource.items.get("Properties"), found(root, ("Globals", "Function"))
    stated: set[str] = set()
    for node in (own, shared):
        stated.update(node.items if isinstance(node, Document) else ())
    package = found(own, ("PackageType",))
    is_image = isinstance(package, Scalar) and package.text == "Image"
    return isinstance(own, Document) and not is_image and not stated & {*_CODE}


def _type(node: Node) -> str:
    kind = node.items.get("Type") if isinstance(node, Document) else None
    return kind.text if isinstance(kind, Scalar) else ""
