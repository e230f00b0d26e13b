"""Which indexes are asked: what the machine, the environment and the project say.

uv's variables come first, then the project's ``uv.toml`` or ``[tool.uv]``, then pip's variables, uv's and pip's
files of the user and the machine.
"""

import configparser
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import tomli

from lambdalint.errors import LambdalintError
from lambdalint.packager.index import IndexSettings
from lambdalint.readers.pyproject import UvIndexes, uv_indexes
from lambdalint.readers.tree import Tree, joined

_PIP_KEYS: Final = ("index-url", "extra-index-url", "find-links", "no-index", "cert", "timeout")
_PIP_SECTIONS: Final = ("global", "install")
_MAX_BYTES: Final = 1024 * 1024


def configured(environment: Mapping[str, str]) -> dict[str, str]:
    """pip's variables as the files of the user and the machine fill them in; *environment* itself comes first."""
    found: dict[str, str] = {}
    for path in _pip_files(environment):
        found |= _of_pip(path)
    if found.get("PIP_EXTRA_INDEX_URL") and not any(name.startswith("UV_INDEX") for name in environment):
        # Who lists a second index for pip means both of them, and the better of what they have.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    for path in _uv_files(environment):
        found |= _of_uv(path)
    return {**found, **environment}


def index_settings(tree: Tree, folder: str, environment: Mapping[str, str]) -> IndexSettings:
    """The indexes for what is asked for in *folder*.

    Raises:
        UnreadableInput: a file that says so cannot be read.
    """
    settings = IndexSettings.of(environment)
    said = _said(tree, folder)
    if said is None:
        return settings
    stated = next((environment[name] for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL") if environment.get(name)), None)
    links = tuple(_link(tree, said.path, link) for link in said.find_links)
    settings = replace(settings, find_links=(*links, *settings.find_links))
    if said.no_index or settings.default is None:
        return replace(settings, default=None, extra=())
    return replace(settings, default=stated or said.default or settings.default, extra=(*settings.extra, *said.extra))


def _said(tree: Tree, folder: str) -> UvIndexes | None:
    """What the nearest ``uv.toml`` or ``[tool.uv]`` says, from *folder* upwards."""
    parts = folder.split("/") if folder else []
    for depth in range(len(parts), -1, -1):
        for name in ("uv.toml", "pyproject.toml"):
            path = "/".join((*parts[:depth], name))
            if tree.is_file(path) and (said := uv_indexes(tree, path)) is not None:
                return said
    return None


def _link(tree: Tree, path: str, link: str) -> str:
    if ":" in link.partition("/")[0]:
        return link
    local = joined(path.rpartition("/")[0], link)
    return link if local is None else on_disk(tree, local)


def on_disk(tree: Tree, path: str) -> str:
    """Where a file or folder of the project lies, as text."""
    place = tree.on_disk(path)
    return path if place is None else str(place.absolute())


def _pip_files(environment: Mapping[str, str]) -> Iterator[Path]:
    """pip's own files, those that count less first."""
    stated = environment.get("PIP_CONFIG_FILE")
    if stated == "/dev/null":
        return
    shared = environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
    yield from (Path(folder, "pip", "pip.conf") for folder in reversed(shared) if folder)
    yield Path("/etc/pip.conf")
    if home := environment.get("HOME"):
        yield Path(home, ".pip", "pip.conf")
        yield Path(environment.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip", "pip.conf")
    if virtual := environment.get("VIRTUAL_ENV"):
        yield Path(virtual, "pip.conf")
    if stated:
        yield Path(stated)


def _uv_files(environment: Mapping[str, str]) -> Iterator[Path]:
    if environment.get("UV_NO_CONFIG"):
        return
    if stated := environment.get("UV_CONFIG_FILE"):
        yield Path(stated)
        return
    yield Path("/etc/uv/uv.toml")
    if home := environment.get("HOME"):
        yield Path(environment.get("XDG_CONFIG_HOME") or Path(home, ".config"), "uv", "uv.toml")


def _of_pip(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(_text(path))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}  # pip says what is wrong with it; here it only says less
    found = {}
    for section in _PIP_SECTIONS:
        for key in _PIP_KEYS:
            if parser.has_option(section, key):
                name = "DEFAULT_TIMEOUT" if key == "timeout" else key.upper().replace("-", "_")
                found[f"PIP_{name}"] = " ".join(parser.get(section, key).split())
    return found


def _of_uv(path: Path) -> dict[str, str]:
    from lambdalint.readers.tree import MemoryTree

    try:
        said = uv_indexes(MemoryTree({"uv.toml": _text(path)}), "uv.toml")
    except (OSError, UnicodeDecodeError, LambdalintError, tomli.TOMLDecodeError):
        return {}
    assert said is not None
    found = {
        "PIP_INDEX_URL": said.default or "",
        "PIP_EXTRA_INDEX_URL": " ".join(said.extra),
        "PIP_FIND_LINKS": " ".join(said.find_links),
        "PIP_NO_INDEX": "1" if said.no_index else "",
    }
    return {name: value for name, value in found.items() if value}


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES).decode("utf-8")
