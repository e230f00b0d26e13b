"""Native files that belong together, so that one distribution gives one finding."""

import re
from collections.abc import Iterable, Iterator

from lambdalint.aws.runtimes import is_python, runtime
from lambdalint.facts.native import Format, NativeFile, NativeFiles
from lambdalint.rule import Artifact

_OTHER_PYTHON = re.compile(r"(?:^|/)lib/python(\d)\.(\d+)/")


def python_version(artifact: Artifact) -> tuple[int, int] | None:
    """The Python that imports what is in *artifact*; ``None`` for another language, or when nobody knows."""
    known = runtime(artifact.runtime) if artifact.runtime and is_python(artifact.runtime) else None
    return known.version if known else None


def loadable_files(artifact: Artifact, native: NativeFiles) -> Iterator[NativeFile]:
    """The files that could be read, that no other file serves in the place of, and that lie where they are looked for.

    A layer may hold a folder for each of several Pythons; each of them looks into its own.  What .NET compiles to is no
    native code, though it has the form of Windows.
    """
    python = python_version(artifact)
    is_dotnet = artifact.runtime.startswith("dotnet") if artifact.runtime else not native.sources
    for file in native.files:
        if is_dotnet and file.format is Format.PE:
            continue
        folder = _OTHER_PYTHON.search(file.path)
        if folder and python and (int(folder[1]), int(folder[2])) != python:
            continue
        if not file.unreadable and not native.has_substitute(file, python, artifact.architecture):
            yield file


def by_distribution(files: Iterable[NativeFile]) -> Iterator[tuple[NativeFile, ...]]:
    """*files* of one distribution together, else those of one folder."""
    groups: dict[str, list[NativeFile]] = {}
    for file in files:
        groups.setdefault(file.distribution or file.path.rpartition("/")[0], []).append(file)
    yield from map(tuple, groups.values())


def others(group: tuple[NativeFile, ...]) -> str:
    """What to say about the files after the first: ``, like 3 more of numpy 2.2.6``; empty when there are none."""
    if len(group) == 1:
        return ""
    return f" (like {len(group) - 1} more{f' of {group[0].distribution}' if group[0].distribution else ' beside it'})"
