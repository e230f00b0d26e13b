"""What was found in the files of distributions serves the next run, and nothing that was kept is believed blindly."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from lambdalint.cli import main
from tests.fake_index import FakeIndex, wheel

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
"""
ASKING = "from importlib.metadata import version\n\nanswer = version('rates')\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A function that imports a distribution which asks in vain for the version of another."""
    (tmp_path / "src").mkdir()
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "src" / "app.py").write_text(
        "import asking\n\n\ndef handler(event, context):\n    return asking.answer\n"
    )
    (tmp_path / "src" / "requirements.txt").write_text("asking\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMBDALINT_CACHE_DIR", str(tmp_path / "cache"))
    with FakeIndex() as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        index.add(wheel("asking", "1", files={"asking.py": ASKING, "rates.py": "rate = 2\n"}))
        yield tmp_path


def packaged() -> str:
    done = CliRunner().invoke(main, ["package", "--bytecode", "none"], catch_exceptions=False)
    return re.sub(r"\d+\.\d+ s\b", "", done.output.partition("packaged ")[0])


def kept(project: Path) -> list[Path]:
    return [path for path in (project / "cache" / "results").rglob("*") if path.is_file()]


def test_a_second_run_finds_the_same(project: Path) -> None:
    first = packaged()
    assert "rates" in first
    assert kept(project)
    assert packaged() == first


def test_an_edit_is_seen_beside_what_was_kept(project: Path) -> None:
    packaged()
    (project / "src" / "app.py").write_text("def handler(event, context):\n    return 1\n")
    assert "rates" not in packaged()


def test_what_was_kept_and_altered_is_found_anew(project: Path) -> None:
    first = packaged()
    for path in kept(project):
        path.write_bytes(path.read_bytes()[:-9] + b"\0" * 9)
    assert packaged() == first


def test_rules_that_do_not_run_are_known_by_their_names(project: Path) -> None:
    (project / "lambdalint.toml").write_text('ignore = ["http-without-timeout", "broken-dist-info"]\n')
    (project / "src" / "app.py").write_text(
        "import asking  # lambdalint: ignore[unused-heavy-import]\nhandler = print\n"
    )
    first = packaged()
    assert first == ""
    assert packaged() == first


def test_a_rule_that_there_is_not_is_refused_by_every_run(project: Path) -> None:
    (project / "lambdalint.toml").write_text('ignore = ["http-without-timeouts"]\n')
    for _ in range(2):
        done = CliRunner().invoke(main, ["package"])
        assert done.exit_code == 2
        assert "did you mean 'http-without-timeout'?" in done.output
