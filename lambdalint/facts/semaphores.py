"""What needs POSIX semaphores or shared memory, which Lambda has not."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def semaphore_needs() -> Mapping[str, str]:
    """What a call needs, by its qualified name."""
    import tomli

    found: dict[str, str] = {}
    text = (files("lambdalint.facts") / "semaphores.toml").read_text(encoding="utf-8")
    for row in tomli.loads(text)["need"]:
        names = list(row["calls"])
        for module in row.get("modules", ()):
            names += (f"{module}{of}.{name}" for of in ("", ".get_context()") for name in row["context"])
        found |= dict.fromkeys(names, row["needs"])
    return found
