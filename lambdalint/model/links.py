"""Where symbolic links lead, once they are unpacked."""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Final

#: As many links as Linux follows for one path.
_MAX_HOPS: Final = 40


class Astray(Enum):
    """Why a link leads to no file or folder beside it."""

    ABSOLUTE = "is absolute"
    OUTSIDE = "leads out of the folder it is unpacked into"
    DANGLING = "leads to nothing"
    LOOPING = "leads in a circle"


def link_end(path: str, targets: Mapping[str, str], files: Collection[str], folders: Collection[str]) -> str | Astray:
    """The file or folder at which the link *path* ends, ``""`` for the root.

    *targets* are all links with what they point at, as written; *files* and *folders* what else there is.
    """
    at: list[str] = []
    ahead = path.split("/")[::-1]
    hops = 0
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not at:
                return Astray.OUTSIDE
            at.pop()
            continue
        at.append(part)
        here = "/".join(at)
        target = targets.get(here)
        if target is None:
            if here not in folders and (ahead or here not in files):
                return Astray.DANGLING
            continue
        hops += 1
        if hops > _MAX_HOPS:
            return Astray.LOOPING
        if target.startswith("/"):
            return Astray.ABSOLUTE
        if not target:
            return Astray.DANGLING
        at.pop()
        ahead += target.split("/")[::-1]
    return "/".join(at)


def parents(paths: Collection[str]) -> frozenset[str]:
    """All folders that hold any of *paths*, without the root."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return frozenset(found)
