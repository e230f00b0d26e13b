"""Text that holds a structure: what Terraform encodes as JSON or YAML, and reads from it."""

import json
import re
from collections.abc import Iterator
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.inputs import Said
from lambdalint.join.terraform_values import HiddenError, TooMuchError, Work, WrongError, whole
from lambdalint.model.document import Mapping, Node, Sequence
from lambdalint.model.places import Span
from lambdalint.model.terraform import Encoded, EncodedText, FileText, Pieces
from lambdalint.model.values import Known, Property, Unknown
from lambdalint.readers.json import read_json
from lambdalint.readers.yaml import read_yaml

#: What stands for an unknown part while a text is read; these characters are nobody's.
_PART: Final = re.compile("\ue000(\\d+)\ue001")


def structure_of(value: Property | None) -> Property | None:
    """The structure that a text holds as JSON, with places as exact as they are known; ``None`` when it holds none.

    Made by ``jsonencode``, read from a file, or written as a heredoc, perhaps with references filled in.
    """
    try:
        return None if value is None else json_structure(value, Work(Said()))
    except (HiddenError, WrongError, TooMuchError):
        return None


def json_structure(value: Property, work: Work) -> Property:
    """What ``jsondecode`` gives.

    Raises:
        HiddenError: the text is not known.
        WrongError: it is no JSON.
    """
    if isinstance(value, Encoded) and value.structure is not None:
        return value.structure
    if isinstance(value, Known) and isinstance(value.value, EncodedText):
        return value.value.structure
    parts: tuple[Property, ...] = ()
    if isinstance(value, Pieces):
        parts = value.parts
        text = "".join(
            f"\ue000{number}\ue001" if isinstance(part, Unknown) else str(part.value)
            for number, part in enumerate(parts)
        )
    else:
        text = _text(value)
    try:
        document = read_json(text, _path(value))
    except UnreadableInput as failure:
        raise WrongError from failure
    return _read(document, _place(value), parts, work)


def yaml_structure(value: Property, work: Work) -> Property:
    """What ``yamldecode`` gives; raises as ``json_structure`` does."""
    text = _text(value)
    try:
        document = read_yaml(text, _path(value))
    except UnreadableInput as failure:
        raise WrongError from failure
    if document is None:
        raise WrongError
    return _read(document, _place(value), (), work)


def _text(value: Property) -> str:
    if isinstance(value, Unknown):
        raise HiddenError
    if not isinstance(value.value, str):
        raise WrongError
    return value.value


def _path(value: Property) -> str:
    return value.value.path if isinstance(value, Known) and isinstance(value.value, FileText) else value.span.path


def _place(value: Property) -> Span | None:
    """Where all parts of the text stand; ``None`` when they have places of their own."""
    return None if isinstance(value, Known) and isinstance(value.value, FileText) else value.span


def _read(node: Node, place: Span | None, parts: tuple[Property, ...], work: Work) -> Property:
    span = place or node.span
    work.spend(1)
    if isinstance(node, Sequence):
        return work.listed([_read(item, place, parts, work) for item in node.items], span)
    if isinstance(node, Mapping):
        return work.mapped({key: _read(item, place, parts, work) for key, item in node.items.items()}, span)
    if node.tag:
        return Unknown(f"{node.tag} {node.text}", span)
    if parts and isinstance(node.value, str) and "\ue000" in node.value:
        return _filled(node.value, span, parts)
    return Known(whole(node.value) if isinstance(node.value, float) else node.value, span)


def _filled(text: str, span: Span, parts: tuple[Property, ...]) -> Property:
    """*text* with the unknown parts put back."""
    pieces: list[Property] = []
    for number, piece in enumerate(_PART.split(text)):
        if number % 2:
            pieces.append(parts[int(piece)] if int(piece) < len(parts) else Unknown(text, span))
        elif piece:
            pieces.append(Known(piece, span))
    if len(pieces) == 1:
        return pieces[0]
    references = [part for part in pieces if isinstance(part, Unknown)]
    found = dict.fromkeys(
        reference for part in references for reference in (*((part.refers,) if part.refers else ()), *part.mentions)
    )
    return Pieces(_PART.sub("${…}", text), span, mentions=tuple(found), parts=tuple(pieces))


def as_json(value: Property, work: Work) -> str:
    """*value* as ``jsonencode`` writes it: compact, keys sorted, ``<``, ``>`` and ``&`` escaped.

    Raises:
        HiddenError: not all of it is known.
    """
    work.spend(work.weight(value))
    text = json.dumps(_plain(value), separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    work.measure(len(text))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def as_yaml(value: Property, work: Work) -> str:
    """*value* as ``yamlencode`` writes it; raises as ``as_json`` does."""
    work.spend(work.weight(value))
    text = "".join(f"{line}\n" for line in _yaml_lines(_plain(value)))
    work.measure(len(text))
    return text


def _yaml_lines(value: object) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            inner = value[key]
            lines = _yaml_lines(inner)
            if isinstance(inner, dict) and inner:
                yield f"{json.dumps(key, ensure_ascii=False)}:"
                yield from (f"  {line}" for line in lines)
            elif isinstance(inner, list) and inner:
                yield f"{json.dumps(key, ensure_ascii=False)}:"
                yield from lines
            else:
                yield f"{json.dumps(key, ensure_ascii=False)}: {next(lines)}"
    elif isinstance(value, list) and value:
        for item in value:
            for number, line in enumerate(_yaml_lines(item)):
                yield f"{'  ' if number else '- '}{line}"
    else:
        yield json.dumps(value, ensure_ascii=False)


def _plain(value: Property) -> object:
    if isinstance(value, Unknown):
        raise HiddenError
    found = value.value
    if isinstance(found, tuple):
        return [_plain(item) for item in found]
    if isinstance(found, dict):
        return {key: _plain(item) for key, item in found.items()}
    return found
