"""Broken and hostile artifacts: each is found out, none gets the better of us."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalint.testing import check_files
from tests.hostile.__main__ import CASES
from tests.hostile.archives import GOOD
from tests.hostile.case import FUNCTION, Case

Answers = dict[str, dict[str, list[tuple[str, str]]]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What is found in all of them by one process, with bounded memory and time, that writes nothing beside them."""
    root = tmp_path_factory.mktemp("hostile")
    beside = root / "beside"
    (beside / "src").mkdir(parents=True)
    (beside / "app.py").write_text("untouched\n")
    before = dict(contents(beside))
    projects = root / "beside" / "projects"
    projects.mkdir()
    command = [sys.executable, "-m", "tests.hostile", str(projects)]
    run = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2_000:]
    assert dict(contents(beside, but=projects)) == before
    for case, project in ((case, projects / f"{number}-broken") for number, case in enumerate(CASES)):
        expected = {"template.yaml", "src"} if case.folder else {"template.yaml", "bundle.zip"}
        expected = {"template.yaml", "src", "layer.zip"} if case.layer else expected
        assert {path.name for path in project.iterdir()} == expected, f"{case.name}: something was written"
    answers: Answers = json.loads(run.stdout)
    return answers


def contents(folder: Path, but: Path | None = None) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not (but and path.is_relative_to(but)):
            yield path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()


def test_there_are_enough_of_them_and_no_two_are_called_alike() -> None:
    assert sum(bool(case.expected) for case in CASES) >= 120
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_wrong_is_found(case: Case, answers: Answers) -> None:
    found = {name for name, _ in answers[case.name]["broken"]}
    assert "crashed-rule" not in found, answers[case.name]["broken"]
    assert found >= set(case.expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_by_itself_it_gets_an_answer_as_well(case: Case, answers: Answers) -> None:
    alone = answers[case.name]["alone"]
    assert [message for name, message in alone if name == "crashed-rule"] == []


@pytest.mark.parametrize("case", [case for case in CASES if case.expected], ids=lambda case: case.name)
def test_its_healthy_twin_is_silent(case: Case, answers: Answers) -> None:
    assert answers[case.name]["healthy"] == []


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_good_archive_with_some_bytes_changed_gets_an_answer(data: st.DataObject) -> None:
    made = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 5))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    template = FUNCTION.format(code="bundle.zip", handler="app.handler", runtime="python3.13")
    files: dict[str, Any] = {"template.yaml": template, "bundle.zip": bytes(made)}
    result = check_files(files, select=("LZ", "LY", "LH001"))
    assert [finding.message for finding in result.findings if finding.name == "crashed-rule"] == []
