"""What ``lambdalint package --output-format json`` wrote, as far as later packages are compared with it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from lambdalint.errors import UnreadableInput

_VERSION: Final = 1
_MAX_BYTES: Final = 32 * 1024 * 1024
_HINT: Final = "give what `lambdalint package --output-format json` wrote"


def read_sizes(content: bytes, path: str) -> Mapping[str, int]:
    """The unpacked bytes of each package in the report *content*, by its name; *path* names it in errors.

    Raises:
        UnreadableInput: it is no report of packages.
    """
    try:
        document: Any = json.loads(content) if len(content) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        document = None
    packages = document.get("packages") if isinstance(document, dict) else None
    if not isinstance(packages, list) or document.get("version") != _VERSION:
        raise UnreadableInput(f"{path} is no report of lambdalint package", path=path, hint=_HINT)
    return {
        name: size
        for each in packages
        if isinstance(each, dict)
        and isinstance(name := each.get("name"), str)
        and isinstance(size := each.get("unpacked_bytes"), int)
    }
