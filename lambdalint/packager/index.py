"""Package indexes: which files there are of a distribution.

Source: https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from lambdalint.errors import Refused
from lambdalint.packager.web import NotFound, Page, Web, shown

PYPI: Final = "https://pypi.org/simple"

_MAX_PAGE_BYTES: Final = 128 * 1024 * 1024
_ACCEPT: Final = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a distribution; *url* has no credentials, *metadata* says whether it has its metadata beside it."""

    filename: str
    url: str
    sha256: str | None = None
    size: int | None = None
    requires_python: str | None = None
    yanked: bool | str = False
    metadata: bool = False
    uploaded: str | None = None

    @property
    def version(self) -> Version | None:
        """The version that the file name states; ``None`` when it is the name of no distribution's file."""
        if self.is_wheel:
            return _version(self.filename.split("-", 2)[1]) if self.filename.count("-") >= 4 else None
        try:
            return parse_sdist_filename(self.filename)[1]
        except (InvalidSdistFilename, InvalidVersion):
            return None

    @property
    def is_wheel(self) -> bool:
        """Whether it can be installed as it is."""
        return self.filename.endswith(".whl")


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """Where to look.

    The extra indexes come before the default one, and the first index that knows a distribution is the only one asked
    about it, as for uv: a public package of a private one's name is never taken for it.  *merge* asks them all, as pip
    does.  Files at *find_links* are always looked at as well.  *pinned* are pairs of a distribution and the only index
    that is asked about it.
    """

    default: str | None = PYPI
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    merge: bool = False
    pinned: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(environment: Mapping[str, str]) -> "IndexSettings":
        """What the variables of uv and pip say; uv's come first."""

        def first(*names: str) -> str | None:
            return next((environment[name] for name in names if environment.get(name)), None)

        def words(*names: str) -> tuple[str, ...]:
            return tuple(word for name in names for word in environment.get(name, "").split())

        named = words("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
        links = tuple(link.strip() for link in environment.get("UV_FIND_LINKS", "").split(",") if link.strip())
        no_index = (first("UV_NO_INDEX", "PIP_NO_INDEX") or "").lower() in ("1", "true", "yes", "on")
        return IndexSettings(
            default=None if no_index else first("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL") or PYPI,
            extra=() if no_index else tuple(_without_label(url) for url in named),
            find_links=(*links, *words("PIP_FIND_LINKS")),
            merge=environment.get("UV_INDEX_STRATEGY", "").startswith("unsafe"),
        )

    @property
    def names(self) -> str:
        """The places for the reader."""
        return ", ".join(
            shown(url) for url in (*self.extra, *([self.default] if self.default else []), *self.find_links)
        )


@dataclass(slots=True)
class Indexes:
    """Asks the indexes, each distribution once."""

    settings: IndexSettings
    web: Web
    _known: dict[str, tuple[File, ...]] = field(default_factory=dict)
    _wheels: dict[str, dict[Version, list[File]]] = field(default_factory=dict)
    _locks: dict[str, Lock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def files(self, name: str) -> tuple[File, ...]:
        """All files of a distribution, of whatever kind and version; none when nobody knows it.

        Raises:
            Refused: an index does not answer or makes no sense.
        """
        name = canonicalize_name(name)
        with self._lock:
            lock = self._locks.setdefault(name, Lock())
        with lock:
            if name not in self._known:
                self._known[name] = self._ask(name)
            return self._known[name]

    def wheels(self, name: str) -> dict[Version, list[File]]:
        """The wheels of a distribution by version, the newest first, yanked ones left out; raises as :meth:`files`."""
        name = canonicalize_name(name)
        if name not in self._wheels:
            self._wheels[name] = _by_version(self.files(name))
        return self._wheels[name]

    def known(self) -> dict[str, tuple[File, ...]]:
        """What was asked for so far."""
        return dict(self._known)

    def _ask(self, name: str) -> tuple[File, ...]:
        found: dict[str, File] = {}
        usual = (*self.settings.extra, *([self.settings.default] if self.settings.default else []))
        pinned = dict(self.settings.pinned).get(name)
        for index in usual if pinned is None else (pinned,):
            for file in self._of_index(self.web.remember(index), name):
                found.setdefault(file.filename, file)
            if found and not self.settings.merge:
                break
        for link in self.settings.find_links if pinned is None else ():
            for file in self._of_links(self.web.remember(link)):
                if distribution_of(file.filename) == name:
                    found.setdefault(file.filename, file)
        return tuple(found.values())

    def _of_index(self, index: str, name: str) -> tuple[File, ...]:
        url = f"{index.rstrip('/')}/{name}/"
        if index.startswith("file:"):
            folder = _local(url)
            return _in_folder(folder) if not (folder / "index.html").is_file() else _html(_read(folder, url))
        try:
            page = self.web.page(url, accept=_ACCEPT, max_bytes=_MAX_PAGE_BYTES)
        except NotFound:
            return ()
        return _files(page)

    def _of_links(self, link: str) -> tuple[File, ...]:
        if link.startswith(("http:", "https:")):
            return _files(self.web.page(link, accept="text/html", max_bytes=_MAX_PAGE_BYTES))
        place = _local(link) if link.startswith("file:") else Path(link)
        if place.is_dir():
            return _in_folder(place)
        if place.is_file():
            return _html(Page(place.absolute().as_uri(), "text/html", place.read_bytes()))
        raise Refused(f"there is nothing at {link}, where files are to be found", hint="correct --find-links")


def _by_version(files: Iterable[File]) -> dict[Version, list[File]]:
    """Wheels by version; there may be thousands, with few versions among them."""
    by_text: dict[str, list[File]] = {}
    for file in files:
        if file.is_wheel and not file.yanked and file.filename.count("-") >= 4:
            by_text.setdefault(file.filename.split("-", 2)[1], []).append(file)
    found: dict[Version, list[File]] = {}
    for text, named in by_text.items():
        version = _version(text)
        if version is not None:
            found.setdefault(version, []).extend(named)
    return dict(sorted(found.items(), reverse=True))


def _without_label(url: str) -> str:
    """An address whose label is gone; uv lets an index have a name: ``name=https://…``."""
    label, equals, rest = url.partition("=")
    return rest if equals and "/" not in label else url


def _local(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def _read(folder: Path, url: str) -> Page:
    return Page(url, "text/html", (folder / "index.html").read_bytes())


def _in_folder(folder: Path) -> tuple[File, ...]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return ()
    return tuple(
        File(path.name, path.absolute().as_uri(), size=path.stat().st_size)
        for path in paths
        if distribution_of(path.name) is not None
    )


def _files(page: Page) -> tuple[File, ...]:
    if "json" not in page.content_type:
        return _html(page)
    try:
        document = json.loads(page.body)
        return tuple(_from_json(row, page.url) for row in document["files"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"{shown(page.url)} is not a list of files as PEP 691 has it", hint="is it an index?") from error


def _from_json(row: Mapping[str, Any], base: str) -> File:
    metadata = row.get("core-metadata", row.get("dist-info-metadata", False))
    sha256, size = row.get("hashes", {}).get("sha256"), row.get("size")
    return File(
        filename=str(row["filename"]),
        url=row["url"] if row["url"].startswith(("https:", "http:")) else urljoin(base, row["url"]),
        sha256=sha256 if isinstance(sha256, str) else None,
        size=size if isinstance(size, int) else None,
        requires_python=row.get("requires-python") or None,
        yanked=row.get("yanked", False),
        metadata=bool(metadata),
        uploaded=row.get("upload-time"),
    )


class _Links(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.files: list[File] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        row = dict(attrs)
        href = row.get("href")
        if tag not in ("a", "base") or not href:
            return
        try:
            address = urljoin(self.base, href)
            path = urlsplit(address).path
        except ValueError:
            return  # no address, hence no file
        if tag == "base":
            self.base = address
            return
        url, _, fragment = address.partition("#")
        algorithm, _, digest = fragment.partition("=")
        metadata = row.get("data-core-metadata", row.get("data-dist-info-metadata", "false"))
        self.files.append(
            File(
                filename=unquote(path.rpartition("/")[2]),
                url=url,
                sha256=digest.partition("&")[0] if algorithm == "sha256" else None,
                requires_python=row.get("data-requires-python") or None,
                yanked="data-yanked" in row and (row["data-yanked"] or True),
                metadata=metadata not in ("false", None),
            )
        )


def _html(page: Page) -> tuple[File, ...]:
    parser = _Links(page.url)
    parser.feed(page.body.decode("utf-8", errors="replace"))
    return tuple(file for file in parser.files if file.version is not None)


def distribution_of(filename: str) -> str | None:
    """The normalized name of the distribution that a file belongs to, if it is one's at all."""
    try:
        return (parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename)(filename)[0]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


@lru_cache(maxsize=16384)
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
