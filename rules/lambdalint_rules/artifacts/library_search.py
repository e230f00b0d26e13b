"""Where Lambda's loader looks for the libraries that native files ask for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, normpath
from typing import Final

from lambdalint.aws.environment import library_path_variable
from lambdalint.aws.system_libraries import library_path
from lambdalint.facts.content import head
from lambdalint.facts.distributions import Distributions
from lambdalint.facts.native import NativeFile
from lambdalint.rule import Artifact, Function, Known

_ORIGIN: Final = ("$ORIGIN", "${ORIGIN}")
_ROOTS: Final = {False: "/var/task", True: "/opt"}
_PACKAGES: Final = ("/var/task", "/opt/python/")
#: Code that loads libraries by itself, before or in place of the loader.
_BY_HAND: Final = (b"CDLL", b"LoadLibrary", b"dlopen", b"ld_library_path", b"LD_LIBRARY_PATH")
_MAX_SOURCE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Libraries:
    """The files that one function unpacks, by their names, each with the folders that have one."""

    folders: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, artifacts: Iterable[Artifact]) -> "Libraries":
        found: dict[str, set[str]] = {}
        for artifact in artifacts:
            root = _ROOTS[artifact.layer]
            for path in (*(entry.path for entry in artifact.entries), *artifact.links):
                folder, _, name = f"{root}/{path}".rpartition("/")
                found.setdefault(name, set()).add(folder)
        return cls({name: frozenset(each) for name, each in found.items()})

    def in_packages(self, name: str) -> bool:
        """Whether it lies among the packages of Python, those of a layer included."""
        return any(folder.startswith(_PACKAGES) for folder in self.folders.get(name, ()))

    def has(self, name: str) -> bool:
        """Whether some folder has it."""
        return name in self.folders

    def finds(self, name: str, folders: Iterable[str]) -> bool:
        """Whether the loader, which looks into *folders* first, finds the library *name* among these."""
        return not self.folders.get(name, frozenset()).isdisjoint((*folders, *library_path()))


def own_folders(file: NativeFile, artifact: Artifact) -> Iterator[str]:
    """The folders in which *file* itself has the loader look, as they are on Lambda."""
    here = dirname(f"{_ROOTS[artifact.layer]}/{file.path}")
    for folder in file.search:
        for variable in _ORIGIN:
            folder = folder.replace(variable, here)
        yield normpath(folder) if folder else "/var/task"


def sets_library_path(function: Function | None) -> bool:
    """Whether the function has the loader look elsewhere, or may have it do so."""
    match function.env if function else None:
        case None:
            return False
        case Known(Mapping() as variables):
            return library_path_variable() in variables
        case _:
            return True


def loads_by_hand(file: NativeFile, artifact: Artifact) -> bool:
    """Whether Python code of the distribution of *file* loads libraries, which others then find loaded."""
    distributions = Distributions.of(artifact)
    return any(
        entry.path.endswith(".py")
        and distributions.of_entry(entry) == file.distribution
        and any(sign in head(entry, _MAX_SOURCE_BYTES) for sign in _BY_HAND)
        for entry in artifact.entries
    )
