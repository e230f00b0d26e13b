"""A container image: what it runs, and the layers that make its files."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from lambdalint.model.artifact import RecordKind
from lambdalint.model.dockerfile import Dockerfile
from lambdalint.model.places import Member, Span


class ImageKind(Enum):
    """What an image was read from."""

    OCI = "OCI layout"
    DOCKER_ARCHIVE = "docker-archive"
    REGISTRY = "registry"
    DOCKERFILE = "Dockerfile"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One record of a layer.

    *path* is relative to the root, with ``/``, without ``.`` and a slash at either end; *name* is as written.  *mode*
    holds the permission bits.  *target* is where a link points: as written for a symbolic one, another path of the
    image for a hard one.  *is_whiteout* says that the record removes what earlier layers have at *path*, *is_opaque*
    that it removes everything below.
    """

    path: str
    name: str
    kind: RecordKind
    size: int
    mode: int
    uid: int
    gid: int
    modified: int
    target: str | None = None
    is_hard_link: bool = False
    is_whiteout: bool = False
    is_opaque: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ImageLayer:
    """One layer, the lowest first.

    *digest*, *media_type* and *packed_bytes* are the manifest's; *diff_id* is what the configuration says the
    uncompressed layer hashes to, and *measured_diff_id* what it does.  *entries* are ``None`` where the layer was not
    read.  *contents* gives those of the files at the paths asked for that the layer has, as far as they are no larger
    than a limit of the reader.  *damages* say in words what keeps the layer from being used.
    """

    digest: str
    media_type: str
    packed_bytes: int
    diff_id: str | None = None
    measured_diff_id: str | None = None
    unpacked_bytes: int | None = None
    entries: tuple[ImageEntry, ...] | None = None
    contents: Callable[[Iterable[str]], Mapping[str, bytes]] | None = field(default=None, repr=False)
    damages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """How one layer came to be, or, *is_empty*, what changed the configuration alone."""

    created_by: str
    is_empty: bool


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The configuration of an image; ``None`` is what it does not say."""

    architecture: str | None = None
    os: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    working_dir: str | None = None
    user: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    diff_ids: tuple[str, ...] = ()
    history: tuple[History, ...] = ()
    created: date | None = None
    settings_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Platform:
    """One of the images that an index lists, ``os/architecture``; *digest* is its manifest's."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An image that is there, will be written, or will be built from a Dockerfile.

    *path* names it for the reader.  *media_type* is that of what the reference leads to, ``None`` for a Dockerfile;
    of an index, which is no image, *platforms* lists the images, and the rest is empty.  *function* is the function
    that runs it and *architecture* what that function declares; *source* is where a template names it.
    """

    path: str
    kind: ImageKind
    media_type: str | None = None
    digest: str | None = None
    manifest_bytes: int | None = None
    platforms: tuple[Platform, ...] = ()
    config: ImageConfig | None = None
    layers: tuple[ImageLayer, ...] = ()
    function: str | None = None
    architecture: str | None = None
    dockerfile: Dockerfile | None = None
    source: Span | None = None
    damages: tuple[str, ...] = ()

    @property
    def unpacked_bytes(self) -> int | None:
        """The sum of all uncompressed layers, as Lambda counts it; ``None`` if one was not read."""
        sizes = [layer.unpacked_bytes for layer in self.layers]
        return None if not sizes or None in sizes else sum(size for size in sizes if size is not None)

    def member(self, path: str) -> Member:
        """The place of a file of the image."""
        return Member(self.path, path)
