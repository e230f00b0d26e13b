"""What the packager asks of the machine it runs on, asked once and passed in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lambdalint.store import Store, cache_folder


class Progress(Protocol):
    """Hears what is going on; *done* of *total* steps of *stage* for *name*.  May be called from several threads."""

    def __call__(self, stage: str, name: str, done: int, total: int) -> None: ...


def silent(stage: str, name: str, done: int, total: int) -> None:
    """Progress for nobody."""


@dataclass(frozen=True, slots=True)
class Host:
    """The environment, the folder of cached work (``None`` keeps nothing) and how many things to do at once."""

    environment: Mapping[str, str] = field(repr=False)
    cache: Store
    jobs: int

    @staticmethod
    def here(*, cached: bool = True, jobs: int | None = None) -> "Host":
        """The machine that this runs on."""
        from lambdalint.packager.index_settings import configured

        return Host(
            environment=configured(dict(os.environ)),
            cache=Store(cache_folder() if cached else None),
            jobs=jobs or min(8, os.cpu_count() or 1),
        )
