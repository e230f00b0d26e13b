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
from lambdalint.join.artifacts import given_artifact
from lambdalint.join.manifests import manifest_beside
from lambdalint.model.artifact import Artifact
from lambdalint.model.boot import Boot
from lambdalint.packager.boot.boot import Start, booted
from lambdalint.packager.boot.outcome import Sample
from lambdalint.packager.host import Host
from lambdalint.readers.disk import is_file
from lambdalint.readers.tree import Folder

#: For each event where nothing else is said: longer than Lambda's default, which a cold machine may pass.
TIMEOUT_S: Final = 30

_MAX_EVENT_BYTES: Final = limit("payload", "response", "max_bytes")


def boot(
    path: Path,
    config: Config | None = None,
    *,
    running: Running | None = None,
    events: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_mb: int | None = None,
    cache: bool = True,
) -> Boot:
    """Start the artifact at *path* as Lambda would, and invoke it with *events*, each a kind of trigger or a file.

    What *running* does not say is taken from the manifest beside the archive.

    Raises:
        LambdalintError: nobody says what runs it, there is no such event, it cannot be unpacked, or nothing here can
            run it.
    """
    running = running or Running()
    config = Config.find((path,)) if config is None else config
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
    start = Start(
        artifact=_read(tree, inner, place.shown(inner)),
        function=manifest.name if manifest else path.resolve().name.removesuffix(".zip") or "function",
        handler=handler,
        runtime=runtime,
        architecture=running.architecture or (manifest.architecture if manifest else None),
        layers=tuple(_read(tree, layer, place.shown(layer)) for layer in place.layers),
        events=tuple(map(_sample, events)),
        environment=environment or {},
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        max_init_ms=config.boot.max_init_ms,
        max_memory_mb=config.boot.max_memory_mb,
    )
    return booted(start, Host.here(cached=cache))


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
