"""Functions and layers as they are declared, with what was built for them, and what is written for deploying that."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdalint.errors import LambdalintError
from lambdalint.model.function import CodeKind, Function, Layer
from lambdalint.model.places import Span
from lambdalint.model.project import Project
from lambdalint.model.template import Dialect
from lambdalint.packager.plan import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A package at *path*, which is absolute, or an image in a registry at *image_uri*."""

    kind: Kind
    sha256: str
    packed_bytes: int
    path: Path
    image_uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A function or layer of a project.

    *span* is its name where it is declared, *root* the template that everything belongs to which is deployed with it.
    *is_image* says that it is declared as an image.  *built* is ``None`` where there is no package: *reason* then says
    why, and *is_lost* that there should be one.  *uploads* is the path of what is uploaded as it lies in the project.
    """

    name: str
    span: Span
    root: str
    dialect: Dialect
    is_layer: bool = False
    is_image: bool = False
    built: Built | None = None
    reason: str = ""
    is_lost: bool = False
    uploads: str | None = None

    @property
    def note(self) -> str | None:
        """What somebody should know about it who deploys the rest."""
        if self.built is not None or self.uploads is None:
            return None
        return f"{self.name} is not packaged, since {self.reason}: {self.uploads} goes up as it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPackage:
    """A layer that no template declares, and the *functions* that are to have it."""

    name: str
    path: Path
    runtimes: tuple[str, ...]
    architectures: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Emitted:
    """A file at *path*, which is absolute; without *content* it is not to be written, and *notes* say why."""

    path: Path
    content: bytes | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Emission:
    """Files to write, and what could not be said in any, each with the path of the template."""

    files: tuple[Emitted, ...] = ()
    failures: tuple[tuple[str, LambdalintError], ...] = ()


def declarations(
    project: Project, built: Mapping[str, Built], skipped: Mapping[str, str], is_asked_for: Callable[[str], bool]
) -> Iterator[Declaration]:
    """What the templates of *project* declare, with what was *built* of it by name.

    *skipped* says why there is no package of some; of what *is_asked_for* and is in neither, one is missing.
    """
    dialects = {template.path: template.dialect for template in project.templates}
    owners: list[Function | Layer] = [*project.functions, *project.layers]
    for each in owners:
        root = each.template if isinstance(each, Function) else _root(each, project)
        if root is None:
            continue
        name = each.name
        code = each.code
        stays = code is not None and code.kind in (CodeKind.FOLDER, CodeKind.FILE)
        is_lost = name not in built and name not in skipped and is_asked_for(name)
        yield Declaration(
            name=name,
            span=each.span,
            root=root,
            dialect=dialects[root],
            is_layer=isinstance(each, Layer),
            is_image=isinstance(each, Function) and each.image,
            built=built.get(name),
            reason=skipped.get(name, "nobody asked for it"),
            is_lost=is_lost,
            uploads=code.path if code is not None and stays else None,
        )


def by_root(declarations: Iterable[Declaration]) -> Mapping[str, list[Declaration]]:
    """*declarations* by the template that they are deployed with."""
    found: dict[str, list[Declaration]] = {}
    for each in declarations:
        found.setdefault(each.root, []).append(each)
    return found


def _root(layer: Layer, project: Project) -> str | None:
    """The template that *layer* is deployed with."""
    for template in project.templates:
        resource = template.resources.get(layer.name)
        if resource is not None and resource.span == layer.span:
            return template.path
    return next((template.path for template in project.templates if template.path == layer.span.path), None)


def without_packages(path: Path, lost: Sequence[Declaration]) -> Emitted:
    """The file at *path* while packages are missing that it would name."""
    names = ", ".join(each.name for each in lost)
    return Emitted(path, None, (f"there {'is no package' if len(lost) == 1 else 'are no packages'} of {names}",))
