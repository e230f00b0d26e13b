"""Patterns of git's ignore files, from people and repositories that nobody vouches for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

#: A name of 255 characters against this many wildcards in one part takes a matcher that goes back some 3 ms at worst;
#: each more takes sixty times as long.  Nobody writes as many.
MAX_WILDCARDS: Final = 3
MAX_PATTERN: Final = 1_000


def ignore_spec(lines: Iterable[str]) -> "GitIgnoreSpec":
    """The patterns in *lines*; those that would take a matcher for ever are left out, as if they named nothing.

    Raises:
        ValueError: a pattern is none.
    """
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(line for line in lines if _is_bounded(line))


def _is_bounded(line: str) -> bool:
    parts = line.split("/")
    wild = [part.count("*") for part in parts if part.strip() != "**"]
    return len(line) <= MAX_PATTERN and max((*wild, parts.count("**"))) <= MAX_WILDCARDS
