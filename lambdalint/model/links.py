"""Where symbolic links lead, once they are unpacked."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Final

#: As many links as Linux follows for one path.
_MAX_HOPS: Final = 40
#: Parts of paths that are gone through for one link.
_MAX_STEPS: Final = 256


class Astray(Enum):
    """Why a link leads to no file or folder beside it."""

    ABSOLUTE = "is absolute"
    OUTSIDE = "leads out of the folder it is unpacked into"
    DANGLING = "leads to nothing"
    LOOPING = "leads in a circle"


class Unpacked:
    """What files and folders there are; a folder is also what only its files name."""

    def __init__(self, files: Iterable[str], folders: Iterable[str] = ()) -> None:
        self._files = frozenset(files)
        # Not a set of all folders: long paths of many parts would make one of gigabytes.
        self._sorted = sorted((*self._files, *(f"{folder}/" for folder in folders)))

    def is_file(self, path: str) -> bool:
        """Whether there is a file at *path*."""
        return path in self._files

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at *path*, or anything in it."""
        inside = f"{path}/"
        at = bisect_left(self._sorted, inside)
        return at < len(self._sorted) and self._sorted[at].startswith(inside)


def link_end(path: str, targets: Mapping[str, str], unpacked: Unpacked) -> str | Astray:
    """The file or folder at which the link *path* ends, ``""`` for the root; a way of too many steps is a circle.

    *targets* are all links with what they point at, as written; *unpacked* is what else there is.
    """
    at: list[str] = []
    ahead = path.split("/")[::-1]
    hops = 0
    for _ in range(_MAX_STEPS):
        if not ahead:
            return "/".join(at)
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
            if not unpacked.is_folder(here) and (ahead or not unpacked.is_file(here)):
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
    return Astray.LOOPING


def inner_links(targets: Mapping[str, str], unpacked: Unpacked) -> Iterator[tuple[str, str]]:
    """The links that lead to something there is, with what that is."""
    for path in targets:
        if isinstance(end := link_end(path, targets, unpacked), str):
            yield path, end
