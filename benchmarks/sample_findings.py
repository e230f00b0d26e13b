"""Draw findings of real projects at random, to be read by a person.

    python -m benchmarks.sample_findings FOLDER --count 100 --seed N [--rule NAME] [--without PROJECT]

Each folder in FOLDER is a project of its own.  Warnings and errors are drawn in turns, one of each rule, so that a rule
that speaks rarely is read as well as one that speaks often; the same seed gives the same ones.  What is read of a
finding is what a user sees of it, and some lines around each place.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

import lambdalint
from lambdalint.model.finding import Finding, Severity
from lambdalint.model.places import Place, Span

#: The day that dated facts are judged by: the one of ``corpora.toml``, so that a seed says the same in a year.
TODAY: Final = date(2026, 11, 22)
#: Lines of the file that are shown before and after a place.
AROUND: Final = 4
#: Of a long place, this many lines are shown.
MAX_LINES: Final = 14


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with the *root* of the project that it is in."""

    root: Path
    finding: Finding

    @property
    def file(self) -> str:
        return f"{self.root.name}/{self.finding.path}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rule", action="append", metavar="NAME", help="draw of these rules only")
    parser.add_argument("--without", action="append", default=[], metavar="PROJECT", help="leave this folder out")
    parser.add_argument("--around", type=int, default=AROUND, metavar="LINES")
    options = parser.parse_args()
    projects = sorted(each for folder in options.folder for each in folder.glob("[!.]*/"))
    everything = [each for root in projects if root.name not in options.without for each in found(root.resolve())]
    wanted = [each for each in everything if not options.rule or each.finding.name in options.rule]
    chosen = drawn(wanted, options.count, Random(options.seed))
    for number, each in enumerate(chosen, 1):
        print(f"\n{'─' * 120}\n{number}. " + "\n".join(shown(each, options.around)))
    print("\n".join(tally(chosen, wanted)))
    return 0


def found(root: Path) -> Iterator[Found]:
    """The warnings and errors of one project, with nothing cached."""
    result = lambdalint.check([root], lambdalint.Config(), today=TODAY, cache=False)
    for finding in result.findings:
        if finding.severity is not Severity.INFO:
            yield Found(root, finding)


def drawn(everything: Iterable[Found], count: int, random: Random) -> Sequence[Found]:
    """At most *count* of them: one of each rule, then another of each, …; a file comes again when no other is left."""
    by_rule: dict[str, list[Found]] = defaultdict(list)
    for each in everything:
        by_rule[each.finding.name].append(each)
    rules = sorted(by_rule)
    random.shuffle(rules)
    turns: list[tuple[int, int, Found]] = []
    for place, rule in enumerate(rules):
        for turn, each in enumerate(_one_of_each_file(by_rule[rule], random)):
            turns.append((turn, place, each))
    turns.sort(key=lambda item: item[:2])
    chosen = [each for _, _, each in turns[:count]]
    return sorted(chosen, key=lambda each: (each.finding.code, each.file))


def _one_of_each_file(findings: Sequence[Found], random: Random) -> Sequence[Found]:
    shuffled = random.sample(findings, len(findings))
    before: Counter[str] = Counter()
    rounds: list[tuple[int, Found]] = []
    for each in shuffled:
        rounds.append((before[each.file], each))
        before[each.file] += 1
    return [each for _, each in sorted(rounds, key=lambda item: item[0])]


def shown(each: Found, around: int) -> Iterator[str]:
    """The lines that a person reads to decide whether a finding is true."""
    finding = each.finding
    title = f"{finding.severity.value}, {finding.confidence.value} confidence, {finding.code} {finding.name}"
    yield f"{title} [{each.root.parent.name}/{each.root.name}]"
    yield f"   {finding.message}"
    if finding.function:
        yield f"   function {finding.function}" + (f" in {finding.template}" if finding.template else "")
    yield from _excerpt(each.root, finding.at, around)
    for other in finding.related:
        yield f"   related: {other.message}"
        yield from _excerpt(each.root, other.at, around // 2)
    if finding.hint:
        yield f"   hint: {finding.hint}"
    if finding.fix:
        yield f"   fix ({finding.fix.applicability.value}): {finding.fix.title}"
        for edit in finding.fix.edits:
            yield f"      {edit.span.path}:{edit.span.line}: {edit.text!r}"


def _excerpt(root: Path, at: Place, around: int) -> Iterator[str]:
    if not isinstance(at, Span):
        yield f"   at {root / at.path} → {at.entry}"
        return
    yield f"   at {root / at.path}:{at.line}:{at.column}"
    path = root / at.path
    # What is in an archive, and a file as such, have no lines to show.
    if not path.is_file() or at == Span.whole(at.path):
        return
    lines = path.read_text("utf-8", errors="replace").splitlines()
    last = min(at.end_line, at.line + MAX_LINES - 1)
    for number in range(max(1, at.line - around), min(len(lines), last + around) + 1):
        sign = ">" if at.line <= number <= at.end_line else " "
        yield f"   {sign}{number:5} {lines[number - 1][:160]}"


def tally(chosen: Iterable[Found], everything: Iterable[Found]) -> Iterator[str]:
    """How many of each rule are shown, of how many there are."""
    read, there = _counted(chosen), _counted(everything)
    yield f"\n{sum(read.values())} of {sum(there.values())} findings"
    for code, name in sorted(there):
        yield f"{read[code, name]:5} of {there[code, name]:5}  {code}  {name}"


def _counted(findings: Iterable[Found]) -> Counter[tuple[str, str]]:
    return Counter((each.finding.code, each.finding.name) for each in findings)


if __name__ == "__main__":
    sys.exit(main())
