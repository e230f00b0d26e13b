"""Names in texts that may be paths or modules: what is imported or opened by such is seen by nothing else."""

import re
from collections.abc import Iterator
from typing import Final

_DOTTED: Final = re.compile(rb"""["']([A-Za-z_]\w*(?:\.\w+)+)["']""")
_TESTS: Final = re.compile(rb"\btests?\b")
_BEFORE: Final = re.compile(rb"""["'`]([\w./{}%$\\-]*)\Z""")
_AFTER: Final = re.compile(rb"""[\w./{}%$\\:-]*(?=["'`])""")
_WORD: Final = re.compile(rb"[\w./-]{0,200}\btests?\b[\w./-]{0,200}")
_MAX_NAME_BYTES: Final = 200


def modules(text: bytes, path: str) -> tuple[str, ...]:
    """The names in strings that may be modules of the package that the module at *path* is in, or things in such."""
    top = path.partition("/")[0].removesuffix(".py").encode()
    names = {name for name in _DOTTED.findall(text) if name.startswith(top + b".")}
    return tuple(sorted({each.decode() for name in names for each in (name, name.rpartition(b".")[0])}))


def tests(text: bytes, *, code: bool) -> tuple[str, ...]:
    """The paths and dotted names in *text* that have a part ``tests``, with slashes; of *code*, in its strings."""
    names = set(_quoted(text)) if code else set(_WORD.findall(text))
    return tuple(sorted(name.decode().replace(".", "/").strip("/") for name in names if name.isascii()))


def _quoted(text: bytes) -> Iterator[bytes]:
    for part in _TESTS.finditer(text):
        after = _AFTER.match(text, part.end(), part.end() + _MAX_NAME_BYTES)
        before = _BEFORE.search(text, max(0, part.start() - _MAX_NAME_BYTES), part.start()) if after else None
        if after and before:
            yield before[1] + part[0] + after[0]
