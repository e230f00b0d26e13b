"""What ``lambdalint`` offers to Python: checking and packaging, wired together."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from os.path import commonpath
from pathlib import Path

from lambdalint import __version__
from lambdalint.config import Config
from lambdalint.engine.cache import Cache, digest
from lambdalint.engine.executors import executor
from lambdalint.engine.registry import Registry, installed_packs
from lambdalint.engine.result import Result
from lambdalint.engine.run import Options, run
from lambdalint.engine.select import Selection
from lambdalint.errors import UsageError
from lambdalint.readers.tree import Folder


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run looks: the *root* of its tree, the paths in it, and how a path of the tree is shown."""

    root: Path
    paths: tuple[str, ...]
    shown: Callable[[str], str]


def check(
    paths: Sequence[Path] = (Path(),),
    config: Config | None = None,
    *,
    today: date | None = None,
    jobs: int = 1,
    cache: bool = True,
) -> Result:
    """Check the functions declared under *paths*.

    *config* is looked for near the paths when it is not given; dated facts are judged by *today*.

    Raises:
        LambdalintError: a path does not exist, the configuration is wrong, or a pack of rules is.
    """
    place = placed(paths)
    config = Config.find(paths) if config is None else config
    with executor(jobs) as workers:
        return run(
            Folder(place.root),
            place.paths,
            options(config, place, today or date.today()),
            Registry.load(),
            cache=results_cache(cache),
            executor=workers,
            version=version_key(),
            shown=place.shown,
        )


def options(config: Config, place: Place, today: date) -> Options:
    """What the engine needs to know of *config*."""
    base = (config.file.resolve().parent if config.file else Path.cwd()).resolve()
    return Options(
        selection=Selection(config.select, config.extend_select, config.ignore, config.profile),
        min_confidence=config.min_confidence,
        per_path_ignores=config.per_path_ignores,
        honour_foreign_ignores=config.honour_foreign_ignores,
        exclude=config.exclude,
        base=_relative(base, place.root) or "",
        today=today,
    )


def placed(paths: Sequence[Path]) -> Place:
    """The tree that *paths* are in: their repository, so that ``CodeUri: ../src`` is found, but nothing beyond.

    Outside any repository it is the working directory, or what the paths have in common when they lie elsewhere.

    Raises:
        UsageError: a path does not exist.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no file or folder {str(path)!r}")
    here = Path.cwd().resolve()
    resolved = [path.resolve() for path in paths]
    common = Path(commonpath(resolved))
    folder = common if common.is_dir() else common.parent
    repository = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    root = repository or (here if folder.is_relative_to(here) else folder)
    near = here.is_relative_to(root) or root.is_relative_to(here)

    def shown(path: str) -> str:
        return Path(os.path.relpath(root / path, here)).as_posix() if near else str(root / path)

    inside = tuple(each.relative_to(root).as_posix().removeprefix(".") for each in resolved)
    return Place(root, inside, str if root == here else shown)


def results_cache(wanted: bool) -> Cache:
    """The user's cache of results, or one that remembers nothing."""
    packages = tuple(pack.value.partition(".")[0] for pack in installed_packs())
    return Cache(Cache.default_folder() if wanted else None, packages)


def version_key() -> str:
    """What results depend on besides their input: our version, and the files of every pack of rules."""
    parts = [__version__]
    for pack in installed_packs():
        parts += [pack.name, pack.value, pack.dist.version if pack.dist else ""]
        parts += _stamps(pack.value)
    parts += _stamps("lambdalint")
    return digest(*parts)


def _stamps(package: str) -> list[str]:
    """Sizes and times of a package's files, so that whoever works on a rule gets fresh results."""
    from importlib.util import find_spec

    spec = find_spec(package.partition(":")[0])
    stamps = []
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for below, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                stat = (Path(below) / name).stat()
                stamps.append(f"{name} {stat.st_size} {stat.st_mtime_ns}")
    return sorted(stamps)


def _relative(path: Path, root: Path) -> str | None:
    if not path.is_relative_to(root):
        return None
    text = path.relative_to(root).as_posix()
    return "" if text == "." else text
