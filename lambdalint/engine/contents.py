"""What the files of distributions show, kept from run to run: packages are made anew, what is in them seldom is."""

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lambdalint.engine.cache import Cache, digest
from lambdalint.engine.planned import Planned
from lambdalint.model.artifact import Artifact, Entry

Answers = dict[str, Any]


class Contents:
    """The answers to questions about files, by their content; those about distributions are kept in *cache*.

    What is kept for one *version* of the code that asks is not taken for another's.
    """

    def __init__(self, cache: Cache, version: str) -> None:
        self._cache = cache
        self._version = version
        self._known: dict[str, dict[str, Answers]] = {}
        self._sizes: dict[str, int] = {}

    def of_plans(self, planned: Planned) -> Planned:
        """*planned*, each file with the answers about its content."""
        return replace(
            planned,
            functions={name: self._with_answers(each) for name, each in planned.functions.items()},
            layers={name: self._with_answers(each) for name, each in planned.layers.items()},
        )

    def keep(self) -> None:
        """Keep what was answered since it was read."""
        for origin, answers in self._known.items():
            if _is_distribution(origin) and _size(answers) > self._sizes[origin]:
                self._cache.put(self._key(origin), answers)

    def _with_answers(self, artifact: Artifact) -> Artifact:
        return replace(artifact, entries=tuple(self._entries(artifact)))

    def _entries(self, artifact: Artifact) -> Iterator[Entry]:
        for entry in artifact.entries:
            answers = self._of_origin(entry.origin).setdefault(f"{entry.sha256} {entry.path}", {})
            # What is new goes into the first: whoever gave the others keeps them.
            yield replace(entry, shown=ChainMap(answers, entry.shown) if entry.shown else answers)

    def _of_origin(self, origin: str) -> dict[str, Answers]:
        if origin not in self._known:
            kept = self._cache.get(self._key(origin)) if _is_distribution(origin) else None
            self._known[origin] = kept if isinstance(kept, dict) else {}
            self._sizes[origin] = _size(self._known[origin])
        return self._known[origin]

    def _key(self, origin: str) -> str:
        return digest("contents", self._version, origin)


def _is_distribution(origin: str) -> bool:
    """Whether *origin* is a name and a version: what else is packaged changes from run to run."""
    return " " in origin


def _size(answers: dict[str, Answers]) -> int:
    return sum(map(len, answers.values()))
