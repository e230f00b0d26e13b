"""What silences a finding: a comment on its line, metadata on its resource, or the configuration.

``# lambdalint: ignore[name-or-code]`` stands on the line; a resource may say ``Metadata: lambdalint: ignore: [...]``.
What users of other tools have written counts for the rules that cover those ids.
"""

import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lambdalint.join.properties import items_of, properties_of, text_of
from lambdalint.model.finding import Finding
from lambdalint.model.places import Span
from lambdalint.model.template import Resource, Template
from lambdalint.model.values import Properties

_OWN: Final = re.compile(r"#\s*lambdalint:\s*ignore\s*(?:\[([^\]]*)\])?", re.IGNORECASE)
_NOQA: Final = re.compile(r"#\s*noqa\s*:\s*([A-Z][A-Z0-9]*[0-9]+(?:[\s,]+[A-Z][A-Z0-9]*[0-9]+)*)", re.IGNORECASE)
_NOSEC: Final = re.compile(r"#\s*nosec\b[:\s]*((?:B\d{3}[\s,]*)*)", re.IGNORECASE)
_NOPW: Final = re.compile(r"#\s*nopw\b[:\s]*((?:PW\d{3}[\s,]*)*)", re.IGNORECASE)
_CHECKOV: Final = re.compile(r"#\s*checkov:skip=([A-Z0-9_]+)")
_ID: Final = re.compile(r"[A-Z0-9_]+", re.IGNORECASE)
_FOREIGN: Final = (
    (_NOQA, ("ruff", "flake8", "flake8-timeout", "pylint")),
    (_NOSEC, ("bandit",)),
    (_NOPW, ("pythaw",)),
    (_CHECKOV, ("checkov",)),
)

#: A comment at the end of a statement of several lines counts for findings on its first.
_MAX_LINES: Final = 40


@dataclass(slots=True)
class Ignore:
    """One comment or metadata entry of ours; *names* is empty when it silences everything."""

    at: Span
    names: tuple[str, ...]
    used: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Comments:
    own: dict[int, list[Ignore]] = field(default_factory=dict)
    foreign: dict[int, set[str]] = field(default_factory=dict)


class Suppressions:
    """Decides which findings a project's authors have silenced.

    The patterns of *per_path* are git's, relative to the folder *base*.
    *read_text* gives a file's text, ``None`` when there is none; *foreign* says whether other tools' comments count.
    """

    def __init__(
        self,
        read_text: Callable[[str], str | None],
        templates: Iterable[Template],
        per_path: Mapping[str, tuple[str, ...]],
        base: str,
        foreign: bool,
    ) -> None:
        self._read_text = read_text
        self._foreign = foreign
        self._per_path = _path_patterns(per_path, base)
        self._comments: dict[str, _Comments] = {}
        self._resources: dict[str, tuple[tuple[Resource, list[Ignore], set[str]], ...]] = {
            template.path: tuple(_resource_ignores(template)) for template in templates
        }

    def silences(self, finding: Finding) -> bool:
        """Whether *finding* is silenced; what silences it counts as used."""
        keys = {finding.code, finding.name, finding.code[:2]}
        covers = set(finding.covers)
        for matches, names in self._per_path:
            if matches(finding.path) and keys.intersection(names):
                return True
        silenced = False
        if isinstance(finding.at, Span):
            silenced = self._in_comment(finding.at, keys, covers)
        return self._in_metadata(finding, keys, covers) or silenced

    def unused(self, judged: Iterable[str], running: Callable[[str], bool | None]) -> Iterator[tuple[Span, str]]:
        """The ignores of ours that silence nothing, in the files *judged*: their places and what is so.

        *running* says of a name whether a rule of that name ran; ``None`` when nothing is called so.
        """
        for path in judged:
            listed = [ignore for line in self._in_file(path).own.values() for ignore in line]
            listed += [ignore for _, ignores, _ in self._resources.get(path, ()) for ignore in ignores]
            for ignore in listed:
                if not ignore.names and not ignore.used:
                    yield ignore.at, "this ignores nothing"
                for name in ignore.names:
                    if name in ignore.used:
                        continue
                    ran = running(name)
                    if ran is None:
                        yield ignore.at, f"no rule is called {name!r}, so this ignores nothing"
                    elif ran:
                        yield ignore.at, f"{name} finds nothing here, so this ignores nothing"

    def _in_comment(self, at: Span, keys: set[str], covers: set[str]) -> bool:
        comments = self._in_file(at.path)
        silenced = False
        last = at.end_line if at.end_line - at.line < _MAX_LINES else at.line
        for line in range(at.line, last + 1):
            for ignore in comments.own.get(line, ()):
                silenced = _hits(ignore, keys) or silenced
            if self._foreign and covers.intersection(comments.foreign.get(line, ())):
                silenced = True
        return silenced

    def _in_metadata(self, finding: Finding, keys: set[str], covers: set[str]) -> bool:
        silenced = False
        for path in dict.fromkeys((finding.path, finding.template or "")):
            for resource, ignores, foreign in self._resources.get(path, ()):
                inside = isinstance(finding.at, Span) and resource.extent.holds(finding.at)
                about = finding.function == resource.name and finding.template == path
                if not (inside or about):
                    continue
                for ignore in ignores:
                    silenced = _hits(ignore, keys) or silenced
                if self._foreign and covers.intersection(foreign | self._checkov_in(resource)):
                    silenced = True
        return silenced

    def _checkov_in(self, resource: Resource) -> set[str]:
        """A skip of checkov's counts anywhere inside the resource."""
        lines = self._in_file(resource.extent.path).foreign
        return {
            each
            for line, ids in lines.items()
            if resource.extent.line <= line <= resource.extent.end_line
            for each in ids
            if each.startswith("checkov:")
        }

    def _in_file(self, path: str) -> _Comments:
        if path not in self._comments:
            text = self._read_text(path)
            self._comments[path] = _read_comments(path, text) if text and "#" in text else _Comments()
        return self._comments[path]


def _hits(ignore: Ignore, keys: set[str]) -> bool:
    found = keys.intersection(ignore.names) if ignore.names else {""}
    ignore.used |= found
    return bool(found)


def _read_comments(path: str, text: str) -> _Comments:
    found = _Comments()
    if not any(mark in text.lower() for mark in ("lambdalint", "noqa", "nosec", "nopw", "checkov")):
        return found
    for line, column, comment in _comments(path, text):
        for match in _OWN.finditer(comment):
            names = tuple(part.strip() for part in (match[1] or "").split(",") if part.strip())
            at = Span(path, line, column + match.start(), line, column + match.end())
            found.own.setdefault(line, []).append(Ignore(at, names))
        ids: set[str] = set()
        for pattern, tools in _FOREIGN:
            for match in pattern.finditer(comment):
                ids |= {f"{tool}:{each.upper()}" for each in _ID.findall(match[1]) for tool in tools}
        if ids:
            found.foreign.setdefault(line, set()).update(ids)
    return found


def _comments(path: str, text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of each comment.  In a template a mark counts wherever ``#`` may begin a comment."""
    if path.endswith(".py"):
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT:
                    yield token.start[0], token.start[1], token.string
        except (tokenize.TokenError, SyntaxError):
            return
    else:
        for number, line in enumerate(text.split("\n"), 1):
            for match in re.finditer(r"(?:^|\s)(#.*)", line):
                yield number, match.start(1), match[1]
                break


def _resource_ignores(template: Template) -> Iterator[tuple[Resource, list[Ignore], set[str]]]:
    for resource in template.resources.values():
        own = [
            Ignore(item.span, (text,))
            for item in items_of(properties_of(resource.metadata.get("lambdalint")).get("ignore"))
            if (text := text_of(item))
        ]
        yield resource, own, set(_foreign_metadata(resource.metadata))


def _foreign_metadata(metadata: Properties) -> Iterator[str]:
    config = properties_of(properties_of(metadata.get("cfn-lint")).get("config"))
    for item in items_of(config.get("ignore_checks")):
        yield f"cfn-lint:{text_of(item)}"
    for key, tool, listed in (("cfn_nag", "cfn_nag", "rules_to_suppress"), ("checkov", "checkov", "skip")):
        for item in items_of(properties_of(metadata.get(key)).get(listed)):
            yield f"{tool}:{text_of(properties_of(item).get('id'))}"


def _path_patterns(
    per_path: Mapping[str, tuple[str, ...]],
    base: str,
) -> tuple[tuple[Callable[[str], bool], tuple[str, ...]], ...]:
    if not per_path:
        return ()
    from pathspec import GitIgnoreSpec

    prefix = f"{base}/" if base else ""

    def matcher(pattern: str) -> Callable[[str], bool]:
        spec = GitIgnoreSpec.from_lines([pattern])
        return lambda path: path.startswith(prefix) and spec.match_file(path.removeprefix(prefix))

    return tuple((matcher(pattern), names) for pattern, names in per_path.items())
