"""A container image: what it runs, and the layers that make its files."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from lambdalint.model.artifact import RecordKind
from lambdalint.model.dockerfile import Dockerfile, Instruction, Stage, Word
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
    uncompressed layer hashes to, and *measured_diff_id* what it does; *packing* is how it is compressed, ``gzip`` or
    ``zstd``, ``""`` for not at all and ``None`` where nobody looked.  *entries* are ``None`` where the layer was not
    read.  *contents* gives those of the files at the paths asked for that the layer has, as far as they are no larger
    than a limit of the reader.  *files* goes through all of them, each by its number among the entries and with its
    content in pieces, to be taken before the next file.  *damages* say in words what keeps the layer from being used.
    """

    digest: str
    media_type: str
    packed_bytes: int
    diff_id: str | None = None
    measured_diff_id: str | None = None
    unpacked_bytes: int | None = None
    packing: str | None = None
    entries: tuple[ImageEntry, ...] | None = None
    contents: Callable[[Iterable[str]], Mapping[str, bytes]] | None = field(default=None, repr=False)
    files: Callable[[], Iterator[tuple[int, Iterator[bytes]]]] | None = field(default=None, repr=False)
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
class Recipe:
    """What a Dockerfile comes to for the stage that becomes the image.

    *stages* are that stage and those that it rests on, the lowest first.  *base* is the image below them, named at
    *base_span*, and *platform* the one it is taken for; both are ``None`` where that depends on what nobody knows.
    *settings* are what ``ENV`` sets, in order, each value as it is written.  *folder* is the working directory,
    ``None`` where it is not known, *entrypoint* and *command* the instructions that hold in the end, and *modules* the
    paths of Python files of the project that are copied to known places in the image.  *has_client* says that
    something answers the Runtime API, or that what is installed is not known well enough to tell, and *is_shared*
    that the project runs images elsewhere, too.
    """

    dockerfile: Dockerfile
    stages: tuple[Stage, ...]
    base: str | None
    base_span: Span
    platform: str | None = None
    settings: tuple[tuple[str, Word], ...] = ()
    folder: str | None = "/"
    entrypoint: Instruction | None = None
    command: Instruction | None = None
    modules: tuple[str, ...] = ()
    has_client: bool = True
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class BuildStep:
    """A command of the project, or a step of its workflow, that builds an image and sends it to a registry.

    *platforms* are those that it builds for, *attests* says that it adds attestations, and *flags* is what keeps it
    from that, with *edit* as the place and the text that add it, where it can be added.
    """

    span: Span
    platforms: tuple[str, ...]
    attests: bool
    flags: str
    edit: tuple[Span, str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An image that is there, will be written, or will be built from a Dockerfile.

    *path* names it for the reader.  *media_type* is that of what the reference leads to, ``None`` for a Dockerfile;
    of an index, which is no image, *platforms* lists the images, and the rest is empty.  *function* is the function
    that runs it and *architecture* what that function declares; *source* is where a template names it.  *recipe* is
    how it is built, and *steps* are what the project builds it with.
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
    recipe: Recipe | None = None
    steps: tuple[BuildStep, ...] = ()
    source: Span | None = None
    damages: tuple[str, ...] = ()

    @property
    def place(self) -> Span:
        """Where the image is named, or else the image as such."""
        return self.source or Span.whole(self.path)

    @property
    def unpacked_bytes(self) -> int | None:
        """The sum of all uncompressed layers, as Lambda counts it; ``None`` if one was not read."""
        sizes = [layer.unpacked_bytes for layer in self.layers]
        return None if not sizes or None in sizes else sum(size for size in sizes if size is not None)

    def member(self, path: str) -> Member:
        """The place of a file of the image."""
        return Member(self.path, path)
