"""Starting an image: lay out its files, make it a room, let what it starts answer, and say how that went."""

import os
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from posixpath import join
from typing import Final

from lambdalint.aws.images import architecture_named, platform_system, runtime_client
from lambdalint.aws.limits import limit
from lambdalint.errors import Refused
from lambdalint.facts.image_tree import ImageTree
from lambdalint.model.artifact import RecordKind
from lambdalint.model.boot import Boot, Isolation
from lambdalint.model.image import Image, ImageConfig
from lambdalint.packager.boot.boot import HOME, check_variables, lambda_variables, own_architecture
from lambdalint.packager.boot.container import Container, Place, Program, container
from lambdalint.packager.boot.import_times import ImportTimes
from lambdalint.packager.boot.outcome import Sample, Tried, outcome
from lambdalint.packager.boot.process import Course, Watch, mark, run
from lambdalint.packager.boot.rootfs import lay_out, sound_tree
from lambdalint.packager.boot.runtime_api import RuntimeApi
from lambdalint.packager.boot.streams import Streams

#: Where programs are looked for when an image does not say.
_PATH: Final = "/usr/local/bin:/usr/bin:/bin:/opt/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStart:
    """How to start *image*.

    *command* takes the place of the image's own, as that of a function's configuration does.  *architecture* and
    *runtime* are what is said of it elsewhere.  *environment* comes on top of what the image and Lambda set.
    *timeout_s* is for each event.  The function may have *memory_mb*, ``None`` for as much as Lambda gives at most.
    The others are budgets, ``None`` for none.
    """

    image: Image
    function: str
    command: tuple[str, ...] | None = None
    runtime: str | None = None
    architecture: str | None = None
    events: Sequence[Sample] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 30
    memory_mb: int | None = None
    max_init_ms: int | None = None
    max_memory_mb: int | None = None


def image_booted(start: ImageStart) -> Boot:
    """What happens when *start* is done.

    Raises:
        UsageError: a variable of the environment is one that Lambda sets itself.
        Refused: it is no image for this machine, it cannot be unpacked, it says nothing to start, or no room can be
            made for it.
    """
    check_variables(start.environment)
    tree = sound_tree(start.image)
    config = start.image.config or ImageConfig()
    architecture = _architecture(start, config)
    arguments = _arguments(start, config)
    folder = f"/{(config.working_dir or '/').lstrip('/')}"
    _check_program(start.image, config, tree, arguments[0], folder)
    with tempfile.TemporaryDirectory(prefix="lambdalint-", ignore_cleanup_errors=True) as name:
        scratch = Path(name).resolve()
        root = scratch / "root"
        root.mkdir(mode=0o755)
        notes = lay_out(start.image, tree, root, folder)
        place = Place(scratch, root, limit("ephemeral", "default_mb"))
        tried = _tried(start, config, architecture, arguments, notes)
        return _run(start, config, tried, arguments, folder, place)


def _run(
    start: ImageStart, config: ImageConfig, tried: Tried, arguments: tuple[str, ...], folder: str, place: Place
) -> Boot:
    times = ImportTimes(client=runtime_client())
    bodies = [each.body for each in start.events]
    with Streams(mark().encode(), times) as streams:
        watch = Watch(streams, start.memory_mb or limit("memory", "max_mb"))
        with RuntimeApi(bodies, watch.hear, start.function, start.timeout_s) as api:
            box = container(Program(arguments, _environment(start, config, api), folder), place)
            watch.processes = box.processes
            try:
                course = run(box.command, {"PATH": os.defpath}, {}, api=api, watch=watch)
            finally:
                box.end()
        course = replace(course, begun=box.begun() or course.begun)
        notes = (*tried.notes, *_notes(start, config, box, course))
        return outcome(replace(tried, isolation=box.isolation, notes=notes), course, streams)


def _environment(start: ImageStart, config: ImageConfig, api: RuntimeApi) -> dict[str, str]:
    """The image's variables, Lambda's own with values that open nothing, and those of the function."""
    return {
        "HOME": HOME,
        "PATH": _PATH,
        **config.environment,
        **lambda_variables(start.function, start.memory_mb, api),
        "PYTHONPROFILEIMPORTTIME": "1",
        **start.environment,
    }


def _architecture(start: ImageStart, config: ImageConfig) -> str:
    """What the image is made for, or else said to be.

    Raises:
        Refused: this machine is of another architecture or system.
    """
    name = start.image.path
    made_for = "/".join(filter(None, (config.os, config.architecture)))
    if config.os not in (None, platform_system()):
        raise Refused(f"{name} is for {made_for}; Lambda runs {platform_system()}")
    known = None if config.architecture is None else architecture_named(config.architecture)
    if config.architecture is not None and known is None:
        raise Refused(f"{name} is for {made_for}, which Lambda does not have")
    if known and start.architecture and known != start.architecture:
        raise Refused(f"{name} is for {known}, and not for {start.architecture}")
    wanted = known or start.architecture
    own = own_architecture()
    if wanted is not None and own != wanted:
        raise Refused(
            f"{name} is for {wanted}, and this machine is {platform.machine()}",
            hint="start it on a machine of that architecture",
        )
    return wanted or own or "x86_64"


def _arguments(start: ImageStart, config: ImageConfig) -> tuple[str, ...]:
    command = config.command if start.command is None else start.command
    arguments = (*(config.entrypoint or ()), *(command or ()))
    if not arguments or not arguments[0]:
        raise Refused(
            f"{start.image.path} has neither an entry point nor a command: nothing says what to start",
            hint="ENTRYPOINT and CMD of a Dockerfile say it; `lambdalint package --kind image` sets both",
        )
    return arguments


def _check_program(image: Image, config: ImageConfig, tree: ImageTree, name: str, folder: str) -> None:
    """Let *name* be a program of *image*.

    Raises:
        Refused: it is not there, or not everybody may run it.
    """
    search = config.environment.get("PATH", _PATH).split(":")
    places = [join(folder, name)] if "/" in name else [join(folder, each, name) for each in search if each]
    found = [tree.find(each) for each in places]
    files = [each.entry for each in found if each is not None and each.entry.kind is RecordKind.FILE]
    if not files:
        what = "entry point" if config.entrypoint else "command"
        lacking = "" if config.entrypoint else " has no entry point, and"
        raise Refused(
            f"{image.path}{lacking or ' cannot be started:'} its {what} {name!r} is no program in it",
            hint=f"a base of AWS has an entry point; another one takes `python -m {runtime_client()}`",
        )
    if not any(each.mode & 0o001 or each.is_hard_link for each in files):
        raise Refused(f"{image.path} cannot be started: not everybody may run {name}", hint="chmod 755 in the image")


def _tried(
    start: ImageStart, config: ImageConfig, architecture: str, arguments: tuple[str, ...], notes: tuple[str, ...]
) -> Tried:
    return Tried(
        artifact=start.image.path,
        function=start.function,
        handler=" ".join(arguments[len(config.entrypoint or ()) :]) or arguments[0],
        runtime=start.runtime or "",
        architecture=architecture,
        python=config.environment.get("PYTHON_VERSION", ""),
        isolation=Isolation.CONTAINER,
        events=start.events,
        timeout_s=start.timeout_s,
        max_init_ms=start.max_init_ms,
        max_memory_mb=start.max_memory_mb,
        notes=notes,
    )


def _notes(start: ImageStart, config: ImageConfig, box: Container, course: Course) -> Iterator[str]:
    if course.code is not None and not course.heard:
        yield "it ended before it asked for an event: is there a runtime client in the image, and is it what starts?"
    if box.isolation is Isolation.CHROOT:
        yield "mounting does not work here: it had no /proc and /dev, and saw this machine's processes"
    if config.architecture is None and start.architecture is None:
        yield f"nobody says for which architecture it is; it was tried on {platform.machine()}"
    yield "what it opened is not watched: nothing is added to an image"
