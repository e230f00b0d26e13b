"""The values that a template's parameters get: by their types, and by the ``samconfig`` beside the template.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node, Scalar
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree
from lambdalint.readers.yaml import read_yaml

_LIST_TYPES: Final = ("CommaDelimitedList", "List<")
_CONFIGS: Final = ("samconfig.toml", "samconfig.yaml", "samconfig.yml")
_MAX_CONFIG_BYTES: Final = 1_000_000
#: What ``sam deploy`` looks at, the strongest last.
_COMMANDS: Final = ("global", "deploy")
_CLASSIC: Final = re.compile(r"ParameterKey=(?P<key>[^,\s]+),ParameterValue=(?P<value>\"(?:\\.|[^\"\\])*\"|\S*)")


def typed(value: Property, kind: str) -> Property:
    """A parameter's *value* as its type *kind* makes it: a number, a text, or a list of texts."""
    if not isinstance(value, Known) or value.value is None:
        return value
    content: Any = value.value
    if kind.startswith(_LIST_TYPES):
        if isinstance(content, tuple):
            return value
        parts = [part.strip() for part in _spelled(content).split(",") if part.strip()]
        content = tuple(Known(part, value.span, value.stated, value.parameter) for part in parts)
    elif kind == "Number" and isinstance(content, str):
        content = _number(content)
    elif kind == "String" and not isinstance(content, tuple | Mapping):
        content = _spelled(content)
    return Known(content, value.span, value.stated, value.parameter)


def _spelled(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _number(text: str) -> int | float | str:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def configured_parameters(tree: Tree, template: str) -> Mapping[str, Known[str]]:
    """What the ``samconfig`` beside *template* gives its parameters on a deployment of the environment ``default``.

    Another environment, or the command line, may give others: a value names its parameter, as a default does.

    Raises:
        UnreadableInput: the file is no TOML or YAML.
    """
    folder, _, name = template.rpartition("/")
    for config in _CONFIGS:
        path = f"{folder}/{config}" if folder else config
        if not tree.is_file(path) or tree.size(path) > _MAX_CONFIG_BYTES:
            continue
        text = decoded(tree.read(path), path)
        found: dict[str, Known[str]] = {}
        for settings in _deployment(_tables(text, path)):
            other = settings.get("template_file", settings.get("template"))
            if isinstance(other, str) and other.rpartition("/")[2] != name:
                return {}
            for parameter, value in _overrides(settings.get("parameter_overrides")):
                found[parameter] = Known(value, _place(text, parameter, path), parameter=parameter)
        return found
    return {}


def _tables(text: str, path: str) -> object:
    if not path.endswith(".toml"):
        return _plain(read_yaml(text, path))
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise UnreadableInput(f"this is no TOML: {error}", path=path) from error


def _deployment(tables: object) -> Iterator[Mapping[str, Any]]:
    """The parameters of ``sam deploy``, the weaker first."""
    for command in _COMMANDS:
        found = tables
        for key in ("default", command, "parameters"):
            found = found.get(key) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping):
            yield found


def _overrides(written: object) -> Iterator[tuple[str, str]]:
    """Parameters and values in any spelling that SAM takes: one text, a list of texts, or a table."""
    match written:
        case Mapping():
            for name, value in written.items():
                yield str(name), ",".join(map(_spelled, value)) if isinstance(value, list) else _spelled(value)
        case list():
            for each in written:
                yield from _overrides(each)
        case str() if "ParameterKey=" in written:
            for match in _CLASSIC.finditer(written):
                yield match["key"], _unquoted(match["value"])
        case str():
            try:
                words = shlex.split(written)
            except ValueError:
                words = written.split()
            for word in words:
                name, equals, value = word.partition("=")
                if equals:
                    yield name, value


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text.startswith('"') and text.endswith('"')
    return text[1:-1].replace('\\"', '"') if quoted else text


def _place(text: str, parameter: str, path: str) -> Span:
    """Where *parameter* is set, after the first mention of overrides; TOML is read without places."""
    after = max(text.find("parameter_overrides"), 0)
    found = re.compile(rf"(?<![\w.:-]){re.escape(parameter)}(?![\w.-])").search(text, after)
    start, end = found.span() if found else (after, after)
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1)
    return Span(path, line, column, line, column + end - start)


def _plain(node: Node | None) -> object:
    if isinstance(node, Scalar):
        return node.value if isinstance(node.value, bool) or node.value is None else node.text
    if isinstance(node, Document):
        return {key: _plain(item) for key, item in node.items.items()}
    return None if node is None else [_plain(item) for item in node.items]
