"""Dockerfiles: instructions with their places, as BuildKit reads them.

Source: https://docs.docker.com/reference/dockerfile/
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.dockerfile import Dockerfile, Heredoc, Instruction, Stage, Word
from lambdalint.model.places import Span

#: BuildKit takes no line that is longer than 64 KiB; nobody writes a file of more than a few of those.
MAX_BYTES: Final = 512 * 1024
MAX_INSTRUCTIONS: Final = 4_000
#: What variables may grow a text to; they may name each other.
_MAX_EXPANDED: Final = 16 * 1024

_DIRECTIVE: Final = re.compile(r"#\s*([A-Za-z][\w-]*)\s*=\s*(.+?)\s*")
_WORD: Final = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\]|["'\\])+""", re.DOTALL)
_FLAG: Final = re.compile(r"--([A-Za-z][\w.-]*)(?:=(\S*))?(?=\s|$)")
_HEREDOC: Final = re.compile(r"""(?<!\S)\d*<<(-?)(["']?)([A-Za-z_][\w.]*)\2(?=\s|$|[;&|>)])""")
_JSON_STRING: Final = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
_VARIABLE: Final = re.compile(
    r"""(?P<escaped>\\\$|`\$)|\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?:(?P<how>:?[-+?])(?P<word>[^{}]*))?\})"""
)
_WITH_FLAGS: Final = ("ADD", "COPY", "FROM", "HEALTHCHECK", "RUN")
_WITH_HEREDOCS: Final = ("ADD", "COPY", "RUN")
_WITH_EXEC_FORM: Final = ("ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME")


def read_dockerfile(text: str, path: str) -> Dockerfile:
    """The instructions of a Dockerfile by their stages.

    Raises:
        UnreadableInput: it has no stage, a document in it has no end, or it is larger than anybody writes one.
    """
    if len(text) > MAX_BYTES:
        raise UnreadableInput(f"the Dockerfile is larger than {MAX_BYTES // 1024} KB", path=path)
    reader = _Reader(text.removeprefix("\ufeff"), path)
    arguments: dict[str, str | None] = {}
    stages: list[Stage] = []
    start: Instruction | None = None
    inside: list[Instruction] = []

    def close() -> None:
        if start is not None:
            stages.append(_stage(len(stages), start, tuple(inside), arguments))
            inside.clear()

    for count, instruction in enumerate(reader.instructions()):
        if count >= MAX_INSTRUCTIONS:
            raise UnreadableInput(f"the Dockerfile has more than {MAX_INSTRUCTIONS:,} instructions", path=path)
        if instruction.keyword == "FROM":
            close()
            start = instruction
        elif start is not None:
            inside.append(instruction)
        elif instruction.keyword == "ARG":
            arguments.update(assigned(instruction, arguments))
    close()
    if not stages:
        raise UnreadableInput("the Dockerfile has no FROM, so there is no image to build", path=path)
    return Dockerfile(path, tuple(stages), arguments, reader.escape)


def with_arguments(dockerfile: Dockerfile, given: Mapping[str, str]) -> Dockerfile:
    """*dockerfile* as built with the values *given* for its arguments."""
    arguments = {name: given.get(name, value) for name, value in dockerfile.arguments.items()}
    stages = tuple(_stage(each.number, each.start, each.instructions, arguments) for each in dockerfile.stages)
    return replace(dockerfile, arguments=arguments, stages=stages)


def assigned(instruction: Instruction, variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """The variables that an ``ARG`` or ``ENV`` sets, ``None`` for those without a value that can be told."""
    words = [word.text for word in instruction.words]
    if instruction.keyword == "ENV" and words and "=" not in words[0]:
        # The old form: one name, and all that follows is its value.
        return {words[0]: expanded(instruction.text.partition(words[0])[2].strip(), variables)}
    found: dict[str, str | None] = {}
    for word in words:
        name, equals, value = word.partition("=")
        found[name] = expanded(unquoted(value), variables) if equals else None
    return found


def expanded(text: str, variables: Mapping[str, str | None]) -> str | None:
    """*text* with its variables replaced; ``None`` when one of them has no value."""
    lost = False

    def value(match: re.Match[str]) -> str:
        nonlocal lost
        if match["escaped"]:
            return "$"
        name, how, word = match["name"] or match["braced"], match["how"] or "", match["word"] or ""
        known = variables.get(name)
        is_set = name in variables and (known is None or bool(known) or not how.startswith(":"))
        if how.endswith("-") and not is_set:
            return word
        if how.endswith("+"):
            return word if is_set else ""
        lost = lost or known is None
        return known or ""

    result = _VARIABLE.sub(value, text)
    return None if lost or len(result) > _MAX_EXPANDED else result


def unquoted(text: str) -> str:
    """*text* without the quotes around it, or around parts of it."""
    if "'" not in text and '"' not in text and "\\" not in text:
        return text
    parts = re.findall(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|([^'"]+|['"])""", text, re.DOTALL)
    return "".join(single or re.sub(r"\\(.)", r"\1", double) or plain for single, double, plain in parts)


def _stage(
    number: int, start: Instruction, instructions: tuple[Instruction, ...], arguments: Mapping[str, str | None]
) -> Stage:
    words = [word.text for word in start.words]
    name = words[2] if len(words) == 3 and words[1].upper() == "AS" else None
    base = expanded(unquoted(words[0]), arguments) if words else None
    platform = start.flags.get("platform")
    return Stage(number, name, base or None, platform, start, instructions)


@dataclass(frozen=True, slots=True)
class _Logical:
    """A line with its continuations: pieces of text, each with its line and column, and where each starts."""

    pieces: tuple[tuple[str, int, int], ...]
    path: str
    starts: tuple[int, ...]

    @property
    def text(self) -> str:
        return "".join(piece for piece, _, _ in self.pieces)

    def span(self, start: int, end: int) -> Span:
        """The place of the text from *start* to *end*, which is not empty."""
        line, column = self._place(start)
        end_line, end_column = self._place(end - 1)
        return Span(self.path, line, column, end_line, end_column + 1)

    def _place(self, offset: int) -> tuple[int, int]:
        number = bisect_right(self.starts, offset) - 1
        _, line, column = self.pieces[number]
        return line, column + offset - self.starts[number]


class _Reader:
    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.lines = text.replace("\r\n", "\n").split("\n")
        self.number = 0
        self.escape = self._directives().get("escape", "\\")
        if self.escape not in ("\\", "`"):
            self.escape = "\\"
        escape = re.escape(self.escape)
        self.continued = re.compile(rf"(?:^|(?<!{escape})){escape}[ \t]*$")

    def _directives(self) -> dict[str, str]:
        """The parser's directives: comments before anything else, each once."""
        found: dict[str, str] = {}
        for line in self.lines:
            match = _DIRECTIVE.fullmatch(line.strip())
            if match is None or match[1].lower() in found:
                break
            found[match[1].lower()] = match[2]
        return found

    def instructions(self) -> Iterator[Instruction]:
        while (logical := self._logical()) is not None:
            yield self._instruction(logical)

    def _logical(self) -> _Logical | None:
        """The next line that says something, with those that continue it."""
        while self.number < len(self.lines):
            pieces = tuple(self._pieces())
            if any(piece.strip() for piece, _, _ in pieces):
                return _Logical(pieces, self.path, tuple(accumulate((len(each[0]) for each in pieces), initial=0)))
        return None

    def _pieces(self) -> Iterator[tuple[str, int, int]]:
        while self.number < len(self.lines):
            line = self.lines[self.number]
            self.number += 1
            stripped = line.lstrip()
            if not stripped or stripped.startswith("#"):
                continue  # between the lines of an instruction, too
            match = self.continued.search(line)
            if match is None:
                yield line, self.number, 0
                return
            yield line[: match.start()], self.number, 0

    def _instruction(self, logical: _Logical) -> Instruction:
        text = logical.text
        match = re.match(r"\s*(\S+)\s*", text)
        assert match is not None
        keyword, at = match[1].upper(), match.end()
        flags: dict[str, str] = {}
        while keyword in _WITH_FLAGS and (flag := _FLAG.match(text, at)):
            flags[flag[1].lower()] = flag[2] or ""
            at = flag.end()
            at += len(text[at:]) - len(text[at:].lstrip())
        rest = text[at:]
        words = _exec_form(logical, at) if keyword in _WITH_EXEC_FORM else None
        heredocs = self._heredocs(rest) if keyword in _WITH_HEREDOCS and words is None else ()
        span = logical.span(match.start(1), len(text.rstrip()))
        if heredocs:
            last = heredocs[-1].span
            span = Span(span.path, span.line, span.column, last.end_line, last.end_column)
        return Instruction(
            keyword,
            rest.rstrip(),
            _plain_words(logical, at) if words is None else words,
            span,
            flags,
            words is not None,
            heredocs,
        )

    def _heredocs(self, text: str) -> tuple[Heredoc, ...]:
        return tuple(self._heredoc(match[3], match[1] == "-", not match[2]) for match in _HEREDOC.finditer(text))

    def _heredoc(self, name: str, chomps: bool, expands: bool) -> Heredoc:
        first = self.number
        lines: list[str] = []
        while self.number < len(self.lines):
            line = self.lines[self.number].lstrip("\t") if chomps else self.lines[self.number]
            self.number += 1
            if line == name:
                span = Span(self.path, first + 1, 0, self.number, len(self.lines[self.number - 1]))
                return Heredoc(name, "".join(f"{each}\n" for each in lines), expands, span)
            lines.append(line)
        raise UnreadableInput(f"the document {name} has no end", path=self.path, line=max(first, 1))


def _exec_form(logical: _Logical, at: int) -> tuple[Word, ...] | None:
    """The strings of a JSON list; ``None`` when the text from *at* on is none, so that a shell runs it."""
    text = logical.text
    rest = text[at:].strip()
    if not (rest.startswith("[") and rest.endswith("]")):
        return None
    try:
        found = json.loads(rest)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(each, str) for each in found):
        return None
    places = [(match.start(), match.end()) for match in _JSON_STRING.finditer(text, at)]
    return tuple(Word(each, logical.span(*place)) for each, place in zip(found, places, strict=False))


def _plain_words(logical: _Logical, at: int) -> tuple[Word, ...]:
    return tuple(Word(match[0], logical.span(*match.span())) for match in _WORD.finditer(logical.text, at))
