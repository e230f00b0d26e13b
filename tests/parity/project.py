"""A project in nobody's language: what it has, and where the fault in it has to be found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Ends a line of code at which the fault is found.
MARK = "# finding"

HANDLER = "def handler(event, context):\n    return None\n"


@dataclass(frozen=True)
class Here:
    """A value at whose place the fault is found."""

    value: Any


@dataclass(frozen=True)
class Of:
    """What another thing is known by: its ``arn``, ``url`` or ``name``."""

    thing: str
    kind: str


@dataclass(frozen=True)
class Queue:
    """A queue; *here* says that the fault is found where it is named, *fifo* that it keeps the order."""

    name: str
    visibility_s: Any = None
    here: bool = False
    fifo: bool = False


@dataclass(frozen=True)
class Topic:
    """A topic; what is published goes into *queue* as well, without its envelope if *raw*."""

    name: str
    queue: str | None = None
    raw: bool = False


@dataclass(frozen=True)
class Bucket:
    name: str


@dataclass(frozen=True)
class Table:
    """A table with a stream."""

    name: str


@dataclass(frozen=True)
class Stream:
    name: str


@dataclass(frozen=True)
class Distribution:
    """A CloudFront distribution that runs a version of the function at the edge."""

    name: str = "site"


@dataclass(frozen=True)
class Layer:
    """A layer of the project: an archive of its own; *here* says that the fault is found where it is named."""

    name: str
    archive: Callable[[], bytes]
    runtimes: tuple[str, ...] = ()
    here: bool = False


@dataclass(frozen=True)
class LayerPermission:
    """Somebody may use a layer."""

    layer: str
    principal: Any


@dataclass(frozen=True)
class Permission:
    """Somebody may invoke the function."""

    principal: Any
    account: str | None = None


@dataclass(frozen=True)
class Batches:
    """The function takes batches from a queue or a stream; *here* says that the fault is found where that is said."""

    source: str
    batch_size: Any = None
    reports: bool = False
    bisects: bool = False
    here: bool = False


@dataclass(frozen=True)
class Uploads:
    """The function is told of new objects in a bucket."""

    bucket: str


@dataclass(frozen=True)
class Call:
    """The function answers ``GET /orders`` of an API: ``rest`` or ``http``."""

    kind: str


@dataclass(frozen=True)
class Daily:
    """The function runs once a day."""


@dataclass(frozen=True)
class Network:
    """One subnet with a route table, which leads to a ``nat`` or ``internet`` gateway or nowhere; and endpoints.

    *here* says that the fault is found where the function is put into it.
    """

    gateway: str | None = None
    destination: str = "0.0.0.0/0"
    endpoints: tuple[str, ...] = ()
    here: bool = False


@dataclass(frozen=True, kw_only=True)
class Project:
    """One function called ``orders``, and what is around it.

    *code* are files by their path in the code's root; with *archive* the code is that archive instead; *archive_here*
    says that the fault is found where the code is named; with *inline* it stands in the template.  *member* says that
    the fault is in a file of the artifact, which has no lines.  *sibling* is the handler of a second function with the
    same code.  With *dockerfile* the code is built to an image by it, with *image* it is that archive of one, and with
    *image_uri* it is in a registry.
    """

    handler: Any = "app.handler"
    runtime: Any = "python3.13"
    timeout: Any = 30
    memory: Any = None
    tmp: Any = None
    architecture: Any = None
    env: Any = field(default_factory=dict)
    layers: tuple[Any, ...] = ()
    code: Mapping[str, str | bytes] = field(default_factory=lambda: {"app.py": HANDLER})
    archive: Callable[[], bytes] | None = None
    archive_here: bool = False
    dockerfile: str | None = None
    image: Callable[[], bytes] | None = None
    image_uri: Any = None
    inline: bool = False
    member: bool = False
    sibling: str | None = None
    invoked_by: tuple[Any, ...] = ()
    things: tuple[Any, ...] = ()
    network: Network | None = None

    @property
    def is_image(self) -> bool:
        """Whether the function is packed as an image."""
        return bool(self.dockerfile or self.image or self.image_uri)

    def thing(self, name: str) -> Any:
        """The thing called *name*."""
        return next(each for each in self.things if getattr(each, "name", None) == name)


@dataclass(frozen=True)
class Written:
    """The files of a project in one language, and the places where its fault has to be found."""

    files: Mapping[str, str | bytes]
    places: frozenset[tuple[str, int]]
