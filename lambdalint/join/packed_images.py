"""Images that are there already: named by a template as a local archive, or given for themselves."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from lambdalint.aws.images import base_environment, python_entrypoint, runtime_client
from lambdalint.errors import UnreadableInput
from lambdalint.facts.image_tree import ImageTree, Placed
from lambdalint.join.inputs import StatedArtifacts
from lambdalint.join.properties import NOBODY, Hidden, items_of, text_of
from lambdalint.join.resource_types import FUNCTION
from lambdalint.model.artifact import RecordKind
from lambdalint.model.function import Code, CodeKind, Evidence, Function
from lambdalint.model.image import Image
from lambdalint.model.places import Span
from lambdalint.model.template import Dialect, Resource
from lambdalint.model.values import Known, Property, Unknown, Value
from lambdalint.readers.image.docker_archive import docker_image
from lambdalint.readers.image.files import archived_files
from lambdalint.readers.image.names import ENDINGS, PREFIXES
from lambdalint.readers.image.oci import is_oci, oci_image
from lambdalint.readers.tree import LazyTree, Mounted, Tree, joined

#: Modules of one layer are read together; more than this of them is no code that somebody wrote.
_MAX_CODE_BYTES: Final = 256 * 1024 * 1024
_TASK_ROOT: Final = "LAMBDA_TASK_ROOT"


def local_image(tree: Tree, function: Function, architecture: str | None) -> Image | None:
    """The image in the archive that ``ImageUri`` of *function* names; ``None``: it names none of the project.

    Raises:
        UnreadableInput: the file is no archive of an image.
    """
    uri = function.resource.get("Code", "ImageUri")
    name = text_of(uri)
    if name is None or uri is None or function.template is None or not name.endswith(ENDINGS):
        return None
    path = joined(function.template.rpartition("/")[0], name)
    if path is None or not tree.is_file(path):
        return None
    return replace(_read(tree, path), function=function.name, architecture=architecture, source=uri.span)


def _read(tree: Tree, path: str) -> Image:
    disk = tree.on_disk(path)
    data = tree.read(path) if disk is None else b""
    opened = partial(io.BytesIO, data) if disk is None else partial(disk.open, "rb")
    files = archived_files(opened, path)  # type: ignore[arg-type]
    return oci_image(files, path) if is_oci(files) else docker_image(files, path)


def given_images(
    tree: Mounted, images: Sequence[Image], stated: StatedArtifacts | None
) -> Iterator[tuple[Function, Image]]:
    """A function for each of *images*, with its code mounted into *tree*, and the image as that function's."""
    stated = stated or StatedArtifacts()
    for image in images:
        name = _stem(image.path)
        own = replace(image, function=name, architecture=stated.architecture)
        yield with_code(_function(name, own, stated), own, tree), own


def with_code(function: Function, image: Image, tree: Mounted) -> Function:
    """*function* with the handler that *image* calls, and with the code in the image, mounted into *tree*."""
    config = image.config
    if config is None:
        return function
    laid = ImageTree.of(image)
    root = config.environment.get(_TASK_ROOT) or config.working_dir or base_environment()[_TASK_ROOT]
    files = {path: placed for path, placed in laid.below(root) if placed.entry.kind is RecordKind.FILE}
    at = Span.whole(image.path)
    handler = function.handler if isinstance(function.handler, Known) else _handler(function, image, at)
    if handler is None or not laid.complete or not files:
        return replace(function, handler=handler or function.handler)
    tree.mount(image.path, LazyTree(_lazily(image, root, files)))
    code = Code(CodeKind.IMAGE, image.place, image.path, image.path, picked=True)
    elsewhere = isinstance(handler, Known) and _is_elsewhere(laid, root, str(handler.value))
    runtime = function.runtime if isinstance(function.runtime, Known) else _runtime(laid, at)
    return replace(
        function, handler=handler, runtime=runtime or function.runtime, code=code, layers_complete=not elsewhere
    )


def _handler(function: Function, image: Image, at: Span) -> Value[str] | None:
    """The handler that the image's command names; ``None``: something else than a runtime for Python starts."""
    assert image.config is not None
    # Of an image that is given for itself, what it says counts.
    is_declared = function.template is not None
    stated = [function.resource.get("ImageConfig", key) if is_declared else None for key in ("EntryPoint", "Command")]
    entrypoint = _words(stated[0], image.config.entrypoint, at)
    command = _words(stated[1], image.config.command, at)
    if entrypoint is None or command is None:
        return None
    words = [*entrypoint, *command]
    client = next((number for number, word in enumerate(words) if word.value == runtime_client()), None)
    if client is not None:
        # A shell in the place of the handler is a command that was not written as a list.
        return words[client + 1] if len(words) > client + 1 and not words[client + 1].value.startswith("/") else None
    is_python = [str(word.value) for word in entrypoint] == [python_entrypoint()]
    return command[0] if is_python and len(command) == 1 else None


def _words(stated: Property | None, own: Iterable[str] | None, at: Span) -> list[Known[str]] | None:
    """What is run: what a template states goes before the image's own; ``None`` where it is hidden."""
    if isinstance(stated, Unknown):
        return None
    items = items_of(stated)
    if items:
        words = [item for item in items if isinstance(item, Known) and text_of(item) is not None]
        return words if len(words) == len(items) else None
    return [Known(word, at) for word in own or ()]


def _is_elsewhere(laid: ImageTree, root: str, handler: str) -> bool:
    """Whether the handler's module lies somewhere else in the image, where Python may find it."""
    module = handler.rpartition(".")[0].replace(".", "/")
    endings = (f"/{module}.py", f"/{module}/__init__.py", f"/{module}.pyc")
    own = f"{root.strip('/')}/"
    return any(path.endswith(endings) and not path.startswith(own) for path in laid.by_path)


def _runtime(laid: ImageTree, at: Span) -> Known[str] | None:
    """The Python in the image, where it has one."""
    found = laid.pythons()
    return Known(next(iter(found)), at) if len(found) == 1 else None


def _lazily(image: Image, root: str, files: dict[str, Placed]) -> dict[str, tuple[int, Callable[[], bytes]]]:
    """Files with their sizes and how to read them: the modules of a layer come together, by passing over it once."""
    start = f"{root.strip('/')}/"
    code: dict[int, list[str]] = {}
    left = _MAX_CODE_BYTES
    for path, placed in files.items():
        left -= placed.entry.size if path.endswith(".py") else 0
        if path.endswith(".py") and left > 0:
            code.setdefault(placed.layer, []).append(f"{start}{path}")
    read: dict[int, dict[str, bytes]] = {}

    def content(path: str, number: int) -> bytes:
        whole = f"{start}{path}"
        if number not in read and whole in code.get(number, ()):
            read[number] = _contents(image, number, code[number])
        data = read.get(number, {}).get(whole)
        data = _contents(image, number, [whole]).get(whole) if data is None else data
        if data is None:
            raise UnreadableInput("the file is not read out of its layer", path=f"{image.path}/{path}")
        return data

    return {
        path: (placed.entry.size, partial(content, path, placed.layer))
        for path, placed in files.items()
        if not placed.entry.is_hard_link
    }


def _contents(image: Image, number: int, paths: Iterable[str]) -> dict[str, bytes]:
    contents = image.layers[number].contents
    return dict(contents(paths)) if contents is not None else {}


def _function(name: str, image: Image, stated: StatedArtifacts) -> Function:
    at = image.place
    hidden: Value[Any] = Unknown(NOBODY, at)
    return Function(
        name=name,
        span=at,
        template=None,
        dialect=Dialect.NONE,
        resource=Resource(name, FUNCTION, Hidden(NOBODY, at), at, at),
        image=True,
        runtime=Known(stated.runtime, at) if stated.runtime else hidden,
        handler=Known(stated.handler, at) if stated.handler else hidden,
        memory_mb=hidden,
        timeout_s=hidden,
        ephemeral_mb=hidden,
        architectures=Known((Known(stated.architecture, at),), at) if stated.architecture else hidden,
        env=hidden,
        layers=None,
        network=Unknown(NOBODY, at),
        role=Unknown(NOBODY, at),
        code=Code(CodeKind.IMAGE, at, image.path),
        triggers_complete=False,
        evidence=Evidence.CONFIGURATION,
    )


def _stem(path: str) -> str:
    """A name for the function of the image that *path* refers to."""
    name = path.partition("@")[0].rstrip("/").rpartition("/")[2]
    name = next((name.removesuffix(each) for each in (*ENDINGS, ".oci") if name.endswith(each)), name)
    return name.rpartition(":")[2] if name.startswith(PREFIXES) else name.partition(":")[0] or "image"
