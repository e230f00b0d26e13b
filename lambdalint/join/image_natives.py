"""The native code that Python finds in an image, as an artifact, for the rules that look at native code."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from lambdalint.aws.images import base_environment
from lambdalint.errors import UnreadableInput
from lambdalint.facts.image_tree import ImageTree, Placed
from lambdalint.facts.installed import comparable
from lambdalint.facts.native import answer_now, is_native_name
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry, RecordKind, System
from lambdalint.model.image import Image

_TASK_ROOT: Final = "LAMBDA_TASK_ROOT"
_LAYERS: Final = "opt/"
_SITE: Final = re.compile(r"(?P<site>(?:.*/)?(?:site|dist)-packages/)(?P<top>[^/]+)")
_DIST_INFO: Final = re.compile(
    r"(?P<site>(?:.*/)?(?:site|dist)-packages/)(?P<name>[^/-]+)-(?P<version>[^/-]+)\.dist-info/"
)
_ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "arm64"}

_LIBRARY_FOLDERS: Final = ("lib64", "usr/lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu")
_GLIBC: Final = re.compile(r"libc-(\d+)\.(\d+)\.so")
_GLIBC_SAYS: Final = re.compile(rb"GNU C Library [^\n]{0,100}version (\d+)\.(\d+)")
_GLIBCXX: Final = re.compile(r"libstdc\+\+\.so\.6\.0\.(\d+)")
_MUSL: Final = re.compile(r"(?:usr/)?lib/ld-musl-[^/]+\.so\.1")

_HEAD_BYTES: Final = 4_096
#: Larger files are not looked into: the largest libraries of wheels have some hundred megabytes.
_MAX_BYTES: Final = 512 * 1024 * 1024


def native_part(image: Image) -> Artifact | None:
    """The native files of *image* and the sources beside them; ``None`` where there are none, or it was not read.

    Paths are those of the image.  The runtime is the one Python that the image has, *system* what it has beside it.
    """
    laid = ImageTree.of(image)
    if not laid.complete or image.config is None:
        return None
    root = (image.config.environment.get(_TASK_ROOT) or base_environment()[_TASK_ROOT]).strip("/") + "/"
    files = {
        path: placed
        for path, placed in laid.by_path.items()
        if placed.entry.kind is RecordKind.FILE
        and not placed.entry.is_hard_link
        and (path.startswith((root, _LAYERS)) or _SITE.match(path))
    }
    natives = {path: placed for path, placed in files.items() if is_native_name(path)}
    if not natives:
        return None
    folders = {path.rpartition("/")[0] for path in natives}
    beside = [path for path in files if path.endswith(".py") and path.rpartition("/")[0] in folders]
    reading = _Reading(image, natives)
    brought_by = _brought_by(files)
    pythons = laid.pythons()
    entries = [reading.entry(path, brought_by(path)) for path in natives]
    entries += [
        Entry(path, files[path].entry.size, partial(_content, image, path, files[path].layer)) for path in beside
    ]
    return Artifact(
        path=image.path,
        kind=ArtifactKind.IMAGE,
        entries=tuple(sorted(entries, key=lambda entry: entry.path)),
        function=image.function,
        runtime=next(iter(pythons)) if len(pythons) == 1 else None,
        architecture=_ARCHITECTURES.get(image.config.architecture or ""),
        source=image.source,
        system=_system(image, laid),
    )


@dataclass(slots=True)
class _Reading:
    """Passes over a layer once for all native files of it; nothing is kept but how they begin and what they show."""

    image: Image
    natives: Mapping[str, Placed]
    heads: dict[str, bytes] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    def entry(self, path: str, origin: str) -> Entry:
        placed = self.natives[path]
        self.entries[path] = Entry(
            path,
            placed.entry.size,
            partial(_content, self.image, path, placed.layer),
            executable=bool(placed.entry.mode & 0o111),
            origin=origin,
            peek=partial(self._head, path, placed.layer),
            shown={},
        )
        return self.entries[path]

    def _head(self, path: str, layer: int, count: int) -> bytes:
        if layer not in self.done:
            self.done.add(layer)
            self._pass(layer)
        return self.heads.get(path, b"")[:count]

    def _pass(self, number: int) -> None:
        layer = self.image.layers[number]
        places = {id(placed.entry): path for path, placed in self.natives.items() if placed.layer == number}
        paths = [places.get(id(entry)) for entry in layer.entries or ()]
        for position, pieces in layer.files() if layer.files else ():
            path = paths[position]
            if path is None or self.natives[path].entry.size > _MAX_BYTES:
                continue
            content = b"".join(pieces)
            self.heads[path] = content[:_HEAD_BYTES]
            answer_now(self.entries[path], content)


def _content(image: Image, path: str, number: int) -> bytes:
    contents = image.layers[number].contents
    found = contents([path]).get(path) if contents else None
    if found is None:
        raise UnreadableInput("the file is not read out of its layer", path=f"{image.path}/{path}")
    return found


def _brought_by(paths: Iterable[str]) -> "_Origins":
    found = {
        (match["site"], comparable(match["name"])): f"{match['name']} {match['version']}"
        for path in paths
        if (match := _DIST_INFO.match(path))
    }
    return _Origins(found)


@dataclass(frozen=True, slots=True)
class _Origins:
    """Distributions by folder and name; what lies in a folder of a distribution's name was brought by it."""

    names: Mapping[tuple[str, str], str]

    def __call__(self, path: str) -> str:
        match = _SITE.match(path)
        if match is None:
            return ""
        top = match["top"].removesuffix(".libs").partition(".")[0]
        return self.names.get((match["site"], comparable(top)), "")


def _system(image: Image, laid: ImageTree) -> System:
    glibc, glibcxx = None, None
    for folder in _LIBRARY_FOLDERS:
        library = _leads_to(laid, f"{folder}/libc.so.6")
        if glibc is None and library is not None:
            glibc = _glibc(image, *library)
        found = _leads_to(laid, f"{folder}/libstdc++.so.6")
        if glibcxx is None and found is not None and (match := _GLIBCXX.fullmatch(found[0].rpartition("/")[2])):
            glibcxx = (3, 4, int(match[1]))
    return System(glibc, glibcxx, is_musl=any(map(_MUSL.fullmatch, laid.by_path)))


def _leads_to(laid: ImageTree, path: str) -> tuple[str, Placed] | None:
    real = laid.real_path(path)
    placed = laid.by_path.get(real) if real else None
    return (real, placed) if real and placed else None


def _glibc(image: Image, path: str, placed: Placed) -> tuple[int, int] | None:
    named = _GLIBC.fullmatch(path.rpartition("/")[2])
    if named:
        return int(named[1]), int(named[2])
    try:
        said = _GLIBC_SAYS.search(_content(image, path, placed.layer))
    except UnreadableInput:
        return None
    return (int(said[1]), int(said[2])) if said else None


def native_parts(images: Iterable[Image]) -> Iterator[Artifact]:
    """The native parts of those *images* that are there."""
    for image in images:
        if image.layers:
            part = native_part(image)
            if part is not None:
                yield part
