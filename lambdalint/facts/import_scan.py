"""The imports that the text of a module holds, found without parsing it: for packages of a hundred megabytes."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

#: Letters, digits and what stands for letters beyond ASCII in UTF-8.
_WORD: Final = rb"[\w\x80-\xff]"
_GAP: Final = rb"(?:[ \t\f]|\\\n)"
# Not possessive: before 3.11.5, Python forgets a way to match in a group that is repeated so.
_GAPS: Final = rb"(?>" + _GAP + rb"*)"

#: What may stand before ``import`` in its statement.
_BEFORE = re.compile(
    _GAPS
    + rb"(?P<lazy>lazy"
    + _GAP
    + rb"+)?(?:from(?P<module>(?>(?:"
    + _GAP
    + rb"|[.])*)(?:"
    + _WORD
    + rb"++"
    + _GAPS
    + rb"[.]?"
    + _GAPS
    + rb")*))?"
)
_LISTED = re.compile(rb"(?>(?:[^\\\n;#]++|\\\n)*)")
_PARENTHESISED = re.compile(rb"[\s\\]*\(((?>(?:[^)#]++|#[^\n]*+)*))\)")
_COMMENT = re.compile(rb"#[^\n]*")
_CALL = re.compile(rb"""[ \t]*\(\s*(?:name\s*=\s*)?[rbuRBU]?(?:"([^"\n\\]*)"|'([^'\n\\]*)')([^)\n]*)""")
_ANCHOR = re.compile(rb"""\s*,\s*(?:package\s*=\s*)?(?:"([\w.]+)"|'([\w.]+)')""")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")

_HEADER = re.compile(
    rb"\n(?P<indent>[ \t\f]*)"
    rb"(?:(?:async[ \t]+)?def\b|(?P<typing>if[ \t]*\(?[ \t]*(?:\w+[.])?TYPE_CHECKING[ \t]*\)?[ \t]*:))"
)
_TYPING_HEAD = re.compile(rb"\s*if[ \t]*\(?[ \t]*(?:\w+[.])?TYPE_CHECKING[ \t]*\)?[ \t]*:")
_DEF_HEAD = re.compile(rb"\s*(?:async[ \t]+)?def\b")

#: Comments and strings; one that is not closed goes on to the end.
_OTHER_TEXT = re.compile(
    rb"#[^\n]*"
    rb'|"""[^"\\]*+(?>(?:(?:\\.|"(?!""))[^"\\]*+)*)(?:"""|\\?\Z)'
    rb"|'''[^'\\]*+(?>(?:(?:\\.|'(?!''))[^'\\]*+)*)(?:'''|\\?\Z)"
    rb'|"(?>(?:[^"\\\n]|\\.)*)"'
    rb"|'(?>(?:[^'\\\n]|\\.)*)'",
    re.DOTALL,
)
_EXPORTED = re.compile(rb"\n__all__\b[^=\n]*=[^\[(\n]*[\[(]([^\])]*)")
_QUOTED = re.compile(rb"""["']([\w]+)["']""")

_NATIVE_WORD = re.compile(rb"\0([A-Za-z0-9_][A-Za-z0-9_.]{1,120})(?=\0)")

#: A statement of imports does not start farther back than so many bytes, names no more, and is not one of so many.
_MAX_BACK: Final = 500
_MAX_NAMES_BYTES: Final = 30_000
_MAX_IMPORTS: Final = 20_000

_MAX_SOURCE_BYTES: Final = 16 * 1024 * 1024
_MAX_NATIVE_BYTES: Final = 300 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Imported:
    """One module that is imported, and the *names* taken from it, each of which may be a submodule; ``*`` for all.

    A relative *module* has a *level*; it is ``""`` in ``from . import a``.
    """

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """What a module imports: as it is loaded (*init*), only in functions (*deferred*), for type checkers (*typing*).

    What is in doubt counts as imported: an import in a string other than a docstring is *deferred*, since something may
    execute it.  *exported* are the names in ``__all__``.  *unclear* says that more is imported by names that are only
    known when the module runs.  *hints* are words that may name modules, all that a compiled module shows.
    *of_path* says that the text speaks of ``sys.path``, *of_plugins* of entry points.
    """

    init: tuple[Imported, ...] = ()
    deferred: tuple[Imported, ...] = ()
    typing: tuple[Imported, ...] = ()
    exported: tuple[str, ...] = ()
    unclear: bool = False
    hints: tuple[str, ...] = ()
    of_path: bool = False
    of_plugins: bool = False


@dataclass(slots=True)
class _Candidate:
    """An import and where its statement starts; *head* is what stands before it in its line."""

    start: int
    found: list[Imported]
    indent: int
    head: bytes
    lazy: bool = False


def is_scanned(path: str, size: int) -> bool:
    """Whether the file of a module shows its imports: bytecode does not, and too large a one is not read."""
    if path.endswith(".so"):
        return size <= _MAX_NATIVE_BYTES
    return not path.endswith(".pyc") and size <= _MAX_SOURCE_BYTES


def scanned(source: bytes) -> Scan:
    """The imports in *source*, which need not be valid Python."""
    of_path = b"sys.path" in source or b"site.add" in source
    of_plugins = b"entry_points" in source
    at = source.find(b"import")
    if at < 0:
        return Scan(exported=_exported(b"\n" + source), of_path=of_path, of_plugins=of_plugins)
    if b"\r" in source:
        source = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    # Now every line starts after a newline, the first one too.
    source = b"\n" + source.removeprefix(b"\xef\xbb\xbf")
    at = source.find(b"import")
    candidates: list[_Candidate] = []
    unclear = False
    tries = 0
    while at >= 0:
        tries += 1
        if tries > _MAX_IMPORTS:
            unclear = True
            break
        after = source[at + 6 : at + 7]
        if after in (b" ", b"\t", b"\\", b"(", b"*", b"\f"):
            if candidate := _statement(source, at):
                candidates.append(candidate)
        elif after == b"_" and source.startswith((b"import_module", b"import__"), at):
            call = _call(source, at)
            unclear = unclear or call is True
            if isinstance(call, _Candidate):
                candidates.append(call)
        at = source.find(b"import", at + 6)
    init, deferred, typing = _sorted(source, candidates)
    return Scan(
        tuple(init),
        tuple(deferred),
        tuple(typing),
        _exported(source),
        unclear,
        of_path=of_path,
        of_plugins=of_plugins,
    )


def scanned_native(content: bytes) -> Scan:
    """What a compiled module may import, by the words in it."""
    words = {match.decode() for match in _NATIVE_WORD.findall(content)}
    return Scan(hints=tuple(sorted(words)), unclear=True)


def _statement(source: bytes, at: int) -> _Candidate | None:
    line = source.rfind(b"\n", max(0, at - _MAX_BACK), at) + 1
    while line >= 2 and source[line - 2] == 0x5C and at - line < _MAX_BACK:
        line = source.rfind(b"\n", max(0, at - _MAX_BACK), line - 1) + 1
    before = source[max(line, at - _MAX_BACK) : at]
    cut = max(before.rfind(b";"), before.rfind(b":")) + 1
    match = _BEFORE.fullmatch(before, cut)
    if match is None:
        return None
    start, head = at - len(before) + cut, before[:cut]
    indent = len(before) - len(before.lstrip(b" \t\f"))
    lazy = match["lazy"] is not None
    if match["module"] is not None:
        module = _text(match["module"].translate(None, b" \t\f\n\\"))
        level = len(module) - len(module.lstrip("."))
        names = tuple(_names(_taken(source, at + 6)))
        if not names or not (module[level:] or level) or (module[level:] and not _DOTTED.fullmatch(module[level:])):
            return None
        return _Candidate(start, [Imported(module[level:], level, names)], indent, head, lazy)
    listed = _LISTED.match(source, at + 6, at + _MAX_NAMES_BYTES)
    found = [Imported(name) for name in _names(listed.group() if listed else b"")]
    return _Candidate(start, found, indent, head, lazy) if found else None


def _taken(source: bytes, at: int) -> bytes:
    """What follows ``from a import``, without comments."""
    if match := _PARENTHESISED.match(source, at, at + _MAX_NAMES_BYTES):
        return _COMMENT.sub(b"", match[1])
    listed = _LISTED.match(source, at, at + _MAX_NAMES_BYTES)
    return listed.group() if listed else b""


def _names(listed: bytes) -> list[str]:
    """The names in ``a.b as c, d``."""
    if b"\\" in listed:
        listed = listed.replace(b"\\\n", b" ")
    found = []
    for part in listed.split(b","):
        words = part.split()
        if not words:
            continue
        name = _text(words[0] if len(words) < 2 else b"".join(takewhile(lambda word: word != b"as", words)))
        if name == "*":
            found.append(name)
        elif match := _DOTTED.match(name):
            found.append(match.group())
    return found


def _text(dotted: bytes) -> str:
    """*dotted* in the form in which Python compares names."""
    text = dotted.decode("utf-8", "replace")
    if text.isascii():
        return text
    import unicodedata

    return unicodedata.normalize("NFKC", text)


def _call(source: bytes, at: int) -> "_Candidate | bool":
    """The import that a call of ``import_module`` or ``__import__`` is; true for one of an unknown module."""
    is_dunder = source.startswith(b"import__", at)
    name = at - 2 if is_dunder else at
    end = at + (8 if is_dunder else 13)
    if is_dunder and source[name:at] != b"__":
        return False
    if not source[end : end + 3].lstrip(b" \t").startswith(b"("):
        return False
    if source[max(0, at - 6) : name].endswith(b"def "):
        return False
    line = source.rfind(b"\n", max(0, at - _MAX_BACK), at) + 1
    before = source[max(line, at - _MAX_BACK) : name]
    match = _CALL.match(source, end, end + _MAX_BACK)
    if match is None:
        return True
    module = (match[1] if match[1] is not None else match[2] or b"").decode("utf-8", "replace")
    level = len(module) - len(module.lstrip("."))
    module = module[level:]
    rest = match[3]
    if module and not _DOTTED.fullmatch(module):
        return True
    if level and (anchor := _ANCHOR.match(rest)):
        package = (anchor[1] or anchor[2]).decode().split(".")
        package = package[: len(package) - level + 1]
        module, level = ".".join((*package, module)) if module else ".".join(package), 0
    found = [Imported(module, level)] if module or level else []
    if is_dunder and b"globals" in rest and module:
        found.append(Imported(module, 1))
    indent = len(before) - len(before.lstrip(b" \t\f"))
    return _Candidate(name, found, indent, before if before.strip() else b"")


def _sorted(source: bytes, candidates: list[_Candidate]) -> tuple[list[Imported], list[Imported], list[Imported]]:
    init: list[Imported] = []
    deferred: list[Imported] = []
    typing: list[Imported] = []
    last = candidates[-1].start if candidates else 0
    last_indented = max((each.start for each in candidates if each.indent or each.head), default=-1)
    first_string = min((at for quotes in (b'"""', b"'''") if (at := source.find(quotes, 0, last)) >= 0), default=last)
    other = _OtherText.of(source, last + 1) if last_indented >= 0 or first_string < last else _OtherText((), ())
    blocks = _Blocks(source, other, last_indented)
    for candidate in candidates:
        within = other.around(candidate.start)
        if within is not None:
            if source[within] != 0x23 and not _is_docstring(source, within):
                deferred += candidate.found
            continue
        in_typing, in_def = blocks.at(candidate.start, candidate.indent) if candidate.indent else (False, False)
        if not candidate.indent:
            blocks.at(candidate.start, 0)
        if in_typing or (candidate.head and _TYPING_HEAD.match(candidate.head)):
            typing += candidate.found
        elif in_def or candidate.lazy or (candidate.head and _DEF_HEAD.match(candidate.head)):
            deferred += candidate.found
        else:
            init += candidate.found
    return init, deferred, typing


@dataclass(frozen=True, slots=True)
class _OtherText:
    """Where comments and strings start and end."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, source: bytes, until: int) -> "_OtherText":
        spans = []
        at = 0
        while match := _OTHER_TEXT.search(source, at):
            start, at = match.span()
            if start >= until:
                break
            spans.append((start, at))
        return cls(tuple(start for start, _ in spans), tuple(end for _, end in spans))

    def around(self, at: int) -> int | None:
        """The start of the comment or string that *at* is in."""
        place = bisect_right(self.starts, at) - 1
        return self.starts[place] if place >= 0 and at < self.ends[place] and at > self.starts[place] else None

    def end(self, at: int) -> int | None:
        """The end of the comment or string that *at* is in."""
        place = bisect_right(self.starts, at) - 1
        return self.ends[place] if place >= 0 and self.starts[place] < at < self.ends[place] else None


class _Blocks:
    """The functions, and blocks for type checkers, around places that are asked for in their order."""

    def __init__(self, source: bytes, other: _OtherText, until: int) -> None:
        self.source = source
        self.other = other
        self.headers = _HEADER.finditer(source, 0, until) if until > 0 else iter(())
        self.next = next(self.headers, None)
        self.open: list[tuple[int, bool]] = []
        self.seen = 0

    def at(self, at: int, indent: int) -> tuple[bool, bool]:
        """Whether a block for type checkers, and a function, is around *at*, whose line has this *indent*."""
        while self.next is not None and self.next.start() < at:
            header = self.next
            self.next = next(self.headers, None)
            if self.other.around(header.end() - 1) is None:
                self._close(header.start() + 1, len(header["indent"]))
                self.open.append((len(header["indent"]), header["typing"] is not None))
                self.seen = header.end()
        if self.open:
            self._close(at, indent)
        return any(typing for _, typing in self.open), any(not typing for _, typing in self.open)

    def _close(self, until: int, indent: int) -> None:
        """Leave the blocks that end before *until*, where a line with this *indent* starts."""
        at = self.seen
        while self.open:
            end = self._dedented(at, until, self.open[-1][0])
            if end is None:
                break
            at = end
            self.open.pop()
        while self.open and self.open[-1][0] >= indent:
            self.open.pop()
        self.seen = max(self.seen, until)

    def _dedented(self, at: int, until: int, indent: int) -> int | None:
        """The first line after *at* that a block whose header has this *indent* does not hold."""
        pattern = _dedent(indent)
        while match := pattern.search(self.source, at, until):
            end = self.other.end(match.end())
            if end is None:
                return match.start()
            # The line on which a string ends does not start there.
            at = max(end, match.end())
        return None


_DEDENTS: dict[int, re.Pattern[bytes]] = {}


def _dedent(indent: int) -> re.Pattern[bytes]:
    """A line that starts at this *indent* or before it; a closing bracket belongs to what was opened before."""
    if indent not in _DEDENTS:
        _DEDENTS[indent] = re.compile(rb"\n\f?[ \t]{0,%d}(?=[^\s#)\]}])" % min(indent, 1_000))
    return _DEDENTS[indent]


def _is_docstring(source: bytes, start: int) -> bool:
    """Whether the string that starts at *start* documents a module, class or function."""
    before = source[max(0, start - 400) : start].rstrip(b"rRuUbB").rstrip()
    if source[start : start + 3] not in (b'"""', b"'''"):
        return False
    while (line := before.rpartition(b"\n")[2].lstrip()).startswith(b"#"):
        before = before[: len(before) - len(line)].rstrip()
    if not before:
        return start < 400
    return before.endswith(b":") and before[-2:-1] not in (b'"', b"'")


def _exported(source: bytes) -> tuple[str, ...]:
    if b"__all__" not in source:
        return ()
    return tuple(name.decode() for match in _EXPORTED.finditer(source) for name in _QUOTED.findall(match[1]))
