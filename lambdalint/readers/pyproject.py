"""What a ``pyproject.toml`` says about the project's dependencies (PEP 621, PEP 735 and uv's own table)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import tomli
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lambdalint.errors import UnreadableInput
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree

#: Groups that include each other without end are as good as a circle.
_MAX_REQUIREMENTS: Final = 10_000
_MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class UvIndexes:
    """Where uv is told to look; *named* are the addresses that ``[tool.uv.sources]`` may name.

    *path* is the file that says so; places of *find_links* are relative to it.
    """

    path: str
    default: str | None = None
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    no_index: bool = False


@dataclass(frozen=True, slots=True)
class Pyproject:
    """Dependencies as written.

    *name* is normalized, ``None`` without a ``[project]`` table.  *declares* is true when there is one that states
    its dependencies, even none.  *groups* are those of PEP 735, with what they include.  *sources* are the names that
    ``[tool.uv.sources]`` takes from elsewhere, *members* and *not_members* are the patterns of the folders
    that belong to a workspace, the former ``None`` where there is none.
    """

    path: str
    name: str | None
    declares: bool
    dependencies: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requires_python: str | None = None
    sources: Mapping[str, Any] = field(default_factory=dict)
    indexes: UvIndexes | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    members: tuple[str, ...] | None = None
    not_members: tuple[str, ...] = ()


def pyproject(tree: Tree, path: str) -> Pyproject:
    """The project's dependencies.

    Raises:
        UnreadableInput: it is no TOML, a requirement is none, or dependencies are left to a build backend.
    """
    return project_of(toml(tree, path), path)


def project_of(document: Mapping[str, Any], path: str) -> Pyproject:
    """The project of a *document* that is a ``pyproject.toml`` or says the same; raises as :func:`pyproject` does."""
    project = _table(document, "project", path)
    tool = _table(document, "tool", path)
    # Poetry's projects state them in its own table then.
    dynamic = [] if "poetry" in tool else project.get("dynamic", [])
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        raise UnreadableInput(
            "the dependencies are dynamic: only the build backend knows them",
            path=path,
            hint="put them into [project] dependencies, or a requirements.txt beside it",
        )
    name = project.get("name")
    uv = _table(tool, "uv", path)
    workspace = _table(uv, "workspace", path)
    sources = _table(uv, "sources", path)
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
        indexes=_indexes(uv, path),
        groups=_groups(_table(document, "dependency-groups", path), path),
        members=_texts(workspace.get("members", [])) if workspace else None,
        not_members=_texts(workspace.get("exclude", [])),
    )


def toml(tree: Tree, path: str) -> dict[str, Any]:
    """The document at *path*.

    Raises:
        UnreadableInput: there is no such file, or it is no TOML.
    """
    return toml_of(decoded(tree.read(path), path), path)


def toml_of(text: str, path: str, first_line: int = 1) -> dict[str, Any]:
    """The document in *text*, whose first line is *first_line* of the file at *path*; raises as :func:`toml` does."""
    try:
        return tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError) as error:
        line = (getattr(error, "lineno", None) or 1) + first_line - 1
        raise UnreadableInput(f"the file is not TOML: {_lower(str(error))}", path=path, line=line) from error


def uv_indexes(tree: Tree, path: str) -> UvIndexes | None:
    """What a ``uv.toml`` or ``pyproject.toml`` says about indexes; ``None`` when it says nothing to uv.

    Raises:
        UnreadableInput: it is no TOML, or an index has no address.
    """
    document = toml(tree, path)
    if path.endswith("uv.toml"):
        return _indexes(document, path)
    tool = _table(document, "tool", path)
    return _indexes(_table(tool, "uv", path), path) if "uv" in tool else None


def _indexes(uv: Mapping[str, Any], path: str) -> UvIndexes:
    pip = _table(uv, "pip", path)
    settings = {**pip, **uv}
    default = settings.get("index-url") if isinstance(settings.get("index-url"), str) else None
    extra = list(_texts(settings.get("extra-index-url", [])))
    rows = uv.get("index", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("url"), str) for row in rows):
        raise UnreadableInput("[[tool.uv.index]] wants a url", path=path)
    for row in rows:
        if row.get("explicit"):
            continue  # only for what [tool.uv.sources] pins to it
        if row.get("default"):
            default = row["url"]
        else:
            extra.append(row["url"])
    return UvIndexes(
        path=path,
        default=default,
        extra=tuple(extra),
        find_links=_texts(settings.get("find-links", [])),
        named={row["name"]: row["url"] for row in rows if isinstance(row.get("name"), str)},
        no_index=settings.get("no-index") is True,
    )


def _groups(document: Mapping[str, Any], path: str) -> dict[str, tuple[str, ...]]:
    stated: dict[str, Any] = {canonicalize_name(name): rows for name, rows in document.items()}
    known: dict[str, list[str]] = {}

    def whole(name: str, above: tuple[str, ...]) -> list[str]:
        if name in known:
            return known[name]
        if name in above or len(above) >= _MAX_DEPTH:
            circle = " → ".join((*above, name))
            raise UnreadableInput(f"dependency groups include each other: {circle}", path=path)
        if name not in stated:
            raise UnreadableInput(f"there is no dependency group {name!r} to include", path=path)
        found: list[str] = []
        for row in stated[name] if isinstance(stated[name], list) else [stated[name]]:
            if isinstance(row, dict) and isinstance(row.get("include-group"), str):
                found.extend(whole(canonicalize_name(row["include-group"]), (*above, name)))
            else:
                found.extend(_requirements([row], path))
            if len(found) > _MAX_REQUIREMENTS:
                raise UnreadableInput(f"dependency group {name!r} has more than {_MAX_REQUIREMENTS:,} lines", path=path)
        known[name] = found
        return found

    return {name: tuple(whole(name, ())) for name in stated}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


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
