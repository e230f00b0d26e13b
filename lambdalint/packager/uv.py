"""The uv that is called, and what it says when it fails."""

import re
from typing import Final

from lambdalint.errors import Refused

_MAX_LINES: Final = 24
_ORNAMENT: Final = re.compile(r"^[\W_]*(?:(?:error|cause): )?")
_SKIPPED: Final = ("Using ", "warning: ", "hint: ", "No solution found")


def uv_binary() -> str:
    """The path of uv.

    Raises:
        Refused: it is not installed.
    """
    import uv

    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise Refused("uv, which resolves the requirements, is not installed", hint="pip install uv") from error


def own_words(stderr: str, *, last: bool = False) -> str:
    """What uv says, without its ornaments, addresses of ours and anything secret; the *last* lines when it is long."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", stderr)
    text = re.sub(r"http://127\.0\.0\.1:\d+/\S+", "the index", text)
    text = re.sub(r"//[^/@\s]+@", "//***@", text)
    lines = [_ORNAMENT.sub("", line).strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(_SKIPPED)]
    more = len(lines) - _MAX_LINES
    if more <= 0:
        return "\n".join(lines)[:4000]
    if last:
        return "\n".join([f"… {more} lines before", *lines[-_MAX_LINES:]])[-4000:]
    return "\n".join([*lines[:_MAX_LINES], f"… {more} more lines"])[:4000]
