"""The Serverless Framework's variables: ``${self:custom.memory, 512}`` and what it stands for.

Values that only a deployment knows (``${ssm:…}``, ``${cf:…}``, code) stay unknown; ``${env:…}`` comes from the inputs.

Source: https://www.serverless.com/framework/docs/guides/variables
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from lambdalint.aws.serverless import framework_default
from lambdalint.errors import UnreadableInput
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.serverless_nodes import Told, is_hidden, known, unknown
from lambdalint.model.document import Mapping, Node, Plain, Scalar, Sequence
from lambdalint.model.places import Span
from lambdalint.model.values import Known
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree, joined
from lambdalint.readers.yaml import read_yaml

#: Variables that lead to variables; real services stay under 8.
MAX_HOPS: Final = 30
#: Levels of collections after all variables are replaced.
MAX_DEPTH: Final = 100
#: Nodes of one value after all variables are replaced.
MAX_NODES: Final = 500_000
#: Characters of a text with variables in it, before and after they are replaced.
MAX_TEXT: Final = 100_000
#: Characters of all such texts together.
MAX_WRITTEN: Final = 10_000_000
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
_MAX_NESTING: Final = 10

_CODE: Final = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_BRACE: Final = re.compile(r"[{}]")
#: What is inside a variable: a source's name, or another variable.  CloudFormation's own ``AWS::Region`` is none.
_VARIABLE: Final = re.compile(r"\s*(?:[A-Za-z][\w.-]*(?::(?!:)|\()|\$\{)")
_SOURCE: Final = re.compile(r"[A-Za-z][\w.-]*(?=[:(])")
#: Variables in whatever syntax a service has of its own.
_OWN_VARIABLE: Final = re.compile(r"\b(?:self|opt|sls|param|env|file|cf|ssm|s3|aws)[:(](?!:)")
_FILE: Final = re.compile(r"file\((?P<path>.*)\)(?::(?P<key>.*))?", re.DOTALL)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_WORDS: Final[dict[str, Plain]] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class _Target:
    """What a variable stands for; *parameter* names what was left to its default on the way."""

    node: Node
    parameter: str | None = None


class _Outside(Exception):
    """The value is decided outside the project."""


class Variables:
    """Replaces the variables of one service.

    Nothing is replaced before it is asked for, so that a variable may lead into the file that it stands in.
    """

    def __init__(self, document: Mapping, path: str, tree: Tree, inputs: Inputs, said: Said) -> None:
        self._document, self._path, self._tree, self._inputs, self._said = document, path, tree, inputs, said
        self._folder = path.rpartition("/")[0]
        self._files: dict[str, Node | None] = {}
        self._heads: dict[int, _Target] = {}
        self._whole: dict[tuple[int, str | None], tuple[Node, Node]] = {}
        self._weights: dict[int, int] = {}
        self._under_way: set[int] = set()
        self._hops = self._levels = self._written = 0
        self._warned: set[str] = set()
        self._own_syntax = _has_own_syntax(document)

    def resolved(self, *keys: str) -> Node | None:
        """The value at *keys* of the service with all its variables replaced; ``None`` when it is absent."""
        try:
            found = self._at(self._document, keys)
        except _Outside:
            return unknown(".".join(keys), self._document.span)
        return None if found is None else self._replaced(found.node, found.parameter)

    def stage(self, span: Span) -> Scalar:
        """The stage that is deployed, as far as it is known; *span* stands in where the file does not say."""
        if self._inputs.stage is not None:
            return known(self._inputs.stage, span)
        try:
            stated = self._at(self._document, ("provider", "stage"))
        except _Outside:
            return unknown("${sls:stage}", span)
        if stated is not None and isinstance(stated.node, Scalar):
            if is_hidden(stated.node):
                return unknown("${sls:stage}", span)
            if stated.node.value is not None:
                return known(stated.node.value, stated.node.span, parameter="stage")
        return known(framework_default("stage"), span, parameter="stage")

    def _replaced(self, node: Node, parameter: str | None) -> Node:
        head = self._head(node)
        node, parameter = head.node, head.parameter or parameter
        key = (id(node), parameter)
        if key in self._whole:
            return self._whole[key][1]
        if id(node) in self._under_way:
            return self._beyond("a variable leads back to itself", node.span)
        if self._levels >= MAX_DEPTH:
            return self._beyond(f"values nest more than {MAX_DEPTH} levels deep", node.span)
        self._levels += 1
        self._under_way.add(id(node))
        try:
            whole = self._rebuilt(node, parameter)
        finally:
            self._levels -= 1
            self._under_way.discard(id(node))
        if self._weight(whole) > MAX_NODES:
            whole = self._beyond(f"one value stands for more than {MAX_NODES:,} others", node.span)
        # What is remembered by a node's identity holds only as long as the node lives.
        self._whole[key] = node, whole
        return whole

    def _rebuilt(self, node: Node, parameter: str | None) -> Node:
        if isinstance(node, Scalar):
            return node if parameter is None or node.tag else _left_to(node, parameter)
        if isinstance(node, Sequence):
            items = tuple(self._replaced(item, parameter) for item in node.items)
            return self._weighed(Sequence(items, node.span, node.tag), items)
        parts = {name: self._replaced(item, parameter) for name, item in node.items.items()}
        return self._weighed(Mapping(parts, node.keys, node.span, node.tag), tuple(parts.values()))

    def _weighed(self, node: Node, parts: tuple[Node, ...]) -> Node:
        self._weights[id(node)] = 1 + sum(self._weight(part) for part in parts)
        return node

    def _weight(self, node: Node) -> int:
        return self._weights.get(id(node), 1)

    def _beyond(self, what: str, span: Span) -> Told:
        if what not in self._warned:
            self._warned.add(what)
            self._said.notes.append(f"{self._path}: {what}; what depends on it is taken for unknown")
        return unknown(what, span)

    def _head(self, node: Node) -> _Target:
        """What *node* stands for at its top; what lies below is not looked at."""
        if not isinstance(node, Scalar) or isinstance(node, Told) or not isinstance(node.value, str):
            return _Target(node)
        if "${" not in node.text and not self._own_syntax:
            return _Target(node)
        key = id(node)
        if key in self._heads:
            return self._heads[key]
        if key in self._under_way:
            self._beyond("a variable leads back to itself", node.span)
            raise _Outside(node.text)
        if self._hops >= MAX_HOPS:
            return _Target(self._beyond(f"variables lead to more than {MAX_HOPS} others", node.span))
        self._under_way.add(key)
        self._hops += 1
        try:
            head = self._spelled_out(node)
        except _Outside:
            head = _Target(_unknown_text(node))
        finally:
            self._hops -= 1
            self._under_way.discard(key)
        self._heads[key] = head
        return head

    def _spelled_out(self, node: Scalar) -> _Target:
        if self._own_syntax:
            return _Target(_unknown_text(node) if _OWN_VARIABLE.search(node.text) else node)
        if len(node.text) > MAX_TEXT:
            return _Target(self._beyond(f"a text with variables has more than {MAX_TEXT:,} characters", node.span))
        parts = list(_parts(node.text))
        if not any(variable for variable, _ in parts):
            text = "".join(part for _, part in parts)
            return _Target(node if text == node.text else replace(node, value=text, text=text))
        if len(parts) == 1 and not node.tag:
            return self._meaning(parts[0][1], node.span, 0)
        text, parameter = self._text(parts, node.span, 0)
        if node.tag:
            return _Target(replace(node, value=text, text=text))
        return _Target(Scalar(text, text, node.span), parameter)

    def _text(self, parts: list[tuple[bool, str]], span: Span, nesting: int) -> tuple[str, str | None]:
        """A text with its variables replaced, and what was left to its default on the way."""
        texts, parameter, length = [], None, 0
        for variable, part in parts:
            if variable:
                found = self._meaning(part, span, nesting)
                node = found.node
                if not isinstance(node, Scalar) or node.tag or is_hidden(node):
                    raise _Outside(part)
                parameter = parameter or found.parameter or _parameter(node)
                part = _as_text(node)
            texts.append(part)
            length += len(part)
            self._written += len(part)
            if length > MAX_TEXT or self._written > MAX_WRITTEN:
                self._beyond(f"a text with variables has more than {MAX_TEXT:,} characters", span)
                raise _Outside(part)
        return "".join(texts), parameter

    def _meaning(self, variable: str, span: Span, nesting: int) -> _Target:
        """What the inside of ``${…}`` stands for: the first of its sources that there is."""
        if nesting > _MAX_NESTING:
            raise _Outside(variable)
        sources = list(_sources(variable))
        missing = None
        for number, source in enumerate(sources):
            found = self._source(source, span, nesting)
            last = number == len(sources) - 1
            if found is not None and (last or not _is_null(found.node)):
                return replace(found, parameter=found.parameter or missing)
            kind, _, name = source.partition(":")
            if kind in ("opt", "param", "env") and missing is None:
                missing = name.strip()
        raise _Outside(variable)

    def _source(self, source: str, span: Span, nesting: int) -> _Target | None:
        """One source of a variable; ``None`` when it is not there."""
        if _QUOTED.fullmatch(source):
            return _Target(Scalar(source[1:-1], source[1:-1], span))
        if "${" in source:
            parts = list(_parts(source))
            if len(parts) == 1 and parts[0][0]:
                return self._nested(parts[0][1], span, nesting)
            source, parameter = self._text(parts, span, nesting + 1)
        else:
            parameter = None
        kind = _SOURCE.match(source)
        if kind is None:
            return _Target(_literal(source, span))
        reader = _SOURCES.get(kind[0])
        if reader is None:
            raise _Outside(source)
        found = reader(self, source[kind.end() :].removeprefix(":").strip(), span)
        return None if found is None else replace(found, parameter=found.parameter or parameter)

    def _nested(self, variable: str, span: Span, nesting: int) -> _Target | None:
        if nesting > _MAX_NESTING:
            raise _Outside(variable)
        found: _Target | None = None
        for source in _sources(variable):
            found = self._source(source, span, nesting + 1)
            if found is not None and not _is_null(found.node):
                return found
        return found

    def _self(self, address: str, span: Span) -> _Target | None:
        keys = tuple(address.split(".")) if address else ()
        found = self._at(self._document, keys)
        if found is None and keys == ("provider", "stage"):
            return self._stage("stage", span)
        if found is None and keys == ("provider", "region"):
            return _Target(known(framework_default("region"), span), "region")
        return found

    def _stage(self, address: str, span: Span) -> _Target | None:
        if address != "stage":
            raise _Outside(address)
        return _Target(self.stage(span))

    def _option(self, address: str, span: Span) -> _Target | None:
        if address == "stage" and self._inputs.stage is not None:
            return _Target(known(self._inputs.stage, span))
        return None

    def _environment(self, address: str, span: Span) -> _Target | None:
        value = self._inputs.environment.get(address)
        return None if value is None else _Target(known(value, span))

    def _param(self, address: str, span: Span) -> _Target | None:
        given = self._inputs.parameters.get(address)
        if given is not None:
            return _Target(known(given, span))
        stage = self.stage(span)
        stages = ("default",) if is_hidden(stage) else (_as_text(stage), "default")
        for name in stages:
            for keys in (("stages", name, "params"), ("params", name)):
                found = self._at(self._document, (*keys, address))
                if found is not None:
                    return replace(found, parameter=address)
        return None

    def _file(self, address: str, span: Span) -> _Target | None:
        match = _FILE.fullmatch(f"file{address}")
        if match is None:
            raise _Outside(address)
        name = match["path"].strip().strip("'\"")
        path = joined(self._folder, name)
        if path is None or name.startswith("~") or name.lower().endswith(_CODE):
            raise _Outside(address)
        document = self._read(path)
        if document is None:
            return None
        key = (match["key"] or "").strip()
        return self._at(document, tuple(key.split("."))) if key else self._head(document)

    def _read(self, path: str) -> Node | None:
        if path not in self._files:
            self._files[path] = self._document_at(path)
        return self._files[path]

    def _document_at(self, path: str) -> Node | None:
        if not self._tree.is_file(path):
            return None
        if self._tree.size(path) > MAX_FILE_BYTES:
            raise _Outside(path)
        try:
            text = decoded(self._tree.read(path), path)
            if path.lower().endswith((".json", ".tfstate")):
                return read_json(text, path)
            if path.lower().endswith((".yml", ".yaml")):
                return read_yaml(text, path)
        except UnreadableInput as failure:
            self._said.failures.append(failure)
            self._files[path] = unknown(f"${{file({path})}}", Span.whole(path))
            raise _Outside(path) from failure
        return Scalar(text, text, Span.whole(path))

    def _boolean(self, address: str, span: Span) -> _Target | None:
        value = {"true": True, "1": True, "false": False, "0": False}.get(address.strip("()'\" ").lower())
        if value is None:
            raise _Outside(address)
        return _Target(known(value, span))

    def _at(self, document: Node, keys: tuple[str, ...]) -> _Target | None:
        found = self._head(document)
        for key in keys:
            node = found.node
            below: Node | None = None
            if isinstance(node, Mapping):
                below = node.items.get(key)
            elif isinstance(node, Sequence) and key.isdecimal() and len(key) < 8:
                below = node.items[int(key)] if int(key) < len(node.items) else None
            elif is_hidden(node):
                raise _Outside(key)
            if below is None:
                return None
            head = self._head(below)
            found = _Target(head.node, head.parameter or found.parameter)
        return found


_SOURCES: Final[dict[str, Callable[[Variables, str, Span], _Target | None]]] = {
    "self": Variables._self,
    "opt": Variables._option,
    "sls": Variables._stage,
    "param": Variables._param,
    "env": Variables._environment,
    "file": Variables._file,
    "strToBool": Variables._boolean,
}


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """*text* cut into plain pieces and, marked as such, the insides of variables."""
    closing = _closing_braces(text)
    plain = end = 0
    pieces: list[str] = []
    while (start := text.find("${", end)) >= 0:
        close = closing.get(start + 1)
        if close is None or not _VARIABLE.match(text, start + 2, close):
            end = start + 2  # a variable may stand inside of CloudFormation's ${…}
        elif start and text[start - 1] == "\\":
            pieces.append(text[plain : start - 1])
            plain, end = start, close + 1
        else:
            pieces.append(text[plain:start])
            if before := "".join(pieces):
                yield False, before
            yield True, text[start + 2 : close]
            pieces, plain, end = [], close + 1, close + 1
    pieces.append(text[plain:])
    if rest := "".join(pieces):
        yield False, rest


def _closing_braces(text: str) -> dict[int, int]:
    """Where each brace is closed."""
    opened: list[int] = []
    closing: dict[int, int] = {}
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            opened.append(match.start())
        elif opened:
            closing[opened.pop()] = match.start()
    return closing


def _sources(variable: str) -> Iterator[str]:
    """The sources of a variable: what stands between its commas outside of quotes, braces and brackets."""
    depth = start = 0
    quote = ""
    for position, character in enumerate(variable):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "{(":
            depth += 1
        elif character in "})":
            depth -= 1
        elif character == "," and depth == 0:
            yield variable[start:position].strip()
            start = position + 1
    yield variable[start:].strip()


def _literal(text: str, span: Span) -> Scalar:
    if text in _WORDS:
        return Scalar(_WORDS[text], text, span)
    if match := _NUMBER.fullmatch(text):
        return Scalar(float(text) if match[1] else int(text[:400]), text, span)
    return Scalar(text, text, span)


def _has_own_syntax(document: Mapping) -> bool:
    provider = document.items.get("provider")
    return isinstance(provider, Mapping) and "variableSyntax" in provider.items


def _left_to(node: Scalar, parameter: str) -> Told:
    if isinstance(node, Told):
        if not isinstance(node.told, Known):
            return node
        return replace(node, told=replace(node.told, parameter=node.told.parameter or parameter))
    return Told(node.value, node.text, node.span, "", Known(node.value, node.span, parameter=parameter))


def _unknown_text(node: Scalar) -> Told:
    return unknown(node.text[:400], node.span)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None and not isinstance(node, Told)


def _parameter(node: Scalar) -> str | None:
    return node.told.parameter if isinstance(node, Told) and isinstance(node.told, Known) else None


def _as_text(node: Scalar) -> str:
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return node.text if isinstance(node.value, str) else str(node.value)
