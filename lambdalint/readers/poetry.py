"""``poetry.lock``, in all versions that Poetry itself still reads, and Poetry's tables in a ``pyproject.toml``.

Source: https://python-poetry.org/docs/dependency-specification/
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from lambdalint.errors import UnreadableInput
from lambdalint.readers.locks import (
    Edge,
    Lock,
    LockedDistribution,
    LockedFile,
    marker,
    rows,
    sha256,
    shaped,
    table,
    text,
    version,
)
from lambdalint.readers.pyproject import toml
from lambdalint.readers.tree import Tree

MAIN: Final = "main"
_COMMAND: Final = "poetry lock"
_VERSIONS: Final = ("1", "2")
_REPOSITORIES: Final = ("git", "hg", "svn")
_LEGACY_KEYS: Final = ("dependencies", "source", "extras", "dev-dependencies")
_PROJECT_KEYS: Final = ("requires-python", "dependencies", "optional-dependencies")
_CLAUSE: Final = re.compile(r"\s*(\^|~=|~|===?|!=|>=|<=|>|<)?\s*([^\s,|]+)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One requirement of a project: as an *edge*, and as PEP 508 has it; *text* is ``None`` where it cannot.

    *local* is a folder or file that it is taken from, relative to the ``pyproject.toml``; *optional* ones come with an
    extra.
    """

    edge: Edge
    text: str | None
    optional: bool = False
    local: str | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True)
class PoetryProject:
    """What ``[tool.poetry]`` asks for, by group, the usual one ``main``; *hashes* are those a lock may state."""

    path: str
    groups: Mapping[str, tuple[Asked, ...]]
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hashes: frozenset[str] = frozenset()
    indexes: tuple[str, ...] = ()


def poetry_project(tree: Tree, path: str) -> PoetryProject | None:
    """The project of the ``pyproject.toml`` at *path*; ``None`` when it is none of Poetry's.

    Raises:
        UnreadableInput: it is no TOML, or asks for something in a way that Poetry does not know.
    """
    document = toml(tree, path)
    tool = document.get("tool", {})
    if not isinstance(tool, dict) or not isinstance(tool.get("poetry"), dict):
        return None
    return shaped(path, _COMMAND, lambda: _project(document, tool["poetry"], path))


def poetry_lock(tree: Tree, path: str) -> Lock:
    """The lock at *path*.

    Raises:
        UnreadableInput: it is no TOML, of another version, or not shaped as Poetry shapes it.
    """
    document = toml(tree, path)
    return shaped(path, _COMMAND, lambda: _lock(document, path))


def _lock(document: Mapping[str, Any], path: str) -> Lock:
    metadata = table(document["metadata"])
    stated = str(metadata.get("lock-version", "1.0"))
    if stated.partition(".")[0] not in _VERSIONS:
        raise UnreadableInput(
            f"version {stated} of poetry.lock is not known here; 1 and 2 are",
            path=path,
            hint="export a pylock.toml or requirements.txt",
        )
    python = metadata.get("python-versions")
    content_hash = metadata.get("content-hash")
    distributions = tuple(_distribution(row, metadata) for row in rows(document.get("package", [])))
    return Lock(
        path=path,
        command=_COMMAND,
        group=MAIN,
        distributions=distributions,
        requires_python=specifier(text(python)) if python else None,
        manifest_hash=text(content_hash) if content_hash else None,
        indexes=tuple(
            dict.fromkeys(each.source[1] for each in distributions if each.source[0] == "registry" and each.source[1])
        ),
    )


def _distribution(row: Mapping[str, Any], metadata: Mapping[str, Any]) -> LockedDistribution:
    name = text(row["name"])
    files, hashes = _files(name, row, metadata)
    source = _source(table(row.get("source")))
    if source[0] in ("url", "path"):
        place = source[1]
        digest = files[0].sha256 if len(files) == 1 else None
        filename = place.partition("#")[0].rpartition("/")[2]
        files = (
            LockedFile(
                filename,
                url=place if source[0] == "url" else None,
                path=place if source[0] == "path" else None,
                sha256=digest,
            ),
        )
    return LockedDistribution(
        name=canonicalize_name(name),
        version=version(row["version"]),
        source=source,
        files=files,
        hashes=hashes,
        edges=tuple(edge for key, value in table(row.get("dependencies")).items() for edge in _edges(key, value)),
        extras={
            canonicalize_name(extra): tuple(_extra_edge(text(value)) for value in wanted)
            for extra, wanted in table(row.get("extras")).items()
        },
        groups=_groups(row),
    )


def _files(
    name: str, row: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[tuple[LockedFile, ...], frozenset[str]]:
    """The files of a distribution; the oldest locks state hashes alone."""
    if "files" not in row and "hashes" in metadata:
        return (), frozenset(f"sha256:{text(digest)}" for digest in table(metadata["hashes"]).get(name, []))
    listed = row["files"] if "files" in row else table(metadata.get("files")).get(name, [])
    return tuple(LockedFile(text(file["file"]), sha256=sha256(file["hash"])) for file in rows(listed)), frozenset()


def _source(row: Mapping[str, Any]) -> tuple[str, str]:
    kind = row.get("type", "legacy")
    place = text(row.get("url", ""))
    kinds = {"legacy": "registry", "file": "path", "directory": "directory", "url": "url"}
    return (kinds[kind], place) if kind in kinds else ("git", place)


def _groups(row: Mapping[str, Any]) -> Mapping[str, str | None] | None:
    """Who wants a distribution; locks older than 2.1 do not say, but for their ``category``, which no graph needs."""
    if "groups" not in row:
        return None
    stated = row.get("markers")
    by_group = stated if isinstance(stated, dict) else dict.fromkeys(row["groups"], stated)
    return {canonicalize_name(text(group)): marker(by_group.get(group)) for group in row["groups"]}


def _edges(name: str, value: Any) -> Iterator[Edge]:
    for one in value if isinstance(value, list) else [value]:
        row = {"version": one} if isinstance(one, str) else table(one)
        if not row.get("optional"):
            yield _edge(name, row)


def _edge(name: str, row: Mapping[str, Any]) -> Edge:
    stated = text(row.get("version", "*"))
    return Edge(
        name=canonicalize_name(name),
        specifier=specifier(stated) or "",
        marker=marker(_marker(row)),
        extras=tuple(sorted(canonicalize_name(text(extra)) for extra in row.get("extras", []))),
    )


def _extra_edge(value: str) -> Edge:
    """An edge of an extra; old locks have ``name (>=1)`` there, with Poetry's own signs."""
    try:
        return Edge.of(Requirement(value))
    except InvalidRequirement:
        match = re.match(r"^([\w.-]+)\s*(?:\[([^\]]*)\])?\s*(?:\(([^)]*)\))?", value)
        if match is None:
            raise
        extras = tuple(canonicalize_name(part.strip()) for part in (match[2] or "").split(",") if part.strip())
        return Edge(canonicalize_name(match[1]), specifier(match[3] or "*") or "", None, extras)


def _marker(row: Mapping[str, Any]) -> str | None:
    parts = [text(row["markers"])] if row.get("markers") else []
    if "python" in row:
        bounds = specifier(text(row["python"]))
        parts += [
            f"python_{'full_version' if each.version.count('.') > 1 else 'version'} {each.operator} {each.version!r}"
            for each in SpecifierSet(bounds or "")
        ]
    if "platform" in row:
        parts.append(f"sys_platform == {text(row['platform'])!r}")
    return " and ".join(f"({part})" for part in parts) or None


def specifier(constraint: str) -> str | None:
    """Poetry's constraint as PEP 440 has it; ``None`` for alternatives, which it does not have."""
    constraint = constraint.strip()
    if "||" in constraint or " | " in constraint or re.search(r"\d\|", constraint):
        return None
    found: list[str] = []
    for match in _CLAUSE.finditer(constraint):
        sign, number = match[1] or "", match[2]
        if number == "*":
            continue
        if sign == "^":
            found += [f">={number}", f"<{_next(number, _caret_place(number))}"]
        elif sign == "~":
            found += [f">={number}", f"<{_next(number, 0 if len(Version(number).release) == 1 else 1)}"]
        elif sign in ("", "=", "==") and number.endswith(".*"):
            found.append(f"=={number}")
        else:
            found.append(f"{sign or '=='}{number}")
    return str(SpecifierSet(",".join(found)))


def _caret_place(number: str) -> int:
    release = Version(number).release
    return next((place for place, part in enumerate(release) if part), len(release) - 1)


def _next(number: str, place: int) -> str:
    release = list(Version(number).release)
    return ".".join(map(str, [*release[:place], release[place] + 1, *([0] * (len(release) - place - 1))]))


def _project(document: Mapping[str, Any], poetry: Mapping[str, Any], path: str) -> PoetryProject:
    groups = {MAIN: tuple(_asked(table(poetry.get("dependencies"))))}
    for name, group in table(poetry.get("group")).items():
        groups[canonicalize_name(name)] = tuple(_asked(table(table(group).get("dependencies"))))
    sources = rows(poetry.get("source", []))
    return PoetryProject(
        path=path,
        groups=groups,
        extras={
            canonicalize_name(extra): tuple(canonicalize_name(text(name)) for name in names)
            for extra, names in table(poetry.get("extras")).items()
        },
        hashes=frozenset(_hashes(document, poetry)),
        indexes=tuple(text(row["url"]) for row in sources if "url" in row and row.get("priority") != "explicit"),
    )


def _asked(dependencies: Mapping[str, Any]) -> Iterator[Asked]:
    for name, value in dependencies.items():
        if name == "python":
            continue
        for one in value if isinstance(value, list) else [value]:
            row = {"version": one} if isinstance(one, str) else table(one)
            edge = _edge(name, row)
            extras = f"[{','.join(edge.extras)}]" if edge.extras else ""
            place = f" @ {text(row['url'])}" if "url" in row else edge.specifier
            words = f"{name}{extras}{place}" + (f" ; {edge.marker}" if edge.marker else "")
            exact = specifier(text(row.get("version", "*"))) is not None
            yield Asked(
                edge=edge,
                text=str(Requirement(words)) if exact else None,
                optional=bool(row.get("optional")),
                local=text(row["path"]) if "path" in row else None,
                repository=next((text(row[kind]) for kind in _REPOSITORIES if kind in row), None),
            )


def _hashes(document: Mapping[str, Any], poetry: Mapping[str, Any]) -> Iterator[str]:
    """What the versions of Poetry state about this file."""
    groups = document.get("dependency-groups", {})
    yield _hash(document, poetry, groups)
    if groups:
        yield _hash(document, poetry, {})


def _hash(document: Mapping[str, Any], poetry: Mapping[str, Any], groups: Any) -> str:
    project = {key: value for key in _PROJECT_KEYS if (value := table(document.get("project")).get(key)) is not None}
    own = {
        key: poetry.get(key)
        for key in (*_LEGACY_KEYS, "group")
        if poetry.get(key) is not None or (key in _LEGACY_KEYS and not project and not groups)
    }
    content: dict[str, Any] = own
    if project or groups:
        named = {"project": project, "dependency-groups": groups}
        content = {key: value for key, value in named.items() if value} | {"tool": {"poetry": own}}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
