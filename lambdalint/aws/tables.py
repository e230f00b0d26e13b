"""The TOML tables beside this module, read once."""

from functools import cache
from importlib.resources import files
from typing import Any

import tomli


@cache
def table(name: str) -> dict[str, Any]:
    """The content of ``NAME.toml``."""
    return tomli.loads((files("lambdalint.aws") / f"{name}.toml").read_text(encoding="utf-8"))
