"""A run is remembered until something that it looked at changes."""

from datetime import date
from pathlib import Path

import pytest

import lambdalint
from lambdalint import api
from lambdalint.config import Config

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      MemorySize: 64
"""
DAY = date(2026, 11, 22)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAMBDALINT_CACHE_DIR", str(tmp_path / "cache"))
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "template.yaml").write_text(TEMPLATE)
    (project / "src" / "app.py").write_text("import a\ndef handler(event, context):\n    return {}\n")
    (project / "src" / "a.py").write_text("")
    return project


def names(project: Path, config: Config | None = None, day: date = DAY) -> list[str]:
    return sorted(finding.name for finding in lambdalint.check([project], config, today=day).findings)


def count_fresh(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    fresh: list[None] = []
    real = api._checked

    def counting(*arguments: object) -> object:
        fresh.append(None)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(api, "_checked", counting)
    return fresh


def test_an_equal_run_is_not_run_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = count_fresh(monkeypatch)
    assert names(project) == names(project) == ["memory-out-of-range"]
    assert len(fresh) == 1
    first, second = (lambdalint.check([project], today=DAY) for _ in range(2))
    assert first.findings == second.findings
    assert first.functions == second.functions
    assert second.read_text("template.yaml") == TEMPLATE


def test_what_changes_is_seen(project: Path) -> None:
    assert names(project) == ["memory-out-of-range"]
    (project / "src" / "a.py").write_text("def f(:\n")
    assert names(project) == ["memory-out-of-range", "syntax-error"]
    (project / "src" / "a.py").unlink()
    assert names(project) == ["memory-out-of-range"]
    (project / "template.yaml").write_text(TEMPLATE.replace("64", "32"))
    assert "32 MB" in lambdalint.check([project], today=DAY).findings[0].message
    (project / "other").mkdir()
    (project / "other" / "template.yaml").write_text(TEMPLATE)
    assert names(project) == ["memory-out-of-range"] * 2
    (project / ".gitignore").write_text("other\n")
    assert names(project) == ["memory-out-of-range"]
    (project / "lambdalint.toml").write_text('ignore = ["LC011"]\n')
    assert names(project) == []


def test_another_question_has_another_answer(project: Path) -> None:
    (project / "template.yaml").write_text(TEMPLATE.replace("python3.13", "python3.10"))
    assert names(project) == ["deprecated-runtime", "memory-out-of-range"]
    assert names(project, day=date(2026, 1, 1)) == ["memory-out-of-range"]
    assert names(project, Config(select=("LC001",))) == ["deprecated-runtime"]
