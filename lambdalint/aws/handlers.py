"""What tells a handler in code that no template names."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from lambdalint.aws.tables import table

_TABLE: Final = "handlers"


def stands_over_handlers(decorator: str) -> bool:
    """Whether the decorator of that qualified name is put over handlers, and over nothing else."""
    return _last(decorator) in _told() or _is_of_library(decorator, "decorators")


def is_called_in_handlers(name: str) -> bool:
    """Whether the callable of that qualified name is called by handlers, with the event."""
    return _is_of_library(name, "calls")


def makes_handler(name: str) -> bool:
    """Whether what the callable of that qualified name gives back is a handler."""
    return _is_of_library(name, "makers")


def is_for_lambda(name: str) -> bool:
    """Whether the use of that qualified name says that a module runs on Lambda."""
    return any(name.startswith(each) for row in _rows("presence") for each in row["names"])


def is_called_like_a_handler(name: str) -> bool:
    """Whether people give that name to handlers."""
    row, lower = table(_TABLE)["signature"], name.lower()
    return lower in row["names"] or any(word in lower for word in row["words"])


def takes_event_and_context(parameters: tuple[str, ...]) -> bool:
    """Whether *parameters* are the two of a handler, by their names."""
    row = table(_TABLE)["signature"]
    plain = [each.lstrip("_").lower() for each in parameters]
    return len(plain) == 2 and plain[0] in row["first"] and (plain[1] in row["second"] or not plain[1])


def is_of_aws(module: str) -> bool:
    """Whether code that imports *module* talks to AWS, so that a handler in it is probably Lambda's."""
    return module.partition(".")[0] in table(_TABLE)["signature"]["beside"]


@cache
def event_marks() -> re.Pattern[bytes]:
    """Keys as they stand in the text of code that reads events of AWS."""
    keys = "|".join(map(re.escape, table(_TABLE)["signature"]["keys"]))
    return re.compile(rf"""["'](?:{keys})["']""".encode())


def is_foreign_name(name: str) -> bool:
    """Whether functions of that name are called by something else."""
    return name in _foreign("names")


def is_foreign_module(module: str) -> bool:
    """Whether code that imports *module* is run by something else."""
    return any(module == each or module.startswith(f"{each}.") for each in _foreign("modules"))


def is_foreign_decorator(decorator: str) -> bool:
    """Whether the decorator of that qualified name makes something else of a function."""
    return _last(decorator) in _foreign("decorators")


def may_hold_handler(data: bytes) -> bool:
    """Whether the text of a module has what every module with a handler has; most others lack it."""
    signature, library, words = _marks()
    return signature.search(data) is not None or (
        any(word in data for word in words) and library.search(data) is not None
    )


@cache
def _marks() -> tuple[re.Pattern[bytes], re.Pattern[bytes], tuple[bytes, ...]]:
    """A pattern of signatures, one of libraries, and words of which the latter has one: they are found much faster."""
    row = table(_TABLE)["signature"]
    first, second = _one_of(row["first"]), _one_of(row["second"])
    signature = rf"def[ \t]+\w+[ \t]*\(\s*_*{first}\b[^)]{{0,300}}?,\s*(?:_+|_*{second})\b"
    modules = [name for library in _rows("library") for name in library["modules"]]
    modules += [name for presence in _rows("presence") for name in presence["names"]]
    roots = _one_of(sorted({name.partition(".")[0] for name in modules}))
    library = rf"^[ \t]*(?:from|import)[ \t]+{roots}\b|^@[\w.]*{_one_of(sorted(_told()))}\b"
    words = tuple(word.encode() for word in table(_TABLE)["marks"]["words"])
    return re.compile(signature.encode()), re.compile(library.encode(), re.MULTILINE), words


def _one_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, names))})"


def _is_of_library(name: str, role: str) -> bool:
    return any(
        _last(name) in row[role] and any(name.startswith(f"{module}.") for module in row["modules"])
        for row in _rows("library")
    )


def _last(name: str) -> str:
    return name.removesuffix("()").rpartition(".")[2]


def _rows(kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table(_TABLE)[kind]
    return rows


@cache
def _told() -> frozenset[str]:
    return frozenset(name for row in _rows("library") for name in row["told"])


@cache
def _foreign(kind: str) -> frozenset[str]:
    return frozenset(name for row in _rows("foreign") for name in row.get(kind, ()))
