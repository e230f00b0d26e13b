"""What a ``pyproject.toml`` says about the project's dependencies (PEP 621 and uv's own table)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import tomli
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lambdalint.errors import UnreadableInput
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree


@dataclass(frozen=True, slots=True)
class Pyproject:
    """Dependencies as written.

    *name* is normalized, ``None`` without a ``[project]`` table.  *declares* is true when there is one that states
    its dependencies, even none.  *sources* are the names that ``[tool.uv.sources]`` takes from elsewhere.
    """

    path: str
    name: str | None
    declares: bool
    dependencies: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requires_python: str | None = None
    sources: Mapping[str, Any] = field(default_factory=dict)
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()


def pyproject(tree: Tree, path: str) -> Pyproject:
    """The project's dependencies.

    Raises:
        UnreadableInput: it is no TOML, a requirement is none, or dependencies are left to a build backend.
    """
    document = toml(tree, path)
    project = _table(document, "project", path)
    if "dependencies" in project.get("dynamic", []) and isinstance(project.get("dynamic"), list):
        raise UnreadableInput(
            "the dependencies are dynamic: only the build backend knows them",
            path=path,
            hint="put them into [project] dependencies, or a requirements.txt beside it",
        )
    name = project.get("name")
    uv = _table(_table(document, "tool", path), "uv", path)
    sources = _table(uv, "sources", path)
    index_url, extra = _indexes(uv, path)
    return Pyproject(
        path=path,
        name=canonicalize_name(name) if isinstance(name, str) else None,
        declares="dependencies" in project,
        dependencies=_requirements(project.get("dependencies", []), path),
        extras={
            canonicalize_name(extra): _requirements(wanted, path)
            for extra, wanted in _table(project, "optional-dependencies", path).items()
        },
        requires_python=project["requires-python"] if isinstance(project.get("requires-python"), str) else None,
        sources={canonicalize_name(key): value for key, value in sources.items()},
        index_url=index_url,
        extra_index_urls=extra,
        find_links=tuple(link for link in uv.get("find-links", []) if isinstance(link, str)),
    )


def toml(tree: Tree, path: str) -> dict[str, Any]:
    """The document at *path*.

    Raises:
        UnreadableInput: there is no such file, or it is no TOML.
    """
    text = decoded(tree.read(path), path)
    try:
        return tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        raise UnreadableInput(f"the file is not TOML: {_lower(str(error))}", path=path, line=line) from error


def _indexes(uv: Mapping[str, Any], path: str) -> tuple[str | None, tuple[str, ...]]:
    default = uv.get("index-url") if isinstance(uv.get("index-url"), str) else None
    extra = [url for url in uv.get("extra-index-url", []) if isinstance(url, str)]
    rows = uv.get("index", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("url"), str) for row in rows):
        raise UnreadableInput("[[tool.uv.index]] wants a url", path=path)
    for row in rows:
        if row.get("explicit"):
            continue  # only for what [tool.uv.sources] pins to it, which needs a lock
        if row.get("default"):
            default = row["url"]
        else:
            extra.append(row["url"])
    return default, tuple(extra)


def _requirements(value: Any, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnreadableInput("dependencies must be a list of strings", path=path)
    for item in value:
        try:
            Requirement(item)
        except InvalidRequirement as error:
            reason = _lower(str(error).splitlines()[0])
            raise UnreadableInput(f"{item[:100]} is no requirement: {reason}", path=path) from None
    return tuple(value)


def _table(document: Mapping[str, Any], key: str, path: str) -> dict[str, Any]:
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise UnreadableInput(f"[{key}] must be a table", path=path)
    return found


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
