"""What silences a finding: a comment on its line, metadata on its resource or template, or the configuration.

``# lambdalint: ignore[name-or-code]`` stands on the line, in Python, YAML and HCL; ``Metadata: lambdalint: ignore:
[...]`` says the same of a resource, or at the top of all of a template, and is the way for JSON.  What users of other
tools have written counts for the rules that cover those ids.
"""

import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final

from lambdalint.join.properties import items_of, properties_of, text_of
from lambdalint.model.finding import Finding
from lambdalint.model.function import Function
from lambdalint.model.places import Span
from lambdalint.model.template import Resource, Template
from lambdalint.model.values import Properties
from lambdalint.readers.ignore import ignore_spec

_OWN: Final = re.compile(r"(?:#|//|/\*)\s*lambdalint:\s*ignore\s*(?:\[([^\]]*)\])?", re.IGNORECASE)


class _Where(Enum):
    """What a comment of another tool is about."""

    LINE = "the line that it ends"
    NEXT = "the line that it ends, or else the next one"
    BLOCK = "as NEXT, and the block that begins on that line"
    INSIDE = "the block that it stands in"
    FILE = "the file"


@dataclass(frozen=True, slots=True)
class _Foreign:
    """How users of *tools* silence them; without an id in the pattern's group, all that a tool finds."""

    pattern: re.Pattern[str]
    tools: tuple[str, ...]
    where: _Where
    upper: bool = True

    def ids(self, match: re.Match[str]) -> Iterator[str]:
        """The ids as rules cover them."""
        listed = match[1] if match.re.groups else ""
        found = [each.upper() if self.upper else each for each in re.split(r"[\s,]+", listed or "") if each]
        for tool in self.tools:
            yield from (_ALIASES.get(each, f"{tool}:{each}") for each in found or ["*"])


def _foreign(
    pattern: str, *tools: str, where: _Where, upper: bool = True, flags: re.RegexFlag = re.IGNORECASE
) -> _Foreign:
    return _Foreign(re.compile(pattern, flags), tools, where, upper)


_IDS: Final = r"[\w.*-]+(?:\s*,\s*[\w.*-]+)*"
_START: Final = r"(?:#|//|/\*)\s*"
_FOREIGN: Final = (
    _foreign(
        r"#\s*noqa\s*:\s*([A-Z][A-Z0-9]*[0-9]+(?:[\s,]+[A-Z][A-Z0-9]*[0-9]+)*)",
        "ruff",
        "flake8",
        "flake8-timeout",
        where=_Where.LINE,
    ),
    _foreign(r"#\s*nosec\b[:\s]*((?:B\d{3}[\s,]*)*)", "bandit", where=_Where.LINE),
    _foreign(r"#\s*nopw\b[:\s]*((?:PW\d{3}[\s,]*)*)", "pythaw", where=_Where.LINE),
    _foreign(rf"#\s*pylint:\s*disable=({_IDS})", "pylint", where=_Where.LINE, upper=False),
    _foreign(rf"{_START}nosem(?:grep)?\b(?::\s*(?:[\w-]+\.)*([\w-]+))?", "semgrep", where=_Where.NEXT, upper=False),
    _foreign(rf"{_START}checkov:skip=(\w+)", "checkov", where=_Where.INSIDE),
    _foreign(r"(?:trivy|tfsec):ignore:(?:AVD-)?(AWS-\d+|aws-[a-z0-9-]+)", "trivy", where=_Where.BLOCK, upper=False),
    _foreign(rf"{_START}tflint-ignore:\s*({_IDS})", "tflint", where=_Where.NEXT, upper=False),
    _foreign(rf"{_START}tflint-ignore-file:\s*({_IDS})", "tflint", where=_Where.FILE, upper=False),
    _foreign(rf"{_START}kics-scan\s+ignore-line\b", "kics", where=_Where.NEXT),
    _foreign(rf"{_START}kics-scan\s+ignore-block\b", "kics", where=_Where.BLOCK),
    _foreign(rf"{_START}kics-scan\s+ignore\s*$", "kics", where=_Where.FILE),
)

#: Other names of the same rules.
#: Source: https://avd.aquasec.com/misconfig/aws/ https://pylint.readthedocs.io/en/stable/user_guide/messages/
_ALIASES: Final[Mapping[str, str]] = {
    "aws-api-gateway-enable-access-logging": "trivy:AWS-0001",
    "aws-api-gateway-enable-cache-encryption": "trivy:AWS-0002",
    "aws-api-gateway-enable-tracing": "trivy:AWS-0003",
    "aws-api-gateway-no-public-access": "trivy:AWS-0004",
    "aws-cloudwatch-log-group-customer-key": "trivy:AWS-0017",
    "aws-ecr-enable-image-scans": "trivy:AWS-0030",
    "aws-ecr-enforce-immutable-repository": "trivy:AWS-0031",
    "aws-ecr-no-public-access": "trivy:AWS-0032",
    "aws-ecr-repository-customer-key": "trivy:AWS-0033",
    "aws-iam-no-policy-wildcards": "trivy:AWS-0057",
    "aws-lambda-enable-tracing": "trivy:AWS-0066",
    "aws-lambda-restrict-source-arn": "trivy:AWS-0067",
    "aws-sns-enable-topic-encryption": "trivy:AWS-0095",
    "aws-sqs-enable-queue-encryption": "trivy:AWS-0096",
    "aws-sqs-no-wildcards-in-policy-documents": "trivy:AWS-0097",
    "missing-timeout": "pylint:W3101",
}

_WORDS: Final = ("lambdalint", "noqa", "nosec", "nopw", "pylint", "nosem", "checkov", ":ignore:", "tflint", "kics")

#: Files in which ``//`` begins a comment.
_SLASHES: Final = (".tf", ".tofu", ".tfvars", ".ts", ".js")

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
    """The comments of one file: ours by line, and the ids of others by the line that they are about.

    *blocks* are about the block that begins on the line, *inside* about the one that the line is in.
    """

    own: dict[int, list[Ignore]] = field(default_factory=dict)
    lines: dict[int, set[str]] = field(default_factory=dict)
    blocks: dict[int, set[str]] = field(default_factory=dict)
    inside: dict[int, set[str]] = field(default_factory=dict)
    file: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Stated:
    """What metadata says: our ignores, and ids of others."""

    own: list[Ignore]
    foreign: set[str]


class Suppressions:
    """Decides which findings a project's authors have silenced.

    *functions* are those that findings name.  The patterns of *per_path* are git's, relative to the folder *base*.
    *read_text* gives a file's text, ``None`` when there is none; *foreign* says whether other tools' comments count.
    """

    def __init__(
        self,
        read_text: Callable[[str], str | None],
        templates: Iterable[Template],
        per_path: Mapping[str, tuple[str, ...]],
        base: str,
        foreign: bool,
        functions: Iterable[Function] = (),
    ) -> None:
        self._read_text = read_text
        self._foreign = foreign
        self._per_path = _path_patterns(per_path, base)
        self._comments: dict[str, _Comments] = {}
        self._templates: dict[str, _Stated] = {}
        self._resources: dict[str, list[tuple[Template, Resource, _Stated]]] = {}
        self._files: dict[str, set[str]] = {}
        self._declared = {(each.template, each.name): each.resource.name for each in functions}
        for template in templates:
            self._add(template)

    def _add(self, template: Template) -> None:
        """A template's resources may stand in several files, as Terraform's do."""
        self._templates[template.path] = _stated(template.metadata)
        files = self._files.setdefault(template.path, {template.path})
        for resource in template.resources.values():
            row = (template, resource, _stated(resource.metadata))
            for path in {template.path, resource.extent.path}:
                self._resources.setdefault(path, []).append(row)
            files.add(resource.extent.path)

    def silences(self, finding: Finding) -> bool:
        """Whether *finding* is silenced; what silences it counts as used."""
        if self.leaves_out(finding):
            return True
        keys = _keys(finding)
        silenced = isinstance(finding.at, Span) and self._in_comment(finding.at, keys, finding.covers)
        return self._in_metadata(finding, keys) or silenced

    def leaves_out(self, finding: Finding) -> bool:
        """Whether the configuration wants nothing of the kind of *finding* at its path."""
        keys = _keys(finding)
        return any(matches(finding.path) and keys.intersection(names) for matches, names in self._per_path)

    def unused(self, judged: Iterable[str], running: Callable[[str], bool | None]) -> Iterator[tuple[Span, str]]:
        """The ignores of ours that silence nothing, in the files *judged*: their places and what is so.

        *running* says of a name whether a rule of that name ran; ``None`` when nothing is called so.
        """
        paths = dict.fromkeys(file for path in judged for file in sorted(self._files.get(path, (path,))))
        for path in paths:
            listed = [ignore for line in self._in_file(path).own.values() for ignore in line]
            if path in self._templates:
                listed += self._templates[path].own
                listed += [
                    ignore
                    for template, _, stated in self._resources.get(path, ())
                    if template.path == path
                    for ignore in stated.own
                ]
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

    def _in_comment(self, at: Span, keys: set[str], covers: tuple[str, ...]) -> bool:
        comments = self._in_file(at.path)
        silenced = self._foreign and _is_covered(covers, comments.file)
        last = at.end_line if at.end_line - at.line < _MAX_LINES else at.line
        for line in range(at.line, last + 1):
            for ignore in comments.own.get(line, ()):
                silenced = _hits(ignore, keys) or silenced
            if self._foreign and _is_covered(covers, comments.lines.get(line, ())):
                silenced = True
        return silenced

    def _in_metadata(self, finding: Finding, keys: set[str]) -> bool:
        silenced = False
        covers = finding.covers
        declared = self._declared.get((finding.template or "", finding.function or ""), finding.function)
        for path in dict.fromkeys((finding.path, finding.template or "")):
            if (stated := self._templates.get(path)) and self._is_stated(stated, keys, covers):
                silenced = True
            for template, resource, stated in self._resources.get(path, ()):
                inside = isinstance(finding.at, Span) and resource.extent.holds(finding.at)
                about = declared == resource.name and finding.template == template.path
                if not (inside or about):
                    continue
                silenced = self._is_stated(stated, keys, covers) or silenced
                if self._foreign and _is_covered(covers, self._about(resource)):
                    silenced = True
        return silenced

    def _is_stated(self, stated: _Stated, keys: set[str], covers: tuple[str, ...]) -> bool:
        silenced = self._foreign and _is_covered(covers, stated.foreign)
        for ignore in stated.own:
            silenced = _hits(ignore, keys) or silenced
        return silenced

    def _about(self, resource: Resource) -> set[str]:
        """The ids that comments inside the resource, or above it, silence for all of it."""
        comments = self._in_file(resource.extent.path)
        first = resource.span.line if resource.span.path == resource.extent.path else resource.extent.line
        ids = set(comments.blocks.get(first, ()))
        for line, inside in comments.inside.items():
            if min(first, resource.extent.line) <= line <= resource.extent.end_line:
                ids |= inside
        return ids

    def _in_file(self, path: str) -> _Comments:
        if path not in self._comments:
            text = self._read_text(path)
            self._comments[path] = _read_comments(path, text) if text else _Comments()
        return self._comments[path]


def _keys(finding: Finding) -> set[str]:
    return {finding.code, finding.name, finding.code[:2]}


def _hits(ignore: Ignore, keys: set[str]) -> bool:
    found = keys.intersection(ignore.names) if ignore.names else {""}
    ignore.used |= found
    return bool(found)


def _is_covered(covers: Iterable[str], ids: Iterable[str]) -> bool:
    """Whether one of the *ids*, of which some stand for all of their tool, is among *covers*."""
    listed = set(ids)
    if not listed:
        return False
    for cover in covers:
        tool = cover.partition(":")[0]
        if cover in listed or f"{tool}:*" in listed:
            return True
        if "*" in cover and any(fnmatchcase(each, cover) for each in listed):
            return True
        if tool == "cfn-lint" and any(each.startswith("cfn-lint:") and cover.startswith(each) for each in listed):
            return True
    return False


def _read_comments(path: str, text: str) -> _Comments:
    found = _Comments()
    lower = text.lower()
    if not any(word in lower for word in _WORDS):
        return found
    lines = text.split("\n")
    for line, column, comment in _comments(path, text):
        for match in _OWN.finditer(comment):
            names = tuple(part.strip() for part in (match[1] or "").split(",") if part.strip())
            at = Span(path, line, column + match.start(), line, column + match.end())
            found.own.setdefault(line, []).append(Ignore(at, names))
        for foreign in _FOREIGN:
            for match in foreign.pattern.finditer(comment):
                _place(found, foreign, set(foreign.ids(match)), line, lines)
    return found


def _place(found: _Comments, foreign: _Foreign, ids: set[str], line: int, lines: list[str]) -> None:
    if foreign.where is _Where.FILE:
        found.file |= ids
        return
    if foreign.where is _Where.INSIDE:
        found.inside.setdefault(line, set()).update(ids)
        return
    if foreign.where is not _Where.LINE:
        line = _next_statement(line, lines)
    found.lines.setdefault(line, set()).update(ids)
    if foreign.where is _Where.BLOCK:
        found.blocks.setdefault(line, set()).update(ids)


def _next_statement(line: int, lines: list[str]) -> int:
    """*line* itself, or the next one that holds more than a comment."""
    while line <= len(lines) and (
        not lines[line - 1].strip() or lines[line - 1].lstrip().startswith(("#", "//", "/*"))
    ):
        line += 1
    return line


def _comments(path: str, text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of each comment.  In a template a mark counts wherever it may begin a comment."""
    if path.endswith(".py"):
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT:
                    yield token.start[0], token.start[1], token.string
        except (tokenize.TokenError, SyntaxError):
            return
    else:
        begins = re.compile(r"(?:^|\s)((?:#|//|/\*).*)" if path.endswith(_SLASHES) else r"(?:^|\s)(#.*)")
        for number, line in enumerate(text.split("\n"), 1):
            if match := begins.search(line):
                yield number, match.start(1), match[1]


def _stated(metadata: Properties) -> _Stated:
    own = [
        Ignore(item.span, (text,))
        for item in items_of(properties_of(metadata.get("lambdalint")).get("ignore"))
        if (text := text_of(item))
    ]
    return _Stated(own, set(_foreign_metadata(metadata)))


#: Where other tools look in metadata for a list of ids, or of mappings that have one.
_METADATA: Final = (
    ("cfn_nag", "rules_to_suppress", "cfn_nag"),
    ("cdk_nag", "rules_to_suppress", "cdk-nag"),
    ("checkov", "skip", "checkov"),
    ("guard", "SuppressedRules", "guard"),
)


def _foreign_metadata(metadata: Properties) -> Iterator[str]:
    config = properties_of(properties_of(metadata.get("cfn-lint")).get("config"))
    for item in items_of(config.get("ignore_checks")):
        if text := text_of(item):
            yield f"cfn-lint:{text}"
    for key, listed, tool in _METADATA:
        for item in items_of(properties_of(metadata.get(key)).get(listed)):
            if text := text_of(item) or text_of(properties_of(item).get("id")):
                yield f"{tool}:{text}"


def _path_patterns(
    per_path: Mapping[str, tuple[str, ...]],
    base: str,
) -> tuple[tuple[Callable[[str], bool], tuple[str, ...]], ...]:
    if not per_path:
        return ()
    prefix = f"{base}/" if base else ""

    def matcher(pattern: str) -> Callable[[str], bool]:
        spec = ignore_spec([pattern])
        return lambda path: path.startswith(prefix) and spec.match_file(path.removeprefix(prefix))

    return tuple((matcher(pattern), names) for pattern, names in per_path.items())
