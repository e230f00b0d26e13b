"""How long an artifact's handler takes to import, with the bytecode that ``lambdalint package`` put in and without."""

import os
import statistics
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from benchmarks import projects
from benchmarks.packaging import package
from benchmarks.peers import peer_python
from benchmarks.table import Budget, Row

RUNS: Final = 9

#: The SDK is loaded before the clock starts: an artifact that brings none gets it from the runtime.
_IMPORT: Final = """\
import sys, time
sys.path.insert(0, sys.argv[1])
import {first}
start = time.process_time()
import app
print(time.process_time() - start)
"""

_VARIABLES: Final = {
    **dict.fromkeys(("ORDERS_TABLE", "INVOICES_TABLE"), "table"),
    "AWS_DEFAULT_REGION": "us-east-1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def artifacts(folder: Path, home: Path) -> Iterator[Row]:
    """Artifacts that load on this machine: their runtime is the running Python's."""
    orders, reports = projects.healthy(folder), projects.reports(folder)
    for project in (orders, reports):
        package(project).run()
    yield _row("import of OrdersApi", orders / "dist" / "OrdersApi.zip", folder, home, first="boto3")
    yield _row("import of pandas", reports / "dist" / "Main.zip", folder, home, first="sys")


def _row(work: str, artifact: Path, folder: Path, home: Path, first: str) -> Row:
    compiled, plain = folder / f"{artifact.stem}-compiled", folder / f"{artifact.stem}-plain"
    for target in (compiled, plain):
        with ZipFile(artifact) as archive:
            archive.extractall(target)
    for path in plain.rglob("*.pyc"):
        path.unlink()
    code = _IMPORT.format(first=first)
    python = peer_python("sam", home)
    seconds: Mapping[Path, list[float]] = {compiled: [], plain: []}
    for _ in range(RUNS + 1):
        for target, measured in seconds.items():
            measured.append(_import_s(python, code, target))
    # The first of each fills the page cache.
    ours, theirs = (statistics.median(measured[1:]) for measured in seconds.values())
    return Row(work, ours, "s CPU", "without bytecode", theirs, Budget(0.5, ratio=True))


def _import_s(python: Path, code: str, target: Path) -> float:
    done = subprocess.run(
        [python, "-c", code, target], capture_output=True, text=True, check=True, env={**os.environ, **_VARIABLES}
    )
    return float(done.stdout)
