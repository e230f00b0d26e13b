"""Where something stands: a range of a text file, or a member of an archive."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of one file.

    Lines count from 1, columns from 0 in characters; the end is exclusive.  *path* is relative to the
    project's root, with ``/``.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    @staticmethod
    def whole(path: str) -> "Span":
        """The file as such; it is shown without a source line."""
        return Span(path, 1, 0, 1, 0)

    def holds(self, other: "Span") -> bool:
        """Whether *other* lies within this span, in the same file."""
        return (
            self.path == other.path
            and (self.line, self.column) <= (other.line, other.column)
            and (other.end_line, other.end_column) <= (self.end_line, self.end_column)
        )


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """An entry inside an artifact: *path* is the archive or folder, *entry* the member's path in it."""

    path: str
    entry: str


Place: TypeAlias = Span | Member
