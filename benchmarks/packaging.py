"""``lambdalint package`` against ``sam build`` and a ZIP of what it leaves."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from benchmarks import projects
from benchmarks.measure import Case, medians
from benchmarks.peers import peer
from benchmarks.table import Budget, Row

COLD_RUNS: Final = 3
WARM_RUNS: Final = 5

_SAM: Final = "sam build + zip"

#: What makes packages as small as they get: the default gives bytes for a quicker start.
_SMALLEST: Final = ("--bytecode", "none", "--slim-sdk", "--reachable-source", "--out", "smallest")
_ZIP: Final = "import shutil, sys; [shutil.make_archive(path, 'zip', path) for path in sys.argv[1:]]"


def small(folder: Path, home: Path) -> Iterator[Row]:
    """The example: three functions with a handful of dependencies."""
    ours, theirs = projects.healthy(folder / "ours"), projects.healthy(folder / "theirs")
    functions = ("OrdersApi", "OrdersWorker", "InvoiceImporter")
    yield from _cold("package, 3 functions", ours, theirs, functions, home)
    yield from _warm("package, 3 functions", ours, theirs, functions, home, "api/app.py", None)


def large(folder: Path, home: Path) -> Iterator[Row]:
    """One function with pandas."""
    ours, theirs = projects.reports(folder / "ours"), projects.reports(folder / "theirs")
    yield from _warm("package, pandas", ours, theirs, ("Main",), home, "src/app.py", Budget(0.5))


def _cold(work: str, ours: Path, theirs: Path, functions: tuple[str, ...], home: Path) -> Iterator[Row]:
    """Nothing kept: wheels are downloaded, by both."""
    mine, sam = medians(
        [
            package(ours, before=lambda: _forget(ours)),
            sam_build(theirs, functions, home, before=lambda: _forget(theirs)),
        ],
        COLD_RUNS,
    )
    yield Row(f"{work}, cold", mine.wall_s, "s", _SAM, sam.wall_s, Budget(1 / 8, ratio=True))
    yield from _sizes(work, ours, theirs)


def _warm(
    work: str,
    ours: Path,
    theirs: Path,
    functions: tuple[str, ...],
    home: Path,
    edited: str,
    budget: Budget | None,
) -> Iterator[Row]:
    """Everything kept, and one line edited."""
    mine, sam = medians(
        [
            package(ours, before=edit(ours / edited)),
            sam_build(theirs, functions, home, before=edit(theirs / edited)),
        ],
        WARM_RUNS,
    )
    yield Row(f"{work}, one line edited", mine.wall_s, "s", f"{_SAM}, cached", sam.wall_s, budget)
    if budget:
        yield from _sizes(work, ours, theirs)


def package(project: Path, *options: str, before: Callable[[], object] = lambda: None) -> Case:
    """``lambdalint package`` with a cache beside the project, into its folder ``dist`` if no option says otherwise."""
    command: tuple[str | Path, ...] = (Path(sys.executable).with_name("lambdalint"), "package", ".", *options)
    return Case((command,), project, before, {"LAMBDALINT_CACHE_DIR": str(_cache(project))})


def sam_build(project: Path, functions: tuple[str, ...], home: Path, before: Callable[[], object]) -> Case:
    """``sam build`` with a pip cache beside the project, and a ZIP of each function's folder."""
    built = [_built(project) / function for function in functions]
    return Case(
        (
            (peer("sam", home), "build", "--cached", "--parallel"),
            (sys.executable, "-c", _ZIP, *built),
        ),
        project,
        before,
        {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PIP_CACHE_DIR": str(_cache(project)),
            "SAM_CLI_TELEMETRY": "0",
        },
    )


def _sizes(work: str, ours: Path, theirs: Path) -> Iterator[Row]:
    sam = _size_mb(_built(theirs))
    yield Row(f"{work}, size", _size_mb(ours / "dist"), "MB", _SAM, sam, Budget(0.9, ratio=True))
    # SAM ships none, so this compares like with like.
    yield Row(f"{work}, size without bytecode", _size_mb(ours / "dist", but=".pyc"), "MB", _SAM, sam)
    package(ours, *_SMALLEST).run()
    yield Row(f"{work}, size with the smallest options", _size_mb(ours / "smallest"), "MB", _SAM, sam)


def _forget(project: Path) -> None:
    for folder in (_cache(project), project / "dist", project / ".aws-sam"):
        shutil.rmtree(folder, ignore_errors=True)


def edit(path: Path) -> Callable[[], object]:
    """What gives the module *path* another last line, each time it is called."""
    text, numbers = path.read_text("utf-8"), count()
    return lambda: path.write_text(f"{text}\nEDITION = {next(numbers)}\n", "utf-8")


def _cache(project: Path) -> Path:
    return project.with_name(f"{project.name}-cache")


def _built(project: Path) -> Path:
    return project / ".aws-sam" / "build"


def _size_mb(folder: Path, but: str = "\0") -> float:
    """What the archives in *folder* take together, without members whose name ends in *but*."""
    total = 0
    for path in folder.glob("*.zip"):
        with ZipFile(path) as archive:
            left_out = [member for member in archive.infolist() if member.filename.endswith(but)]
        # A member's name stands in two headers, of 30 and 46 bytes without it.
        heads = sum(76 + 2 * len(member.filename) for member in left_out)
        total += path.stat().st_size - heads - sum(member.compress_size for member in left_out)
    return total / 1_000_000
