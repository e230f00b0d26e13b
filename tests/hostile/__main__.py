"""Checks every artifact in this one process, which may use little memory and time, and prints what is found as JSON.

python -m tests.hostile FOLDER
"""

import json
import resource
import sys
from datetime import date
from pathlib import Path
from typing import Final

import lambdalint
from lambdalint.config import Config
from tests.hostile import archives, contents, names
from tests.hostile.case import Case, Made

CASES: Final = (*archives.CASES, *names.CASES, *contents.CASES)
TODAY: Final = date(2026, 11, 22)

#: A process that reads archives has a hundred MB of its own; no artifact may make it larger than this.
_MEMORY_BYTES: Final = 1_536 * 1024 * 1024
_SECONDS: Final = 240


def answer(case: Case, made: Made, project: Path) -> list[tuple[str, str]]:
    """What is found in the project that has *made* as its artifact."""
    project.mkdir()
    case.write(project, made)
    return found(project)


def found(path: Path) -> list[tuple[str, str]]:
    """The names and messages of what is found at *path*."""
    result = lambdalint.check([path], Config(), today=TODAY, cache=False)
    return [(finding.name, finding.message) for finding in result.findings]


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    answers = {}
    for number, case in enumerate(CASES):
        project = folder / f"{number}-broken"
        answers[case.name] = {
            "broken": answer(case, case.make, project),
            "alone": found(project / case.artifact),
            "healthy": answer(case, case.twin, folder / f"{number}-healthy") if case.expected else [],
        }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
