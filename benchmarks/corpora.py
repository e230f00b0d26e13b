"""Check real projects, and hold what is found against what is known of them.

    python -m benchmarks.corpora FOLDER [--only PROJECT] [--findings FILE]

FOLDER holds one folder of checked-out files for each project that ``corpora.toml`` speaks of, as
``named/OWNER+NAME``; ``rendered/OWNER+NAME`` are templates with their placeholders filled in.  What a project is known
for stands in ``corpora.toml`` beside this file.  Exits with 1 when an expectation does not hold.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import tomli

import lambdalint
from lambdalint.engine.cache import Cache
from lambdalint.engine.executors import Serial
from lambdalint.engine.messages import CRASHED_RULE
from lambdalint.engine.run import Options, join
from lambdalint.model.finding import Finding, Severity
from lambdalint.model.function import CodeKind, Function, Handling
from lambdalint.model.places import Span
from lambdalint.model.values import Known
from lambdalint.readers.tree import Folder

EXPECTATIONS: Final = Path(__file__).with_name("corpora.toml")

#: The code is here, so the handler has to be found in it.
_LOCAL: Final = (CodeKind.FOLDER, CodeKind.FILE, CodeKind.ZIP, CodeKind.INLINE)


@dataclass(frozen=True, slots=True)
class Expectations:
    """What is known of the projects, by their folders; see ``corpora.toml``."""

    today: date
    clean: Mapping[str, Sequence[Mapping[str, str]]]
    found: Sequence[Mapping[str, str]]
    silent: Sequence[Mapping[str, str]]

    @staticmethod
    def read(path: Path) -> "Expectations":
        data = tomli.loads(path.read_text("utf-8"))
        clean = {each["project"]: each.get("except", ()) for each in data["clean"]}
        return Expectations(data["today"], clean, data["found"], data["silent"])


@dataclass(frozen=True, slots=True)
class Checked:
    """One project: its findings as (path, finding), and the state of each handler that a template names."""

    name: str
    findings: tuple[tuple[str, Finding], ...]
    handlers: Counter[Handling]
    functions: int
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", action="append", metavar="PROJECT", help="such as named/Netflix+bless")
    parser.add_argument("--findings", type=Path, metavar="FILE", help="write all findings there, to be compared")
    options = parser.parse_args()
    expected = Expectations.read(EXPECTATIONS)
    wanted = options.only or sorted(f"{each.parent.name}/{each.name}" for each in options.folder.glob("*/[!.]*/"))
    checked = []
    for name in wanted:
        project = check(options.folder, name, expected.today)
        checked.append(project)
        print(_line(project), flush=True)
    print(_counts(checked))
    broken = [text for project in checked for text in broken_expectations(project, expected)]
    print("\n".join(broken) or "every expectation holds")
    if options.findings:
        options.findings.write_text("".join(f"{line}\n" for line in _listed(checked)), "utf-8")
    return int(bool(broken))


def check(folder: Path, name: str, today: date) -> Checked:
    """Check one project, with nothing cached."""
    root = (folder / name).resolve()
    start = time.process_time()
    result = lambdalint.check([root], lambdalint.Config(), today=today, cache=False)
    seconds = time.process_time() - start
    project = join(Folder(root), ("",), Options(today=today), cache=Cache(None), executor=Serial())
    return Checked(
        name,
        tuple((_path(finding, root), finding) for finding in result.findings),
        Counter(function.target.state for function in project.functions if names_local_python(function)),
        len(project.functions),
        seconds,
    )


def names_local_python(function: Function) -> bool:
    """Whether the template names a Python handler in code that is part of the project."""
    runtime, code = function.runtime, function.code
    is_python = isinstance(runtime, Known) and str(runtime.value).startswith("python")
    return is_python and isinstance(function.handler, Known) and code is not None and code.kind in _LOCAL


def broken_expectations(project: Checked, expected: Expectations) -> Iterator[str]:
    """What should be and is not, a sentence each."""
    for path, finding in project.findings:
        if finding.name == CRASHED_RULE.name:
            yield f"{project.name}: a rule crashed at {path}: {finding.message}"
    if project.name in expected.clean:
        excepted = {(each["file"], each["rule"]) for each in expected.clean[project.name]}
        for path, finding in project.findings:
            if finding.severity is Severity.ERROR and (path, finding.name) not in excepted:
                yield f"{project.name}: should have no error, has {finding.name} at {path}: {finding.message}"
        unresolved = {state: count for state, count in project.handlers.items() if state is not Handling.RESOLVED}
        if unresolved:
            yield f"{project.name}: every handler should resolve, but {unresolved}"
    there = {(path, finding.name) for path, finding in project.findings}
    for each in expected.found:
        if each["project"] == project.name and (each["file"], each["rule"]) not in there:
            yield f"{project.name}: {each['rule']} is not found in {each['file']}: {each['why']}"
    for each in expected.silent:
        if each["project"] == project.name:
            for path, finding in project.findings:
                if path.startswith(each["file"]) and each.get("rule", finding.name) == finding.name:
                    yield f"{project.name}: {finding.name} at {path} is false: {each['why']}"


def _path(finding: Finding, root: Path) -> str:
    at = finding.at
    path = at.path if isinstance(at, Span) else f"{at.path}/{at.entry}"
    return str(Path(path).relative_to(root)) if Path(path).is_absolute() else path


def _line(project: Checked) -> str:
    named = sum(project.handlers.values())
    resolved = project.handlers[Handling.RESOLVED]
    states = ", ".join(
        f"{count} {state.value}" for state, count in project.handlers.most_common() if state is not Handling.RESOLVED
    )
    share = f"{resolved} of {named} handlers resolve ({resolved / named:.0%})" if named else "no handler is named"
    severities = Counter(finding.severity.value for _, finding in project.findings)
    counted = ", ".join(f"{severities[severity.value]} {severity.value}s" for severity in Severity)
    share += f": {states}" if states else ""
    return f"{project.name}: {project.functions} functions, {share}; {counted}; {project.seconds:.1f} s"


def _counts(checked: Iterable[Checked]) -> str:
    counts: Counter[tuple[str, str, str]] = Counter(
        (finding.code, finding.name, finding.severity.value) for project in checked for _, finding in project.findings
    )
    return "\n".join(
        f"{count:6}  {code}  {name} ({severity})" for (code, name, severity), count in sorted(counts.items())
    )


def _listed(checked: Iterable[Checked]) -> Iterator[str]:
    for project in checked:
        for path, finding in project.findings:
            line: Any = finding.at.line if isinstance(finding.at, Span) else "-"
            yield f"{project.name}/{path}:{line}: {finding.severity.value} {finding.name}: {finding.message}"


if __name__ == "__main__":
    sys.exit(main())
