"""What the content of a file shows, worked out once for each content where that is kept."""

from collections.abc import Callable
from typing import TypeVar

from lambdalint.model.artifact import Entry

T = TypeVar("T")


def shown(entry: Entry, question: Callable[[Entry], T]) -> T:
    """The answer of *question*, a function of a module, which goes by nothing but the content and path of *entry*."""
    if entry.shown is None:
        return question(entry)
    name = name_of(question)
    if name not in entry.shown:
        entry.shown[name] = question(entry)
    answer: T = entry.shown[name]
    return answer


def name_of(question: Callable[[Entry], object]) -> str:
    """What the answer of *question* is kept under in ``Entry.shown``."""
    return f"{question.__module__}.{question.__qualname__}"
