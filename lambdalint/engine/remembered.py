"""Whole runs, remembered: when nothing that a run looked at has changed, its result holds.

A run is remembered under what was asked (paths, options, day, interpreter), with the trace of all files and folders
that it looked at and the state of every package that took part.  Looking the trace over takes some ``stat`` calls;
neither rules nor parsers need to be loaded.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lambdalint.engine.cache import Cache, digest
from lambdalint.engine.result import Result
from lambdalint.readers.tree import Trace

_DISTRIBUTION = (".dist-info", ".egg-info", ".egg-link")


@dataclass(frozen=True, slots=True)
class _Run:
    """A result with what it depends on: *folders* of packages, and *packages*, their files' digest."""

    result: Result
    trace: Trace
    folders: tuple[str, ...]
    packages: str


def run_key(*asked: str) -> str:
    """The key of a run: what was *asked*, of which interpreter with which distributions beside it."""
    return digest("run", sys.version, *(part for place in sys.path for part in _distributions(place)), "|", *asked)


def recalled(cache: Cache, key: str, root: Path) -> Result | None:
    """The result of an equal run, if everything that it looked at under *root* is as it was."""
    run = cache.get(key)
    if not isinstance(run, _Run) or not run.trace.holds(root) or run.packages != packages_digest(run.folders):
        return None
    return run.result


def remember(cache: Cache, key: str, result: Result, trace: Trace, folders: tuple[str, ...], packages: str) -> None:
    """Keep *result* under *key*; its *packages*, a digest of what is in *folders*, are those that it depends on."""
    bare = replace(result, read_text=_nothing, shown=_as_it_is)
    cache.put(key, _Run(bare, trace, folders, packages))


def packages_digest(folders: Iterable[str]) -> str:
    """Changes when a file of the packages does: whoever works on a rule gets fresh results."""
    stamps = []
    for folder in folders:
        for below, inner, names in os.walk(folder):
            inner[:] = [name for name in inner if name != "__pycache__"]
            for name in names:
                try:
                    status = (Path(below) / name).stat()
                except OSError:
                    continue  # what an editor puts there and takes away again
                stamps.append(f"{below}/{name} {status.st_size} {status.st_mtime_ns}")
    return digest(*sorted(stamps))


def _as_it_is(path: str) -> str:
    return path


def _nothing(path: str) -> str | None:
    return None


def _distributions(place: str) -> list[str]:
    """A folder of ``sys.path`` and the distributions in it, any of which may announce a pack of rules."""
    try:
        with os.scandir(place or ".") as entries:
            names = [entry.name for entry in entries if entry.name.endswith(_DISTRIBUTION)]
    except OSError:
        names = []
    return [place, *sorted(names)]
