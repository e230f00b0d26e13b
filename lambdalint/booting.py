"""Booting, wired: one artifact is read, started and looked after."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from lambdalint.api import Running, placed
from lambdalint.aws.limits import limit
from lambdalint.aws.sample_events import sample_event, sample_names
from lambdalint.config import Config
from lambdalint.errors import UnreadableInput, UsageError
from lambdalint.imaging import image_name, opened_images, path_of
from lambdalint.join.artifacts import given_artifact
from lambdalint.join.manifests import Manifest, manifest_beside
from lambdalint.model.artifact import Artifact
from lambdalint.model.boot import Boot
from lambdalint.packager.boot.boot import Start, booted
from lambdalint.packager.boot.image import ImageStart, image_booted
from lambdalint.packager.boot.outcome import Sample
from lambdalint.packager.host import Host
from lambdalint.readers.disk import is_file
from lambdalint.readers.tree import Folder

#: For each event where nothing else is said: longer than Lambda's default, which a cold machine may pass.
TIMEOUT_S: Final = 30

_MAX_EVENT_BYTES: Final = limit("payload", "response", "max_bytes")


def boot(
    artifact: Path | str,
    config: Config | None = None,
    *,
    running: Running | None = None,
    events: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_mb: int | None = None,
    cache: bool = True,
) -> Boot:
    """Start *artifact* as Lambda would, and invoke it with *events*, each a kind of trigger or a file.

    It is an archive or a folder, or an image: a layout or an archive of one, or what is not a path but the name of one.
    What *running* does not say is taken from the manifest beside it.  A handler takes the place of an image's command.

    Raises:
        LambdalintError: nobody says what runs it, there is no such event, it cannot be unpacked, or nothing here can
            run it.
    """
    running = running or Running()
    if config is None:
        config = Config.find((artifact if isinstance(artifact, Path) else Path(),))
    name = artifact if isinstance(artifact, str) else image_name(artifact)
    if name is None:
        start = _start(Path(artifact), running)
        return booted(
            replace(
                start,
                events=tuple(map(_sample, events)),
                environment=environment or {},
                timeout_s=timeout_s,
                memory_mb=memory_mb,
                max_init_ms=config.boot.max_init_ms,
                max_memory_mb=config.boot.max_memory_mb,
            ),
            Host.here(cached=cache),
        )
    if running.layers:
        raise UsageError("an image takes no layers", hint="copy what is in them into the image")
    samples = tuple(map(_sample, events))
    manifest = _manifest(name)
    with opened_images((name,), cache=cache) as (image,):
        return image_booted(
            ImageStart(
                image=image,
                function=manifest.name if manifest else _base_name(name),
                command=(running.handler,) if running.handler else None,
                runtime=running.runtime or (manifest.runtime if manifest else None),
                architecture=running.architecture,
                events=samples,
                environment=environment or {},
                timeout_s=timeout_s,
                memory_mb=memory_mb,
                max_init_ms=config.boot.max_init_ms,
                max_memory_mb=config.boot.max_memory_mb,
            )
        )


def _start(path: Path, running: Running) -> Start:
    """What is at *path*, and what runs it.

    Raises:
        LambdalintError: nobody says what, or it cannot be read.
    """
    place = placed((path,), running.layers)
    tree = Folder(place.root)
    inner = place.paths[0]
    manifest = manifest_beside(tree, inner)
    handler = running.handler or (manifest.handler if manifest else None)
    runtime = running.runtime or (manifest.runtime if manifest else None)
    if runtime is None or handler is None:
        missing = " and ".join(
            word for word, value in (("the runtime", runtime), ("the handler", handler)) if value is None
        )
        options = " ".join(
            each
            for each, value in (("--runtime python3.13", runtime), ("--handler app.handler", handler))
            if value is None
        )
        raise UsageError(f"nobody says {missing} of {path}", hint=f"for example {options}")
    return Start(
        artifact=_read(tree, inner, place.shown(inner)),
        function=manifest.name if manifest else path.resolve().name.removesuffix(".zip") or "function",
        handler=handler,
        runtime=runtime,
        architecture=running.architecture or (manifest.architecture if manifest else None),
        layers=tuple(_read(tree, layer, place.shown(layer)) for layer in place.layers),
    )


def _manifest(name: str) -> Manifest | None:
    path = path_of(name)
    if path is None:
        return None
    real = path.resolve()
    return manifest_beside(Folder(real.parent), real.name)


def _base_name(name: str) -> str:
    """What an image is called, without where it is and which of several."""
    path = path_of(name)
    if path is not None:
        return path.resolve().stem
    return name.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _read(tree: Folder, path: str, shown: str) -> Artifact:
    artifact = given_artifact(tree, path)
    if artifact is None:
        raise UnreadableInput(f"{shown} is no archive and no folder", path=path)
    return replace(artifact, path=shown)


def _sample(name: str) -> Sample:
    """The event called *name*: a kind of trigger, or else a file that holds one."""
    if name in sample_names():
        return Sample(name, sample_event(name))
    file = Path(name)
    if not is_file(file):
        close = get_close_matches(name, sample_names(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sample_names())}"
        raise UsageError(f"no event is called {name!r}, and it is no file", hint=hint)
    try:
        with file.open("rb") as opened:
            body = opened.read(_MAX_EVENT_BYTES + 1)
        json.loads(body)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not JSON: {error}", hint="an event is a JSON document") from error
    if len(body) > _MAX_EVENT_BYTES:
        raise UsageError(f"{name} has more than the {_MAX_EVENT_BYTES:,} bytes that an event may have")
    return Sample(name, body)
