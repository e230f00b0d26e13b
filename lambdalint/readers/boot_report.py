"""What ``lambdalint boot --output-format json`` wrote, as far as rules take it for fact."""

import json
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.boot import ImportTime, Measured, Phase

MAX_BYTES: Final = 32 * 1024 * 1024

_VERSION: Final = 1
_HINT: Final = "give what `lambdalint boot --output-format json` wrote"
#: As many modules as are reported of one function.
_MAX_IMPORTS: Final = 20_000


def read_boot_report(content: bytes, path: str) -> Measured:
    """The measurement in *content*; *path* names it in errors.

    Raises:
        UnreadableInput: it is no report, or one of a function that did not come up.
    """
    try:
        document: Any = json.loads(content) if len(content) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not {"version", "function", "init_ms", "imports"} <= document.keys():
        raise UnreadableInput(f"{path} is no report of lambdalint boot", path=path, hint=_HINT)
    if document["version"] != _VERSION:
        raise UnreadableInput(f"{path} has the version {document['version']!r}", path=path, hint=_HINT)
    function, init_ms, rows = document["function"], document["init_ms"], document["imports"]
    if not isinstance(function, str) or not _is_number(init_ms) or not isinstance(rows, list):
        raise UnreadableInput(f"{path} is of a function that did not come up", path=path, hint="boot it again")
    imports = [row for each in rows[:_MAX_IMPORTS] if (row := _import(each)) is not None]
    return Measured(function, float(init_ms), tuple(each for each in imports if each.phase is not Phase.RUNTIME))


def _import(row: object) -> ImportTime | None:
    if not isinstance(row, dict) or not isinstance(row.get("module"), str):
        return None
    numbers = [row.get(key) for key in ("depth", "self_us", "cumulative_us")]
    if not all(_is_number(each) for each in numbers) or row.get("phase") not in {each.value for each in Phase}:
        return None
    depth, self_us, cumulative_us = (int(each) for each in numbers if each is not None)
    return ImportTime(row["module"], depth, self_us, cumulative_us, Phase(row["phase"]))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
