"""``pylock.toml``: the lock that several tools write.

Source: https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from lambdalint.errors import UnreadableInput
from lambdalint.readers.locks import Lock, LockedDistribution, LockedFile, marker, rows, shaped, table, text, version
from lambdalint.readers.pyproject import toml
from lambdalint.readers.tree import Tree

_COMMAND: Final = "uv export --format pylock.toml -o pylock.toml"


def pylock(tree: Tree, path: str) -> Lock:
    """The lock at *path*.

    Raises:
        UnreadableInput: it is no TOML, of another version, or breaks the specification.
    """
    from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

    document = toml(tree, path)
    try:
        shaped(path, _COMMAND, lambda: Pylock.from_dict(document))
    except (PylockValidationError, PylockUnsupportedVersionError) as error:
        raise UnreadableInput(
            f"the lock is not as PEP 751 has it: {str(error)[:1].lower()}{str(error)[1:200]}",
            path=path,
            hint="make it anew with the tool that wrote it",
        ) from error
    return shaped(path, _COMMAND, lambda: _lock(document, path))


def _lock(document: dict[str, Any], path: str) -> Lock:
    defaults = tuple(text(name) for name in document.get("default-groups", []))
    return Lock(
        path=path,
        command=_COMMAND,
        group="default",
        distributions=tuple(_distribution(row) for row in rows(document.get("packages", []))),
        requires_python=document.get("requires-python"),
        indexes=(),
        default_groups=defaults,
    )


def _distribution(row: dict[str, Any]) -> LockedDistribution:
    files = [_file(wheel) for wheel in rows(row.get("wheels", []))]
    source = ("registry", str(row.get("index", "")))
    if "vcs" in row:
        source = ("git", str(table(row["vcs"]).get("url") or table(row["vcs"]).get("path")))
    elif "directory" in row:
        source = ("directory", text(table(row["directory"])["path"]))
    elif "archive" in row:
        archive = _file(table(row["archive"]))
        files.append(archive)
        source = ("url", archive.url) if archive.url else ("path", archive.path or "")
    if "sdist" in row:
        files.append(_file(table(row["sdist"])))
    return LockedDistribution(
        name=canonicalize_name(text(row["name"])),
        version=version(row["version"]) if "version" in row else None,
        source=source,
        files=tuple(files),
        groups={"default": marker(row.get("marker"))},
    )


def _file(row: dict[str, Any]) -> LockedFile:
    url = text(row["url"]) if "url" in row else None
    path = text(row["path"]) if "path" in row else None
    place = urlsplit(url).path if url else path or ""
    digest = table(row.get("hashes")).get("sha256")
    size = row.get("size")
    return LockedFile(
        filename=text(row["name"]) if "name" in row else unquote(PurePosixPath(place).name),
        url=url,
        path=path,
        sha256=text(digest).lower() if digest is not None else None,
        size=size if isinstance(size, int) else None,
    )
