"""Where a report is going to be read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """What the reader's end can show; by default a plain file.

    *width* is a terminal's, in columns, ``None`` where nothing needs to be wrapped.  *folder* is what paths are
    relative to, seen from the root of the repository: GitHub wants its annotations from there.
    """

    colour: bool = False
    width: int | None = None
    folder: str = ""
