"""Requirement files as pip reads them: ``-r``, ``-c``, hashes, markers, options, continuation lines.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from lambdalint.errors import UnreadableInput
from lambdalint.model.places import Span
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree, joined

_MAX_DEPTH: Final = 32
_MAX_LINES: Final = 100_000
_MAX_LINE_CHARACTERS: Final = 100_000

_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_VARIABLE: Final = re.compile(r"\$\{([A-Z0-9_]+)\}")
_HASH: Final = re.compile(r"\s--hash[=\s]+(\S+)")
_OPTION_AFTER_REQUIREMENT: Final = re.compile(r"\s--(?:hash|config-settings?|global-option|install-option)\b")
_SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]+:", re.IGNORECASE)

_INCLUDE: Final = {
    "-r": "requirement",
    "--requirement": "requirement",
    "-c": "constraint",
    "--constraint": "constraint",
}
_VALUED: Final = {
    "-i": "index-url",
    "--index-url": "index-url",
    "--pypi-url": "index-url",
    "--extra-index-url": "extra-index-url",
    "-f": "find-links",
    "--find-links": "find-links",
    "--no-binary": "no-binary",
    # What follows changes nothing here: only wheels are ever taken, and certificates are always checked.
    "--only-binary": "",
    "--trusted-host": "",
    "--use-feature": "",
}
_FLAGS: Final = {"--no-index": "no-index", "--pre": "pre", "--require-hashes": "", "--prefer-binary": ""}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line that asks for a distribution.

    *text* is its PEP 508 form, or ``""`` for a *local* one: a path in the project to a wheel, an archive or a folder
    (*extras* are those asked of it).  *hashes* are ``sha256:…`` and the like, any of which will do.
    """

    text: str
    at: Span
    local: str | None = None
    extras: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    editable: bool = False


@dataclass(frozen=True, slots=True)
class FindLinks:
    """A place to look for files: an address, or a path in the project."""

    value: str
    local: bool


@dataclass(slots=True)
class Requirements:
    """Everything that a requirement file and the files it includes say; *files* are the paths read, in that order."""

    wanted: list[Wanted] = field(default_factory=list)
    constraints: list[Wanted] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    index_url: str | None = None
    extra_index_urls: list[str] = field(default_factory=list)
    find_links: list[FindLinks] = field(default_factory=list)
    no_index: bool = False
    pre: bool = False


def requirements(tree: Tree, path: str, environment: Mapping[str, str] | None = None) -> Requirements:
    """What the requirement file at *path* asks for; ``${NAME}`` is taken from *environment*, as pip does.

    Raises:
        UnreadableInput: a file is missing or is no text, a line says nothing that pip would understand or asks for
            what cannot be had, or files include each other in a circle.
    """
    found = Requirements()
    _read(tree, path, found, environment or {}, constraint=False, chain=())
    return found


def _read(
    tree: Tree,
    path: str,
    found: Requirements,
    environment: Mapping[str, str],
    *,
    constraint: bool,
    chain: tuple[str, ...],
) -> None:
    if path in chain:
        raise UnreadableInput(f"{' → '.join([*chain[chain.index(path) :], path])} include each other", path=path)
    if len(chain) >= _MAX_DEPTH:
        raise UnreadableInput(f"requirement files include each other more than {_MAX_DEPTH} deep", path=path)
    if path not in found.files:
        found.files.append(path)
    for number, line in _logical_lines(decoded(tree.read(path), path), path):
        text = _VARIABLE.sub(lambda match: environment.get(match[1], match[0]), line)
        reader = _Line(tree, path, number, found)
        if not text.startswith("-"):
            reader.requirement(text, constraint=constraint)
        elif include := reader.option(text):
            kind, other = include
            _read(
                tree,
                other,
                found,
                environment,
                constraint=constraint or kind == "constraint",
                chain=(*chain, path),
            )


def _logical_lines(text: str, path: str) -> Iterator[tuple[int, str]]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > _MAX_LINES:
        raise UnreadableInput(f"the file has more than {_MAX_LINES} lines", path=path)
    held, start = "", 0
    for number, raw in enumerate(lines, 1):
        start = start or number
        # A comment ends a continued line, and is not continued itself.
        is_comment = raw.lstrip().startswith("#")
        if raw.endswith("\\") and not is_comment and number < len(lines) and len(held) <= _MAX_LINE_CHARACTERS:
            held += raw[:-1] + " "
        else:
            if len(held) + len(raw) > _MAX_LINE_CHARACTERS:
                raise UnreadableInput("the line is too long for a requirement", path=path, line=start)
            line = _COMMENT.sub("", held + raw).strip().strip("\\").strip()
            if line:
                yield start, line
            held, start = "", 0


@dataclass(frozen=True, slots=True)
class _Line:
    tree: Tree
    path: str
    number: int
    found: Requirements

    def option(self, line: str) -> tuple[str, str] | None:
        """Take note of an option line; a file that it includes is the answer, with what it is."""
        name, value = _option(line)
        if name in ("-e", "--editable"):
            self._local_or_url(value, editable=True)
        elif name in _INCLUDE:
            return _INCLUDE[name], self._included(value)
        elif name in _FLAGS:
            if _FLAGS[name]:
                setattr(self.found, _FLAGS[name].replace("-", "_"), True)
        elif name in _VALUED:
            if not value:
                raise self._error(f"{name} wants a value")
            self._valued(_VALUED[name], value)
        else:
            raise self._error(f"pip knows no option {name} in a requirement file")
        return None

    def requirement(self, line: str, *, constraint: bool) -> None:
        """Take note of a line that asks for a distribution."""
        hashes = tuple(_HASH.findall(line))
        after = _OPTION_AFTER_REQUIREMENT.search(line)
        text = line[: after.start()].strip() if after else line
        try:
            parsed = Requirement(text)
        except InvalidRequirement as error:
            if _looks_local(text) and not constraint:
                self._local_or_url(text, hashes=hashes)
                return
            first = str(error).splitlines()[0]
            raise self._error(f"{_short(text)} is no requirement: {first[:1].lower()}{first[1:]}") from None
        if parsed.url and not constraint:
            self._refuse_source(parsed.url)
        found = self.found.constraints if constraint else self.found.wanted
        found.append(Wanted(str(parsed), self._span, hashes=hashes))

    def _included(self, value: str) -> str:
        if _SCHEME.match(value):
            raise self._error("requirement files are not read from the network", hint="copy it into the project")
        other = joined(_folder(self.path), value)
        if other is None:
            raise self._error(f"{value} lies outside the project")
        if not self.tree.is_file(other):
            raise self._error(f"there is no file {value}")
        return other

    def _valued(self, kind: str, value: str) -> None:
        match kind:
            case "index-url":
                self.found.index_url = value
            case "extra-index-url":
                self.found.extra_index_urls.append(value)
            case "find-links":
                local = None if _SCHEME.match(value) else joined(_folder(self.path), value)
                self.found.find_links.append(FindLinks(value if local is None else local, local is not None))
            case "no-binary" if value != ":none:":
                raise self._error("--no-binary asks for a build from source", hint="only wheels are installed; drop it")
            case _:
                pass

    def _local_or_url(self, value: str, *, hashes: tuple[str, ...] = (), editable: bool = False) -> None:
        text, extras = _without_extras(value)
        text = text.partition("#egg=")[0]
        if _SCHEME.match(text) and not text.startswith("file:"):
            self._refuse_source(text)
            name = text.rsplit("/", 1)[-1].partition("#")[0].partition("-")[0]
            self.found.wanted.append(Wanted(f"{name} @ {text}", self._span, hashes=hashes))
            return
        relative = text.removeprefix("file:")
        local = None if relative.startswith("//") else joined(_folder(self.path), relative)
        if local is None:
            raise self._error(f"{_short(text)} lies outside the project", hint="name it by a path within the project")
        if not self.tree.is_file(local) and not self.tree.is_folder(local):
            raise self._error(f"there is no file or folder {_short(text)}")
        self.found.wanted.append(
            Wanted("", self._span, local=local, extras=extras, hashes=hashes, editable=editable),
        )

    def _refuse_source(self, url: str) -> None:
        if reason := why_not_installed(url):
            message, hint = reason
            raise self._error(message, hint=hint)

    def _error(self, message: str, *, hint: str | None = None) -> UnreadableInput:
        return UnreadableInput(message, path=self.path, line=self.number, hint=hint)

    @property
    def _span(self) -> Span:
        return Span(self.path, self.number, 0, self.number, 0)


def why_not_installed(url: str) -> tuple[str, str] | None:
    """Message and hint about an address that leads to no wheel; ``None`` when it does."""
    if "+" in url.partition(":")[0]:
        return (
            f"{_short(url)} is fetched from a repository and built, which is not done here",
            "build a wheel of it, put it into the project and name its path instead",
        )
    if not PurePosixPath(url.partition("#")[0]).name.endswith(".whl"):
        return f"{_short(url)} is no wheel and would have to be built", "name the address of a wheel instead"
    return None


def _option(line: str) -> tuple[str, str]:
    """An option's name and value; ``-rother.txt`` and ``--requirement=other.txt`` are both known to pip."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    first, rest = words[0], " ".join(words[1:])
    if first.startswith("--"):
        name, equals, value = first.partition("=")
        return name, value if equals else rest
    return first[:2], (first[2:].lstrip("=") or rest)


def _looks_local(text: str) -> bool:
    return bool(_SCHEME.match(text)) or text.startswith((".", "/")) or "/" in text or text.endswith((".whl", ".gz"))


def _without_extras(text: str) -> tuple[str, tuple[str, ...]]:
    match = re.fullmatch(r"(.*?)\[([\w.,\s-]+)\]", text)
    if match is None:
        return text, ()
    return match[1], tuple(sorted(extra.strip() for extra in match[2].split(",")))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _short(text: str) -> str:
    """*text* fit for a message: without credentials and not too long."""
    text = re.sub(r"//[^/@\s]+@", "//***@", text)
    return text if len(text) <= 100 else f"{text[:97]}..."
