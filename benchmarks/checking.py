"""``lambdalint check`` against the least that reading the code costs, and against the linters that it stands beside."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks import projects
from benchmarks.measure import FOUND_OR_NOT, Case, medians
from benchmarks.peers import peer
from benchmarks.table import Budget, Row

RUNS: Final = 9
RUNS_WITH_PEERS: Final = 3
MANY: Final = 16_000

_CHECKOV: Final = ("--directory", ".", "--quiet", "--compact")
_PARSE: Final = (
    "import ast, sys; [ast.parse(open(path, 'rb').read()) for path in open(sys.argv[1]).read().splitlines()]"
)
#: The collector goes through trees that are kept again and again; those that are let go at once cost parsing alone.
_PARSE_AND_FORGET: Final = """
import ast, sys
for path in open(sys.argv[1]).read().splitlines():
    ast.parse(open(path, 'rb').read())
"""


def small(folder: Path) -> Iterator[Row]:
    """The example project: three functions, nine files, a template."""
    project = projects.faulty(folder)
    cold, warm, floor = medians([_cold(project), _warm(project), _floor(project)], RUNS)
    bare = "ast.parse of its files"
    yield Row("check, 3 functions, cold", cold.cpu_s, "s CPU", bare, floor.cpu_s, Budget(0.30))
    yield Row("check, 3 functions, warm", warm.cpu_s, "s CPU", bare, floor.cpu_s, Budget(0.15))


def code(folder: Path) -> Iterator[Row]:
    """Much code that one function reaches."""
    project = projects.library(folder)
    cold, warm, floor, forgetting = medians(
        [_cold(project), _warm(project), _floor(project), _floor(project, _PARSE_AND_FORGET)], RUNS_WITH_PEERS
    )
    bare = "ast.parse of its files"
    count = len(_files(project))
    yield Row(f"check, {count} files, cold", cold.cpu_s, "s CPU", bare, floor.cpu_s, Budget(2.5, ratio=True))
    yield Row(f"check, {count} files, cold", cold.cpu_s, "s CPU", f"{bare}, no tree kept", forgetting.cpu_s)
    yield Row(f"check, {count} files, warm", warm.cpu_s, "s CPU", bare, floor.cpu_s)
    yield Row(f"check, {count} files, cold", cold.memory_mb, "MB", bare, floor.memory_mb)


def many(folder: Path) -> Iterator[Row]:
    """A repository of many files: what matters is that they do not have to fit into memory."""
    project = projects.repository(folder, MANY)
    count = len(_files(project))
    cold = _cold(project)
    for what in ("cold", "one changed"):
        cost = (cold if what == "cold" else replace(cold, before=lambda: _change(project / "000" / "app.py"))).run()
        yield Row(f"check, {count:,} files, {what}", cost.memory_mb, "MB", budget=Budget(400))
        yield Row(f"check, {count:,} files, {what}", cost.cpu_s, "s CPU")


def large(folder: Path, home: Path) -> Iterator[Row]:
    """A SAM application of 42 functions."""
    project = projects.application(folder)
    cold, warm, cfn_lint, checkov, narrow, bandit = medians(
        [
            _cold(project),
            _warm(project),
            _linter(project, peer("cfn-lint", home), "template.yaml"),
            _linter(project, peer("checkov", home), *_CHECKOV),
            _linter(project, peer("checkov", home), *_CHECKOV, "--framework", "cloudformation"),
            _linter(project, peer("bandit", home), "--recursive", ".", "--quiet"),
        ],
        RUNS_WITH_PEERS,
    )
    together = cfn_lint.cpu_s + checkov.cpu_s + bandit.cpu_s
    names = "cfn-lint + checkov + bandit"
    yield Row("check, 42 functions, cold", cold.cpu_s, "s CPU", names, together, Budget(1 / 15, ratio=True))
    yield Row("check, 42 functions, warm", warm.cpu_s, "s CPU", names, together, Budget(1 / 40, ratio=True))
    # Without being told, checkov looks for secrets and at workflows as well.
    narrowed = cfn_lint.cpu_s + narrow.cpu_s + bandit.cpu_s
    yield Row("check, 42 functions, cold", cold.cpu_s, "s CPU", f"{names}, CloudFormation only", narrowed)
    yield Row("check, 42 functions, warm", warm.cpu_s, "s CPU", f"{names}, CloudFormation only", narrowed)


def _cold(project: Path) -> Case:
    cache = project.with_name(f"{project.name}-cold")
    return _check(project, cache, lambda: shutil.rmtree(cache, ignore_errors=True))


def _warm(project: Path) -> Case:
    return _check(project, project.with_name(f"{project.name}-warm"), lambda: None)


def _check(project: Path, cache: Path, before: Callable[[], object]) -> Case:
    command = (Path(sys.executable).with_name("lambdalint"), "check", ".")
    environment = {"LAMBDALINT_CACHE_DIR": str(cache)}
    return Case((command,), project, before, environment, FOUND_OR_NOT)


def _change(path: Path) -> None:
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")


def _linter(project: Path, *command: str | Path) -> Case:
    # What cfn-lint exits with are flags.
    return Case((command,), project, codes=frozenset(range(16)))


def _floor(project: Path, parsing: str = _PARSE) -> Case:
    """A process that only parses the Python files of *project*."""
    listed = project.with_name(f"{project.name}-files")
    listed.write_text("\n".join(_files(project)), "utf-8")
    return Case(((sys.executable, "-c", parsing, listed),), project)


def _files(project: Path) -> list[str]:
    """All Python files of *project*: its functions reach every one."""
    return sorted(map(str, project.rglob("*.py")))
