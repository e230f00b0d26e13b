"""A fact of every module, looked up by the module's path."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

F = TypeVar("F")


class PerModule(ABC, Generic[F]):
    """The fact *F* of each module of the project that could be parsed.

    ``facts.get(path)`` is ``None`` for a module that is not there or does not parse; ``facts[path]`` raises
    ``KeyError`` for it.
    """

    @abstractmethod
    def get(self, path: str) -> F | None:
        """The fact of the module at *path*, if there is one."""

    def __getitem__(self, path: str) -> F:
        found = self.get(path)
        if found is None:
            raise KeyError(path)
        return found
