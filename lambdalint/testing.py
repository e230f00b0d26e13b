"""Run a pack's examples as tests; for the built-in pack and for anyone's.

@pytest.mark.parametrize("example", list(examples(Registry.load().rules)), ids=str)
def test_every_example(example: RuleExample) -> None:
    example.run()
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from lambdalint.engine.cache import Cache
from lambdalint.engine.executors import Serial
from lambdalint.engine.registry import Registry
from lambdalint.engine.result import Result
from lambdalint.engine.run import Options, join, run
from lambdalint.engine.select import Selection
from lambdalint.model.places import Span
from lambdalint.model.project import Project
from lambdalint.readers.tree import MemoryTree, Tree
from lambdalint.rule import Rule, example_files

MARK: Final = "# finding"

#: The day that examples are judged by, unless a test says another.
TODAY: Final = date(2026, 11, 22)


@dataclass(frozen=True, slots=True, eq=False)
class RuleExample:
    """One example of one rule."""

    rule: Rule
    files: dict[str, str | bytes]
    good: bool
    number: int

    def __str__(self) -> str:
        return f"{self.rule.name}-{'good' if self.good else 'bad'}-{self.number}"

    def run(self) -> Result:
        """Check the example with its rule alone.

        Raises:
            AssertionError: a marked line is not found, or another one is; or a bad example of an artifact gives
                nothing; or the example cannot be read.
        """
        result = check_files(self.files, select=(self.rule.code,))
        findings = [finding for finding in result.findings if not finding.code.startswith("LL")]
        trouble = [finding for finding in result.findings if finding.code in ("LL001", "LL002", "LL005")]
        assert not trouble, f"{self}: {trouble[0].message}"
        assert result.functions or not result.failures, f"{self}: {result.failures[0].message}"
        found = sorted((each.at.path, each.at.line) for each in findings if isinstance(each.at, Span))
        marked = sorted(_marked(self.files))
        assert sorted(set(found)) == marked, f"{self}: found {found}, marked {marked}"
        assert self.good or findings, f"{self}: nothing is found"
        assert not self.good or not findings, f"{self}: {[each.message for each in findings]}"
        return result


def examples(rules: Iterable[Rule]) -> Iterator[RuleExample]:
    """Every example of *rules*, with their content made where it is made on demand."""
    for rule in rules:
        for good, listed in ((False, rule.bad), (True, rule.good)):
            for number, files in enumerate(listed, 1):
                yield RuleExample(rule, example_files(files), good, number)


def check_files(
    files: Mapping[str, str | bytes],
    *,
    select: tuple[str, ...] = (),
    registry: Registry | None = None,
    today: date = TODAY,
) -> Result:
    """Check a project out of a mapping of path to content, with nothing cached."""
    return check_tree(MemoryTree(files), select=select, registry=registry, today=today)


def check_tree(
    tree: Tree,
    *,
    select: tuple[str, ...] = (),
    registry: Registry | None = None,
    today: date = TODAY,
) -> Result:
    """Check a project out of any tree, with nothing cached."""
    return run(
        tree,
        ("",),
        Options(selection=Selection(select=select), today=today),
        registry or Registry.load(),
        cache=Cache(None),
        executor=Serial(),
        version="",
    )


def project_of(files: Mapping[str, str | bytes], *, today: date = TODAY) -> Project:
    """The project that *files* make, for a test of a fact."""
    return join(MemoryTree(files), ("",), Options(today=today), cache=Cache(None), executor=Serial())


def _marked(files: Mapping[str, str | bytes]) -> Iterator[tuple[str, int]]:
    for path, content in files.items():
        if isinstance(content, str):
            for number, line in enumerate(content.splitlines(), 1):
                if line.strip() == MARK:
                    yield path, number + 1  # a Dockerfile has comments on lines of their own only
                elif line.rstrip().endswith(MARK):
                    yield path, number
