"""Packaging again whenever something changes that it looked at.

A build knows each file that it read and each folder whose names it asked for, so what others write, git ignores or
lies elsewhere in a large repository starts none.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lambdalint.api import package_tree, placed
from lambdalint.config import Config
from lambdalint.errors import LambdalintError, Refused, UsageError
from lambdalint.packager.kept import Kept
from lambdalint.readers.tree import Folder
from lambdalint.reporters.packages.document import Packaging

#: An editor that saves several files, or a checkout, is done when nothing has happened for so long.
_QUIET_MS: Final = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """What a build looked at below *root*: files with time of change and size, folders with the names in them.

    *counts* says of a path whether it matters at all.
    """

    root: Path
    files: Mapping[str, tuple[int, int]]
    folders: Mapping[str, tuple[str, ...]]
    counts: Callable[[str], bool]

    @staticmethod
    def by(tree: Folder, counts: Callable[[str], bool], others: Iterable[str] = ()) -> "Seen":
        """What *tree* was asked for, and *others* as they are now."""
        for path in others:
            tree.on_disk(path)
        stamps = {path: (time, size) for path, time, size in tree.trace().stamps if counts(path)}
        folders = {
            path: tuple(name for name in tree.names(path) if counts(f"{path}/{name}" if path else name))
            for path in stamps
            if tree.is_folder(path)
        }
        files = {path: stamp for path, stamp in stamps.items() if path not in folders}
        return Seen(tree.root, files, folders, counts)

    @property
    def paths(self) -> tuple[str, ...]:
        """All that was looked at."""
        return (*self.files, *self.folders)

    @property
    def places(self) -> set[Path]:
        """The folders in which something happens when any of it changes; what links lead to lies elsewhere."""
        found = {(self.root / path).resolve().parent for path in self.files}
        found |= {(self.root / path).resolve() for path in self.folders}
        return {place for place in found if place.is_dir()} or {self.root}

    def changed(self) -> set[str]:
        """What is not as it was."""
        now = Seen.by(Folder(self.root), self.counts, self.paths)
        # What is not there has the stamp that a folder has which was listed in vain.
        found = {path for path, stamp in self.files.items() if now.files.get(path, (0, 0)) != stamp}
        return found | {path for path, names in self.folders.items() if now.folders.get(path) != names}


def packagings(
    path: Path,
    configured: Callable[[], Config],
    *,
    functions: Sequence[str],
    out: Path,
    progress: Callable[[str], None],
    failed: Callable[[LambdalintError], None],
    aside: Sequence[Path] = (),
) -> Iterator[Packaging]:
    """What ``lambdalint.package`` gives, at once and again after each change; it ends with an exception only.

    *configured* is asked each time.  An error after the first build is told to *failed* and the next change waited for.
    What has not changed is not written again.  *aside* is what else the caller writes after a build.

    Raises:
        LambdalintError: watchfiles is not installed, or there is nothing to begin with, in words.
    """
    _check_installed()
    # Else nothing that a build leaves in circles would ever be freed; a single run does without.
    gc.enable()
    place = placed((path,))
    kept = Kept()
    last: Packaging | None = None
    seen: Seen | None = None
    changed: set[str] = set()
    own = {out, *aside}
    while True:
        tree = Folder(place.root)
        others: tuple[str, ...] = ()
        try:
            config = configured()
            if config.file and (said_by := _inside(config.file, tree)):
                tree.on_disk(said_by)
            packaging = package_tree(tree, place, config, functions=functions, out=out, progress=progress, kept=kept)
        except (LambdalintError, OSError) as error:
            if seen is None:
                raise
            # Who moves folders about does so while they are looked at.
            failed(error if isinstance(error, LambdalintError) else Refused(f"a file went away: {error}"))
            others = seen.paths
        else:
            own.update(Path(template.path) for template in packaging.templates)
            written = [each for each in packaging.packages if each.sha256]
            own.update(Path(place) for each in written for place in (each.path, each.manifest, each.sbom) if place)
            # A file that appears where nobody needs it is no news.
            if not (last and seen and changed <= seen.folders.keys() and _gist(packaging) == _gist(last)):
                yield packaging
            last = packaging
        seen = Seen.by(tree, _counts([_inside(each, tree) for each in own]), others)
        changed = _awaited(seen)


def _check_installed() -> None:
    try:
        import watchfiles  # noqa: F401
    except ImportError:
        raise UsageError(
            "watchfiles, which notices changes, is not installed", hint="pip install 'lambdalint[watch]'"
        ) from None


def _counts(own: Sequence[str | None]) -> Callable[[str], bool]:
    """Whether a path is neither below those that we write nor what editors and tools leave behind."""
    from watchfiles import Change, DefaultFilter

    is_theirs = DefaultFilter()
    written = [f"{path}/" for path in own if path]
    return lambda path: is_theirs(Change.modified, path) and not f"{path}/".startswith(tuple(written))


def _awaited(seen: Seen) -> set[str]:
    """What has changed, once something has.

    Raises:
        Refused: this machine watches no more folders.
    """
    while True:
        try:
            return _first_change(seen)
        except FileNotFoundError:
            # A folder went away before it was watched, and may be back by now.
            if changed := seen.changed():
                return changed
        except OSError as error:
            raise Refused(
                f"{len(seen.places):,} folders cannot be watched: {error}",
                hint="on Linux, fs.inotify.max_user_watches and max_user_instances say how many can",
            ) from error


def _first_change(seen: Seen) -> set[str]:
    from watchfiles import watch

    looked = False
    for events in watch(
        *seen.places, recursive=False, watch_filter=None, step=_QUIET_MS, rust_timeout=_QUIET_MS, yield_on_timeout=True
    ):
        # What happened between the build and the first look has made no event.
        if events or not looked:
            looked = True
            if changed := seen.changed():
                return changed
    raise AssertionError("nobody tells the watch to stop")


def _inside(path: Path, tree: Folder) -> str | None:
    """*path* as it is called in *tree*; ``None`` for one that is elsewhere, and for its root."""
    place = path.resolve()
    return place.relative_to(tree.root).as_posix() if tree.root in place.parents else None


def _gist(packaging: Packaging) -> tuple[object, ...]:
    """What a reader would call news."""
    artifacts = tuple((each.path, each.sha256, each.refused, each.asides) for each in packaging.packages)
    return artifacts, packaging.skipped, packaging.check.findings, packaging.check.failures, packaging.templates
