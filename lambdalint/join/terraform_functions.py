"""Terraform's functions: pure, and bounded in what they make.

What looks at a clock, at chance, at the machine or at a key is not known.  Hashes are not worked out either.

Source: https://developer.hashicorp.com/terraform/language/functions
"""

import base64
import binascii
import ipaddress
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote

from lambdalint.errors import UnreadableInput
from lambdalint.join.terraform_text import as_json, as_yaml, json_structure, yaml_structure
from lambdalint.join.terraform_values import (
    MAX_TEXT,
    HiddenError,
    Invalid,
    TooMuchError,
    Work,
    WrongError,
    chosen,
    integer_in,
    items_in,
    mapping_in,
    mentions,
    number_in,
    same,
    text_in,
    truth_in,
    whole,
)
from lambdalint.model.places import Span
from lambdalint.model.terraform import Encoded, EncodedText, FileText, Pieces
from lambdalint.model.values import Known, Property, Unknown
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree, joined

#: Terraform's own bound for ``range``.
_MAX_RANGE: Final = 1024
_MAX_PATTERN: Final = 200
#: Steps that a search may take at worst, as far as that can be told from the pattern.
_MAX_SEARCH: Final = 20_000_000
_MAX_FILES: Final = 2_000
_MAX_FILE_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: where it stands, and what it may look at; *folder* is the root module's, from which paths lead."""

    span: Span
    expression: str
    work: Work
    tree: Tree
    folder: str


Arguments: TypeAlias = Sequence[Property]
Function: TypeAlias = Callable[[Asked, Arguments], Property]


def called(name: str, asked: Asked, arguments: Arguments) -> Property:
    """The value of a call; ``Unknown`` where it rests on what is not known, or nobody knows the function."""
    function = FUNCTIONS.get(name.removeprefix("core::"))
    try:
        if function is not None:
            asked.work.spend(1)
            return function(asked, arguments)
    except (HiddenError, UnreadableInput):
        pass
    except TooMuchError as bound:
        asked.work.tell(bound.message, asked.span)
    except (WrongError, IndexError, OverflowError):
        # Too few arguments are refused as well.
        return Invalid(asked.expression, asked.span)
    return Unknown(asked.expression, asked.span, mentions=mentions(arguments))


# Text


def _text(make: Callable[..., str]) -> Function:
    """A function of texts."""

    def function(asked: Asked, arguments: Arguments) -> Property:
        texts = [text_in(argument) for argument in arguments]
        try:
            return asked.work.text(make(*texts), asked.span)
        except TypeError as error:
            raise WrongError from error

    return function


def _truth(make: Callable[..., bool]) -> Function:
    def function(asked: Asked, arguments: Arguments) -> Property:
        try:
            return Known(make(*(text_in(argument) for argument in arguments)), asked.span)
        except TypeError as error:
            raise WrongError from error

    return function


def _title(text: str) -> str:
    return re.sub(r"(^|\s)(\S)", lambda match: match[1] + match[2].upper(), text)


def _indent(asked: Asked, arguments: Arguments) -> Property:
    spaces, text = integer_in(arguments[0]), text_in(arguments[1])
    asked.work.measure(len(text) + max(0, spaces) * text.count("\n"))
    return asked.work.text(text.replace("\n", "\n" + " " * spaces), asked.span)


def _substr(asked: Asked, arguments: Arguments) -> Property:
    text, offset, length = text_in(arguments[0]), integer_in(arguments[1]), integer_in(arguments[2])
    start = max(0, offset + len(text)) if offset < 0 else offset
    return asked.work.text(text[start:] if length < 0 else text[start : start + length], asked.span)


def _replace(asked: Asked, arguments: Arguments) -> Property:
    text, old, new = (text_in(argument) for argument in arguments)
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        pattern = _pattern(old[1:-1], text, asked)
        asked.work.measure(len(text) + (len(text) + 1) * len(new))
        return asked.work.text(pattern.sub(lambda match: _expanded(new, match), text), asked.span)
    asked.work.measure(len(text) + (text.count(old) if old else len(text) + 1) * len(new))
    return asked.work.text(text.replace(old, new), asked.span)


def _expanded(template: str, match: re.Match[str]) -> str:
    """The replacement with ``$1`` and ``${name}`` filled in; what was not found is empty."""

    def group(name: re.Match[str]) -> str:
        wanted = name[1] or name[2]
        try:
            return match[int(wanted) if wanted.isdigit() else wanted] or ""
        except (IndexError, ValueError):
            return ""

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", group, template)


#: What RE2 does not have, and what can make a search take forever.
_NOT_RE2: Final = re.compile(r"\(\?[=!<#(]|\(\?P=|\\[1-9]|\)[*+{]|[*+?}][*+]")
_CLASS: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]", re.DOTALL)
_POSIX: Final = {
    "[:alpha:]": "a-zA-Z",
    "[:digit:]": "0-9",
    "[:alnum:]": "a-zA-Z0-9",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:space:]": r"\s",
    "[:word:]": r"\w",
    "[:xdigit:]": "0-9A-Fa-f",
}


def _pattern(pattern: str, text: str, asked: Asked) -> re.Pattern[str]:
    """*pattern* for a search in *text*.

    Python's engine tries all ways to match, so that only patterns which cannot have too many are taken.

    Raises:
        HiddenError: it might take too long.
    """
    bare = _CLASS.sub("c", pattern)
    if len(pattern) > _MAX_PATTERN or _NOT_RE2.search(bare):
        raise HiddenError
    repeats = len(re.findall(r"[*+{]", bare))
    forks = len(re.findall(r"(?<!\()\?|\|", bare))
    cost = 2.0 ** min(forks, 60) * float(len(text) + 1) ** (min(repeats, 20) + 1)
    if cost > _MAX_SEARCH:
        raise HiddenError
    asked.work.spend(int(cost) // 1000)
    for name, characters in _POSIX.items():
        pattern = pattern.replace(name, characters)
    try:
        return re.compile(pattern.replace(r"\z", r"\Z"), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise WrongError from error


def _captured(match: re.Match[str], asked: Asked) -> Property:
    named = match.re.groupindex
    if named:
        return asked.work.mapped({name: Known(match[name], asked.span) for name in named}, asked.span)
    if match.re.groups:
        return asked.work.listed([Known(group, asked.span) for group in match.groups()], asked.span)
    return Known(match[0], asked.span)


def _regex(asked: Asked, arguments: Arguments) -> Property:
    text = text_in(arguments[1])
    match = _pattern(text_in(arguments[0]), text, asked).search(text)
    if match is None:
        raise WrongError
    return _captured(match, asked)


def _regexall(asked: Asked, arguments: Arguments) -> Property:
    text = text_in(arguments[1])
    found = _pattern(text_in(arguments[0]), text, asked).finditer(text)
    return asked.work.listed([_captured(match, asked) for match in found], asked.span)


_VERB: Final = re.compile(r"%(?:\[(\d{1,3})\])?([-+# 0]*)(\d{0,5})(?:\.(\d{0,5}))?([a-zA-Z%])")


def _format(asked: Asked, arguments: Arguments) -> Property:
    """``format``; where an argument is not known, the pieces that are."""
    template = text_in(arguments[0])
    pieces: list[Property] = []
    end, at = 0, 1
    for match in _VERB.finditer(template):
        pieces.append(Known(template[end : match.start()], asked.span))
        end = match.end()
        if match[5] == "%":
            pieces.append(Known("%", asked.span))
            continue
        at = int(match[1]) if match[1] else at
        argument = arguments[at]
        at += 1
        if isinstance(argument, Unknown):
            if match[5] not in "sv" or match[2] or match[3]:
                raise HiddenError
            pieces.append(argument)
        else:
            pieces.append(Known(_spelled(argument, match, asked), asked.span))
    pieces.append(Known(template[end:], asked.span))
    return pieced(pieces, asked)


def pieced(pieces: list[Property], asked: Asked) -> Property:
    """One text out of *pieces*; the one unknown piece itself where there is nothing around it."""
    meaning = [piece for piece in pieces if not (isinstance(piece, Known) and piece.value == "")]
    if not any(isinstance(piece, Unknown) for piece in meaning):
        texts = [text_in(piece) for piece in meaning]
        asked.work.measure(sum(map(len, texts)))
        return Known("".join(texts), asked.span)
    if len(meaning) == 1:
        return meaning[0]
    if any(isinstance(piece, Invalid) for piece in meaning):
        raise WrongError
    return Pieces(asked.expression, asked.span, mentions=mentions(meaning), parts=tuple(meaning))


def _spelled(argument: Property, match: re.Match[str], asked: Asked) -> str:
    flags, width, precision, verb = match[2], int(match[3] or 0), match[4], match[5]
    asked.work.measure(width + int(precision or 0))
    if verb in "sv":
        value = argument.value if isinstance(argument, Known) else None
        text = as_json(argument, asked.work) if verb == "v" and not isinstance(value, str) else text_in(argument)
        text = text[: int(precision)] if precision else text
    elif verb == "q":
        text = as_json(Known(text_in(argument), asked.span), asked.work)
    elif verb == "t":
        text = "true" if truth_in(argument) else "false"
    elif verb in "dboxX":
        number = number_in(argument)
        text = format(int(number), f"{'+' if '+' in flags else ''}{verb}")
    elif verb in "eEfFgG":
        text = format(float(number_in(argument)), f"{'+' if '+' in flags else ''}.{precision or 6}{verb}")
    else:
        raise WrongError
    if "-" in flags:
        return text.ljust(width)
    return text.zfill(width) if "0" in flags and verb not in "svqt" else text.rjust(width)


def _formatlist(asked: Asked, arguments: Arguments) -> Property:
    lists = [
        argument.value
        for argument in arguments[1:]
        if isinstance(argument, Known) and isinstance(argument.value, tuple)
    ]
    if not lists:
        return asked.work.listed([_format(asked, arguments)], asked.span)
    length = len(lists[0])
    if any(len(each) != length for each in lists):
        raise WrongError
    rows = (
        [
            argument.value[row] if isinstance(argument, Known) and isinstance(argument.value, tuple) else argument
            for argument in arguments
        ]
        for row in range(length)
    )
    return asked.work.listed([_format(asked, row) for row in rows], asked.span)


def _join(asked: Asked, arguments: Arguments) -> Property:
    separator = text_in(arguments[0])
    items = [item for argument in arguments[1:] for item in items_in(argument)]
    asked.work.measure(len(separator) * len(items))
    pieces: list[Property] = []
    for item in items:
        if pieces and separator:
            pieces.append(Known(separator, asked.span))
        pieces.append(item)
    return pieced(pieces, asked)


def _split(asked: Asked, arguments: Arguments) -> Property:
    separator, text = text_in(arguments[0]), text_in(arguments[1])
    asked.work.spend(len(text) // 8)
    parts = text.split(separator) if separator else list(text)
    return asked.work.listed([Known(part, asked.span) for part in parts], asked.span)


# Collections


def _length(asked: Asked, arguments: Arguments) -> Property:
    value = arguments[0]
    if isinstance(value, Known) and isinstance(value.value, str | tuple | dict):
        return Known(len(value.value), asked.span)
    raise WrongError if isinstance(value, Known | Invalid) else HiddenError


def _element(asked: Asked, arguments: Arguments) -> Property:
    items, index = items_in(arguments[0]), integer_in(arguments[1])
    if not items:
        raise WrongError
    return items[index % len(items)]


def _lookup(asked: Asked, arguments: Arguments) -> Property:
    items = mapping_in(arguments[0])
    key = arguments[1]
    if isinstance(key, Unknown) and not isinstance(key, Invalid):
        # One of the values it is, or the default.
        return chosen([*items.values(), *arguments[2:]], asked.expression, asked.span)
    found = items.get(text_in(key))
    return found if found is not None else arguments[2]


def _merge(asked: Asked, arguments: Arguments) -> Property:
    merged: dict[str, Property] = {}
    for argument in arguments:
        if isinstance(argument, Known) and argument.value is None:
            continue
        merged.update(mapping_in(argument))
    asked.work.spend(len(merged))
    return asked.work.mapped(merged, asked.span)


def _concat(asked: Asked, arguments: Arguments) -> Property:
    return asked.work.listed([item for argument in arguments for item in items_in(argument)], asked.span)


def _flatten(asked: Asked, arguments: Arguments) -> Property:
    return asked.work.listed(_flat(items_in(arguments[0])), asked.span)


def _flat(items: tuple[Property, ...]) -> Iterator[Property]:
    for item in items:
        if isinstance(item, Known) and isinstance(item.value, tuple):
            yield from _flat(item.value)
        elif isinstance(item, Unknown) and not item.refers and not item.mentions:
            raise HiddenError  # it may be a list of any length
        else:
            yield item


def distinct(items: Sequence[Property], work: Work) -> list[Property]:
    """*items*, each once.

    Raises:
        HiddenError: some are not known, and may be the same.
    """
    found: dict[object, Property] = {}
    for item in items:
        work.spend(work.weight(item))
        if isinstance(item, Unknown):
            if item.refers is None:
                raise HiddenError
            key: object = item.refers
        elif isinstance(item.value, tuple | dict):
            key = as_json(item, work)
        else:
            key = (type(item.value) is bool, item.value)
        found.setdefault(key, item)
    return list(found.values())


def as_set(items: Sequence[Property], work: Work) -> list[Property]:
    """*items*, each once, in the order in which Terraform goes through a set of texts or numbers."""
    found = distinct(items, work)
    values = [item.value for item in found if isinstance(item, Known)]
    if len(values) == len(found) and values:
        if all(isinstance(value, str) for value in values):
            found.sort(key=text_in)
        elif all(isinstance(value, int | float) for value in values):
            found.sort(key=lambda item: number_in(item) if not isinstance(getattr(item, "value", 0), bool) else 0)
    return found


def _toset(asked: Asked, arguments: Arguments) -> Property:
    return asked.work.listed(as_set(items_in(arguments[0]), asked.work), asked.span)


def _distinct(asked: Asked, arguments: Arguments) -> Property:
    return asked.work.listed(distinct(items_in(arguments[0]), asked.work), asked.span)


def _compact(asked: Asked, arguments: Arguments) -> Property:
    return asked.work.listed(
        [item for item in items_in(arguments[0]) if not (isinstance(item, Known) and item.value in ("", None))],
        asked.span,
    )


def _keys(asked: Asked, arguments: Arguments) -> Property:
    return asked.work.listed([Known(key, asked.span) for key in sorted(mapping_in(arguments[0]))], asked.span)


def _values(asked: Asked, arguments: Arguments) -> Property:
    items = mapping_in(arguments[0])
    return asked.work.listed([items[key] for key in sorted(items)], asked.span)


def _zipmap(asked: Asked, arguments: Arguments) -> Property:
    keys, values = items_in(arguments[0]), items_in(arguments[1])
    if len(keys) != len(values):
        raise WrongError
    return asked.work.mapped({text_in(key): value for key, value in zip(keys, values, strict=True)}, asked.span)


def _contains(asked: Asked, arguments: Arguments) -> Property:
    unsure = False
    for item in items_in(arguments[0]):
        verdict = same(item, arguments[1])
        if verdict:
            return Known(True, asked.span)
        unsure = unsure or verdict is None
    if unsure:
        raise HiddenError
    return Known(False, asked.span)


def _coalesce(asked: Asked, arguments: Arguments) -> Property:
    for argument in arguments:
        if isinstance(argument, Invalid):
            raise WrongError
        if isinstance(argument, Unknown) or argument.value not in (None, ""):
            return argument
    raise WrongError


def _coalescelist(asked: Asked, arguments: Arguments) -> Property:
    for argument in arguments:
        if isinstance(argument, Known) and argument.value is None:
            continue
        if items_in(argument):
            return argument
    raise WrongError


def _same_value(asked: Asked, arguments: Arguments) -> Property:
    return arguments[0]


def _tolist(asked: Asked, arguments: Arguments) -> Property:
    items_in(arguments[0])
    return arguments[0]


def _tomap(asked: Asked, arguments: Arguments) -> Property:
    mapping_in(arguments[0])
    return arguments[0]


def _converted(convert: Callable[[Property], object]) -> Function:
    def function(asked: Asked, arguments: Arguments) -> Property:
        value = arguments[0]
        if isinstance(value, Unknown):
            # A conversion leaves a reference what it is.
            return value
        if value.value is None or type(value.value) is type(converted := convert(value)):
            return value
        return Known(converted, value.span, parameter=value.parameter)

    return function


def _range(asked: Asked, arguments: Arguments) -> Property:
    numbers = [number_in(argument) for argument in arguments]
    start, limit = (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    step = numbers[2] if len(numbers) > 2 else (1 if start <= limit else -1)
    if step == 0:
        raise WrongError
    count = max(0, math.ceil((limit - start) / step))
    if count > _MAX_RANGE:
        asked.work.tell(f"range() makes more than {_MAX_RANGE:,} numbers, which Terraform refuses", asked.span)
        raise WrongError
    return asked.work.listed([Known(whole(start + step * at), asked.span) for at in range(count)], asked.span)


def _one(asked: Asked, arguments: Arguments) -> Property:
    items = items_in(arguments[0])
    if len(items) > 1:
        raise WrongError
    return items[0] if items else Known(None, asked.span)


def _sum(asked: Asked, arguments: Arguments) -> Property:
    items = items_in(arguments[0])
    if not items:
        raise WrongError
    return asked.work.number(sum(number_in(item) for item in items), asked.span)


def _setunion(asked: Asked, arguments: Arguments) -> Property:
    items = [item for argument in arguments for item in items_in(argument)]
    return asked.work.listed(as_set(items, asked.work), asked.span)


def _of_sets(keeps: Callable[[bool], bool]) -> Function:
    """Items of the first set that are in all others, or in none of them."""

    def function(asked: Asked, arguments: Arguments) -> Property:
        kept = items_in(arguments[0])
        for other in arguments[1:]:
            items = items_in(other)
            asked.work.spend(len(items) * len(kept))
            kept = tuple(item for item in kept if keeps(_is_among(item, items)))
        return asked.work.listed(as_set(kept, asked.work), asked.span)

    return function


def _is_among(item: Property, items: tuple[Property, ...]) -> bool:
    verdicts = [same(item, other) for other in items]
    if True in verdicts:
        return True
    if None in verdicts:
        raise HiddenError
    return False


def _setproduct(asked: Asked, arguments: Arguments) -> Property:
    rows: list[tuple[Property, ...]] = [()]
    for argument in arguments:
        items = items_in(argument)
        asked.work.spend(len(rows) * len(items))
        if len(rows) * len(items) > 10_000:
            raise TooMuchError("setproduct() makes more than 10,000 values")
        rows = [(*row, item) for row in rows for item in items]
    return asked.work.listed([asked.work.listed(row, asked.span) for row in rows], asked.span)


def _slice(asked: Asked, arguments: Arguments) -> Property:
    items, start, end = items_in(arguments[0]), integer_in(arguments[1]), integer_in(arguments[2])
    if not 0 <= start <= end <= len(items):
        raise WrongError
    return asked.work.listed(items[start:end], asked.span)


def _sort(asked: Asked, arguments: Arguments) -> Property:
    items = items_in(arguments[0])
    return asked.work.listed(sorted(items, key=text_in), asked.span)


def _reverse(asked: Asked, arguments: Arguments) -> Property:
    return asked.work.listed(items_in(arguments[0])[::-1], asked.span)


def _index(asked: Asked, arguments: Arguments) -> Property:
    for number, item in enumerate(items_in(arguments[0])):
        verdict = same(item, arguments[1])
        if verdict is None:
            raise HiddenError
        if verdict:
            return Known(number, asked.span)
    raise WrongError


def _chunklist(asked: Asked, arguments: Arguments) -> Property:
    items, size = items_in(arguments[0]), integer_in(arguments[1])
    if size <= 0:
        return asked.work.listed([arguments[0]], asked.span)
    chunks = (items[at : at + size] for at in range(0, len(items), size))
    return asked.work.listed([asked.work.listed(chunk, asked.span) for chunk in chunks], asked.span)


def _matchkeys(asked: Asked, arguments: Arguments) -> Property:
    values, keys, wanted = (items_in(argument) for argument in arguments)
    if len(values) != len(keys):
        raise WrongError
    asked.work.spend(len(keys) * len(wanted))
    kept = [value for value, key in zip(values, keys, strict=True) if _is_among(key, wanted)]
    return asked.work.listed(kept, asked.span)


def _transpose(asked: Asked, arguments: Arguments) -> Property:
    turned: dict[str, list[Property]] = {}
    for key, values in mapping_in(arguments[0]).items():
        for value in items_in(values):
            asked.work.spend(1)
            turned.setdefault(text_in(value), []).append(Known(key, asked.span))
    return asked.work.mapped({key: asked.work.listed(turned[key], asked.span) for key in sorted(turned)}, asked.span)


def _all_true(asked: Asked, arguments: Arguments) -> Property:
    return Known(all(truth_in(item) for item in items_in(arguments[0])), asked.span)


def _any_true(asked: Asked, arguments: Arguments) -> Property:
    return Known(any(truth_in(item) for item in items_in(arguments[0])), asked.span)


# Numbers


def _extreme(choose: Callable[[Sequence[int | float]], int | float]) -> Function:
    def function(asked: Asked, arguments: Arguments) -> Property:
        if not arguments:
            raise WrongError
        return Known(choose([number_in(argument) for argument in arguments]), asked.span)

    return function


def _numeric(make: Callable[..., int | float]) -> Function:
    def function(asked: Asked, arguments: Arguments) -> Property:
        try:
            return asked.work.number(make(*(number_in(argument) for argument in arguments)), asked.span)
        except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
            raise WrongError from error

    return function


def _pow(base: int | float, exponent: int | float) -> int | float:
    if abs(base) > 1 and abs(exponent) * math.log2(abs(base)) > 512:
        raise OverflowError
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        times = exponent if abs(base) > 1 else min(exponent, 2 - exponent % 2)
        return math.prod([base] * times)
    return math.pow(base, exponent)


def _log(number: int | float, base: int | float) -> float:
    return math.log(number, base)


def _parseint(asked: Asked, arguments: Arguments) -> Property:
    text, base = text_in(arguments[0]), integer_in(arguments[1])
    if len(text) > 512 or not 2 <= base <= 36:
        raise WrongError
    try:
        return asked.work.number(int(text, base), asked.span)
    except ValueError as error:
        raise WrongError from error


# Files


def _path(asked: Asked, value: Property) -> str:
    """The path in the tree that *value* names.

    Raises:
        HiddenError: it leads out of the tree.
    """
    path = joined(asked.folder, text_in(value))
    if path is None:
        raise HiddenError
    return path


def file_text(asked: Asked, value: Property) -> FileText:
    """The text of the file that *value* names.

    Raises:
        WrongError: there is none.
        HiddenError: it is elsewhere.
    """
    path = _path(asked, value)
    if not asked.tree.is_file(path):
        raise WrongError
    if asked.tree.size(path) > _MAX_FILE_BYTES:
        raise HiddenError
    data = asked.tree.read(path)
    asked.work.measure(len(data))
    return FileText(decoded(data, path), path)


def _file(asked: Asked, arguments: Arguments) -> Property:
    return Known(file_text(asked, arguments[0]), asked.span)


def _fileexists(asked: Asked, arguments: Arguments) -> Property:
    return Known(asked.tree.is_file(_path(asked, arguments[0])), asked.span)


def _fileset(asked: Asked, arguments: Arguments) -> Property:
    folder = _path(asked, arguments[0])
    matches = re.compile(_glob(text_in(arguments[1])), re.DOTALL).fullmatch
    found: list[Property] = []
    todo = [(folder, "")]
    looked = 0
    while todo:
        place, prefix = todo.pop()
        for name in asked.tree.names(place):
            looked += 1
            asked.work.spend(1)
            path, relative = f"{place}/{name}" if place else name, f"{prefix}{name}"
            if asked.tree.is_folder(path):
                if not asked.tree.is_link(path):
                    todo.append((path, f"{relative}/"))
            elif len(relative) < 1000 and matches(relative):
                found.append(Known(relative, asked.span))
        if looked > 10 * _MAX_FILES or len(found) > _MAX_FILES:
            raise TooMuchError(f"fileset() looks at more than {_MAX_FILES:,} files")
    return asked.work.listed(sorted(found, key=text_in), asked.span)


def _glob(pattern: str) -> str:
    """A glob as a regular expression; only one ``**`` and few ``*`` are taken, which cannot make it slow.

    Raises:
        HiddenError: it has more.
    """
    if len(pattern) > _MAX_PATTERN or pattern.count("*") > 6 or "[" in pattern or "\\" in pattern:
        raise HiddenError
    made, depth = "", 0
    for part in re.findall(r"\*\*/|\*\*|[^*]|\*", pattern):
        if part == "**/":
            made += "(?:[^/]+/)*"
        elif part in ("**", "*"):
            made += "[^/]*"
        elif part == "?":
            made += "[^/]"
        elif part == "{":
            made, depth = made + "(?:", depth + 1
        elif part == "}" and depth:
            made, depth = made + ")", depth - 1
        elif part == "," and depth:
            made += "|"
        else:
            made += re.escape(part)
    if depth:
        raise WrongError
    return made


def _filebase64(asked: Asked, arguments: Arguments) -> Property:
    path = _path(asked, arguments[0])
    if not asked.tree.is_file(path):
        raise WrongError
    raise HiddenError


def _basename(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2] or ("/" if path.startswith("/") else ".")


def _dirname(path: str) -> str:
    head, slash, _ = path.rpartition("/")
    parts = [part for part in head.split("/") if part not in ("", ".")]
    start = "/" if slash and path.startswith("/") else ""
    return start + "/".join(parts) or "."


# Encodings


def _jsonencode(asked: Asked, arguments: Arguments) -> Property:
    value = arguments[0]
    if isinstance(value, Invalid):
        raise WrongError
    try:
        return Known(EncodedText(as_json(value, asked.work), value), asked.span)
    except HiddenError:
        return Encoded(asked.expression, asked.span, mentions=mentions([value]), structure=value)


def _jsondecode(asked: Asked, arguments: Arguments) -> Property:
    return json_structure(arguments[0], asked.work)


def _yamlencode(asked: Asked, arguments: Arguments) -> Property:
    return asked.work.text(as_yaml(arguments[0], asked.work), asked.span)


def _yamldecode(asked: Asked, arguments: Arguments) -> Property:
    return yaml_structure(arguments[0], asked.work)


def _base64encode(asked: Asked, arguments: Arguments) -> Property:
    text = text_in(arguments[0])
    asked.work.measure(2 * len(text))
    return Known(base64.b64encode(text.encode(errors="replace")).decode(), asked.span)


def _base64decode(asked: Asked, arguments: Arguments) -> Property:
    try:
        return asked.work.text(base64.b64decode(text_in(arguments[0]), validate=True).decode(), asked.span)
    except (binascii.Error, ValueError) as error:
        raise WrongError from error


def _urlencode(text: str) -> str:
    if len(text) > MAX_TEXT // 9:
        raise HiddenError
    return quote(text, safe="-_.~").replace("%20", "+")


def _network(value: Property) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text_in(value), strict=False)
    except ValueError as error:
        raise WrongError from error


def _cidrsubnet(asked: Asked, arguments: Arguments) -> Property:
    base, bits, number = _network(arguments[0]), integer_in(arguments[1]), integer_in(arguments[2])
    return Known(_subnet(base, bits, number), asked.span)


def _subnet(base: ipaddress.IPv4Network | ipaddress.IPv6Network, bits: int, number: int) -> str:
    length = base.prefixlen + bits
    if bits < 0 or length > base.max_prefixlen or not 0 <= number < 2**bits:
        raise WrongError
    address = int(base.network_address) + (number << (base.max_prefixlen - length))
    return f"{type(base.network_address)(address)}/{length}"


def _cidrsubnets(asked: Asked, arguments: Arguments) -> Property:
    base = _network(arguments[0])
    made: list[Property] = []
    address = int(base.network_address)
    for argument in arguments[1:]:
        length = base.prefixlen + integer_in(argument)
        if not base.prefixlen < length <= base.max_prefixlen:
            raise WrongError
        size = 1 << (base.max_prefixlen - length)
        address = -(-address // size) * size
        if address + size > int(base.broadcast_address) + 1:
            raise WrongError
        made.append(Known(f"{type(base.network_address)(address)}/{length}", asked.span))
        address += size
    return asked.work.listed(made, asked.span)


def _cidrhost(asked: Asked, arguments: Arguments) -> Property:
    base, number = _network(arguments[0]), integer_in(arguments[1])
    if not -base.num_addresses <= number < base.num_addresses:
        raise WrongError
    host = int(base.network_address) + (number if number >= 0 else base.num_addresses + number)
    return Known(str(type(base.network_address)(host)), asked.span)


def _cidrnetmask(asked: Asked, arguments: Arguments) -> Property:
    return Known(str(_network(arguments[0]).netmask), asked.span)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "abs": _numeric(abs),
    "abspath": _same_value,
    "alltrue": _all_true,
    "anytrue": _any_true,
    "base64decode": _base64decode,
    "base64encode": _base64encode,
    "basename": _text(_basename),
    "ceil": _numeric(math.ceil),
    "chomp": _text(lambda text: text.rstrip("\r\n")),
    "chunklist": _chunklist,
    "cidrhost": _cidrhost,
    "cidrnetmask": _cidrnetmask,
    "cidrsubnet": _cidrsubnet,
    "cidrsubnets": _cidrsubnets,
    "coalesce": _coalesce,
    "coalescelist": _coalescelist,
    "compact": _compact,
    "concat": _concat,
    "contains": _contains,
    "dirname": _text(_dirname),
    "distinct": _distinct,
    "element": _element,
    "endswith": _truth(lambda text, end: text.endswith(end)),
    "file": _file,
    "filebase64": _filebase64,
    "fileexists": _fileexists,
    "fileset": _fileset,
    "flatten": _flatten,
    "floor": _numeric(math.floor),
    "format": _format,
    "formatlist": _formatlist,
    "indent": _indent,
    "index": _index,
    "join": _join,
    "jsondecode": _jsondecode,
    "jsonencode": _jsonencode,
    "keys": _keys,
    "length": _length,
    "log": _numeric(_log),
    "lookup": _lookup,
    "lower": _text(str.lower),
    "matchkeys": _matchkeys,
    "max": _extreme(max),
    "merge": _merge,
    "min": _extreme(min),
    "nonsensitive": _same_value,
    "one": _one,
    "parseint": _parseint,
    "pathexpand": _text(lambda path: _not_home(path)),
    "pow": _numeric(_pow),
    "range": _range,
    "regex": _regex,
    "regexall": _regexall,
    "replace": _replace,
    "reverse": _reverse,
    "sensitive": _same_value,
    "setintersection": _of_sets(lambda is_among: is_among),
    "setproduct": _setproduct,
    "setsubtract": _of_sets(lambda is_among: not is_among),
    "setunion": _setunion,
    "signum": _numeric(lambda number: (number > 0) - (number < 0)),
    "slice": _slice,
    "sort": _sort,
    "split": _split,
    "startswith": _truth(lambda text, start: text.startswith(start)),
    "strcontains": _truth(lambda text, part: part in text),
    "strrev": _text(lambda text: text[::-1]),
    "substr": _substr,
    "sum": _sum,
    "title": _text(_title),
    "tobool": _converted(truth_in),
    "tolist": _tolist,
    "tomap": _tomap,
    "tonumber": _converted(number_in),
    "toset": _toset,
    "tostring": _converted(text_in),
    "transpose": _transpose,
    "trim": _text(lambda text, characters: text.strip(characters) if characters else text),
    "trimprefix": _text(str.removeprefix),
    "trimspace": _text(str.strip),
    "trimsuffix": _text(str.removesuffix),
    "upper": _text(str.upper),
    "urlencode": _text(_urlencode),
    "values": _values,
    "yamldecode": _yamldecode,
    "yamlencode": _yamlencode,
    "zipmap": _zipmap,
}


def _not_home(path: str) -> str:
    if path.startswith("~"):
        raise HiddenError
    return path
