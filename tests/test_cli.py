import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import lambdalint
from lambdalint.cli import COMMANDS, main
from lambdalint.cli.output import Progress
from lambdalint.config import Config, PackageSettings
from lambdalint.engine.registry import Registry
from lambdalint.errors import Refused
from lambdalint.model.finding import Confidence, Profile, Severity
from lambdalint.reporters import FORMATS, render
from lambdalint.reporters.packages import render as packages_report
from lambdalint.reporters.packages.document import Package, Packaging
from lambdalint.reporters.view import View
from lambdalint.rule import Function, Problems, rule
from tests.made_up import FINDINGS, result

#: What a start must do without.
HEAVY = {"libcst", "rich", "tree_sitter", "yaml", "tomli", "elftools", "urllib3", "lambdalint.engine"}


class Asked:
    """What ``lambdalint.check`` was asked for; it answers with a made-up result."""

    def __init__(self) -> None:
        self.paths: Sequence[Path] = ()
        self.config = Config()
        self.rest: dict[str, Any] = {}
        self.answer = result()

    def __call__(self, paths: Sequence[Path], config: Config, **rest: Any) -> Any:
        self.paths, self.config, self.rest = paths, config, rest
        return self.answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Asked:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    asked = Asked()
    monkeypatch.setitem(vars(lambdalint), "check", asked)
    return asked


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_check_prints_the_report_and_exits_with_what_it_found(asked: Asked) -> None:
    done = run("check")
    assert done.stdout == render("text", asked.answer, View())
    assert done.stderr == ""
    assert done.exit_code == 3  # there are failures
    asked.answer = result(failures=())
    assert run("check").exit_code == 1
    asked.answer = result((), failures=())
    assert run("check").exit_code == 0
    assert asked.paths == (Path(),)
    assert asked.config == Config()
    assert asked.rest == {"today": date.today(), "jobs": os.cpu_count(), "cache": True}


@pytest.mark.parametrize("name", FORMATS)
def test_check_prints_every_format(asked: Asked, name: str) -> None:
    assert run("check", "--output-format", name).stdout == render(name, asked.answer, View())


def test_check_writes_files(asked: Asked, tmp_path: Path) -> None:
    done = run("check", "-o", "out.json", "--output-format=json", "--report", "github=a.txt", "--report=markdown=b.md")
    assert done.stdout == ""
    assert json.loads((tmp_path / "out.json").read_text())["version"] == 1
    assert (tmp_path / "a.txt").read_text() == render("github", asked.answer, View())
    assert (tmp_path / "b.md").read_text(encoding="utf-8") == render("markdown", asked.answer, View())


def test_options_go_over_the_configuration(asked: Asked, tmp_path: Path) -> None:
    def config(*options: str) -> Config:
        run("check", *options)
        return asked.config

    (tmp_path / "lambdalint.toml").write_text(
        'select = ["LH"]\nignore = ["LH003"]\nextend-select = ["LC"]\nfail-on = "error"\n'
    )
    plain = config()
    assert (plain.select, plain.ignore, plain.fail_on) == (("LH",), ("LH003",), Severity.ERROR)
    more = config("--ignore", "LH001, LH002", "--ignore=LH004", "--extend-select=LX", "--fail-on=never")
    assert more.ignore == ("LH003", "LH001", "LH002", "LH004")
    assert more.extend_select == ("LC", "LX")
    assert more.fail_on is None
    other = config("--select", "LN", "--profile=strict", "--min-confidence=high")
    assert (other.select, other.ignore, other.extend_select) == (("LN",), (), ())
    assert other.profile is Profile.STRICT
    assert other.min_confidence is Confidence.HIGH
    (tmp_path / "other.toml").write_text('select = ["LZ"]')
    assert config("--config", "other.toml", "--today=2026-11-22", "--jobs=2", "--no-cache").select == ("LZ",)
    assert asked.rest == {"today": date(2026, 11, 22), "jobs": 2, "cache": False}


def test_what_a_template_leaves_open_can_be_said(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "lambdalint.toml").write_text('[parameter-overrides]\nStage = "dev"\nMemory = 128\n')
    (tmp_path / "prod.tfvars").write_text("")
    run("check", "--parameter-overrides", "Stage=prod 'Name=a b'", "--stage=prod", "--var-file=prod.tfvars")
    assert asked.config.parameter_overrides == {"Stage": "prod", "Memory": "128", "Name": "a b"}
    assert (asked.config.stage, asked.config.variable_files) == ("prod", ("prod.tfvars",))
    wrong = run("check", "--parameter-overrides", "Stage")
    assert wrong.exit_code == 2
    assert "takes NAME=VALUE, not 'Stage'" in wrong.stderr


def test_fail_on_and_exit_zero_say_which_findings_count(asked: Asked) -> None:
    asked.answer = result(FINDINGS[1:2], failures=())
    assert run("check").exit_code == 1
    assert run("check", "--fail-on", "error").exit_code == 0
    assert run("check", "--fail-on", "info").exit_code == 1
    assert run("check", "--fail-on", "never").exit_code == 0
    assert run("check", "--exit-zero").exit_code == 0
    asked.answer = result()
    assert run("check", "--exit-zero").exit_code == 3


def test_statistics_take_the_place_of_the_findings(asked: Asked) -> None:
    assert run("check", "--statistics").stdout == render("statistics", asked.answer, View())
    done = run("check", "--statistics", "--output-format", "json")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: --statistics cannot be shown as json\n")


def test_colours_are_for_terminals_and_for_those_who_ask(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in run("check").stdout
    assert "\x1b[1;31merror" in run("check", "--color", "always").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in run("check").stdout
    assert "\x1b" not in run("check", "--color", "never").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("check").stdout
    assert "\x1b" in run("check", "--color", "always").stdout


def test_annotations_know_where_the_repository_starts(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (tmp_path / "service").mkdir()
    monkeypatch.chdir(tmp_path / "service")
    assert "file=service/src/app.py," in run("check", "--output-format", "github").stdout


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ("chek", "there is no command 'chek'", "did you mean 'check'?"),
        ("zzz", "there is no command 'zzz'", "the commands are check, package"),
        ("--verson", "there is no option '--verson'", "did you mean '--version'?"),
        ("check --slect LN", "there is no option '--slect'", "did you mean '--select'?"),
        ("check --zzz", "there is no option '--zzz'", "`lambdalint check --help` shows what it takes"),
        ("check --fail-on eror", "--fail-on takes error, warning, info or never, not 'eror'", "did you mean 'error'?"),
        ("check --report jsn=x", "--report takes text, concise, json, github or markdown, not 'jsn'", "did you mean"),
        ("check --report json", "--report takes FORMAT=FILE, not 'json'", "for example json=findings.json"),
        ("check --today soon", "--today takes a date, not 'soon'", "write it as 2026-11-30"),
        ("check --jobs 0", "invalid value for '--jobs'", "`lambdalint check --help` shows"),
        ("check templat.yaml", "there is no file or folder 'templat.yaml'", "did you mean 'template.yaml'?"),
        ("check gone/x.yaml", "there is no file or folder 'gone/x.yaml'", "there is no folder 'gone' either"),
        ("check --config gone.toml", "there is no file or folder 'gone.toml'", None),
        ("check -o no/where.json", "no/where.json cannot be written: No such file", "there is no folder 'no'"),
        ("check -o .", ". cannot be written: Is a directory", None),
        ("check --output-format", "option '--output-format' requires an argument", "`lambdalint"),
        ("rule", "missing argument 'RULE'", "`lambdalint rule --help` shows what it takes"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_was_meant(
    asked: Asked, tmp_path: Path, arguments: str, message: str, hint: str | None
) -> None:
    (tmp_path / "template.yaml").touch()
    done = run(*arguments.split())
    error, *rest = done.stderr.splitlines()
    assert done.exit_code == 2
    assert error.startswith(f"error: {message}")
    assert [line.startswith(f"hint: {hint}") for line in rest] == ([True] if hint else [])
    assert done.stdout == ""


def test_without_a_command_the_help_is_shown() -> None:
    done = run()
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr == run("--help").stdout


def test_a_folder_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run("check").stderr == "error: the current folder is gone\nhint: change to another one\n"


def test_a_hidden_folder_may_be_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "template.yaml").write_text(
        "Resources: {A: {Type: AWS::Lambda::Function, Properties: {Runtime: python2.7, Code: {S3Bucket: b, S3Key: k}}}}"
    )
    monkeypatch.chdir(tmp_path)
    found = run("check", ".hidden", "--no-cache", "--output-format", "concise").stdout
    assert found.startswith(".hidden/template.yaml:1:")


def test_an_error_shows_its_message_and_hint_and_keeps_its_exit_code(asked: Asked) -> None:
    class Refuses:
        def __call__(self, *_: Any, **__: Any) -> Any:
            raise Refused("no wheel\x1b[2J fits", hint="take another")

    vars(lambdalint)["check"] = Refuses()
    done = run("check")
    assert done.exit_code == 3
    assert done.stderr == "error: no wheel\\x1b[2J fits\nhint: take another\n"


def test_a_bug_of_ours_is_no_traceback_unless_asked_for(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAMBDALINT_TRACEBACK", raising=False)
    vars(lambdalint)["check"] = None
    done = run("check")
    assert done.exit_code == 3
    assert done.stderr.startswith("error: lambdalint itself failed: TypeError(")
    assert "Traceback" not in done.stderr
    monkeypatch.setenv("LAMBDALINT_TRACEBACK", "1")
    assert isinstance(run("check").exception, TypeError)


def test_an_interrupt_is_quiet(asked: Asked) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    vars(lambdalint)["check"] = interrupted
    done = run("check")
    assert done.exit_code == 130
    assert done.output.strip() == ""


def test_package_passes_its_arguments_on_and_shows_what_was_built(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    calls = []
    package = Package("Orders", "dist/Orders.zip", "python3.13", "x86_64", 3, 1000, 500, "0f" * 32)
    packaging = Packaging((package,), (), result((), failures=()), 0.1)

    def packaged(path: Path, config: Config, **rest: Any) -> Packaging:
        rest.pop("progress")("resolving Orders")
        calls.append((path, config, rest))
        return packaging

    monkeypatch.setitem(vars(lambdalint), "package", packaged)
    done = run("package", "app", "--function", "Orders", "--out", "build", "--plan")
    assert done.exit_code == 0
    assert done.stdout == packages_report("text", packaging, View())
    assert done.stderr == ""
    assert calls == [(Path("app"), Config(), {"functions": ("Orders",), "out": Path("build"), "plan_only": True})]
    run("package")
    assert calls[1] == (Path(), Config(), {"functions": (), "out": Path("dist"), "plan_only": False})
    (tmp_path / "pylock.toml").touch()
    run("package", "--manifest", "pylock.toml", "--extra", "a", "--group", "b", "--sdist", "cross", "--venv", "app")
    assert calls[2][1].package == PackageSettings(
        manifest=str((tmp_path / "pylock.toml").resolve()),
        venv=str(tmp_path.resolve() / "app"),
        extras=("a",),
        groups=("b",),
        sdist="cross",
    )


def test_progress_is_one_line_of_a_terminal_and_gone_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    with Progress(stream) as progress:
        progress("resolving\x1b[2J " + "x" * 50)
    assert stream.getvalue() == "\r\x1b[Kresolving\\x1b[2J x…\r\x1b[K"
    with Progress(StringIO()) as progress:
        progress("unseen")


@rule(
    "QX001",
    "made-up-fault",
    severity=Severity.WARNING,
    profile=Profile.STRICT,
    since="0.1.0",
    covers=("checkov:CKV_MADE_UP", "checkov:CKV_SHARED"),
    bad={"template.yaml": "Resources: {}  # finding\nOutputs: {}\n", "lib.so": b"\x7fELF"},
    good={"template.yaml": "Outputs: {}\n"},
)
def made_up_fault(function: Function) -> Problems:
    yield from ()


@rule(
    "QX002",
    "another-fault",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=("checkov:CKV_SHARED",),
    bad={"template.yaml": "# finding\n"},
    good={"template.yaml": ""},
)
def another_fault(function: Function) -> Problems:
    yield from ()


DOCUMENTATION = """\
A fault that somebody made up.

It is explained at some length, with ``code`` in it, so that the lines have to be broken somewhere in the \
middle of this very sentence.

- a list
  keeps its lines

Source: https://example.com/proof
"""


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    object.__setattr__(made_up_fault, "documentation", DOCUMENTATION.strip())
    object.__setattr__(another_fault, "documentation", "Another one.\n\nSource: https://example.com/other")
    registry = Registry.of((made_up_fault, another_fault))
    monkeypatch.setattr(Registry, "load", staticmethod(lambda: registry))


@pytest.mark.usefixtures("rules")
def test_rules_are_listed() -> None:
    assert run("rules").stdout == (
        "QX001* made-up-fault  warning  A fault that somebody made up\n"
        "QX002  another-fault  error    Another one\n"
        "\n"
        "2 rules, 1 of them only in the strict profile (*)\n"
    )
    assert "another-fault" not in run("rules", "checkov:CKV_MADE_UP").stdout
    assert run("rules", "QX", "QX001").stdout == run("rules").stdout


@pytest.mark.usefixtures("rules")
def test_rules_are_listed_for_machines() -> None:
    listed = json.loads(run("rules", "--output-format", "json").stdout)
    assert listed[0] == {
        "code": "QX001",
        "name": "made-up-fault",
        "family": "QX",
        "subject": "Function",
        "severity": "warning",
        "confidence": "high",
        "profile": "strict",
        "fix": "none",
        "since": "0.1.0",
        "covers": ["checkov:CKV_MADE_UP", "checkov:CKV_SHARED"],
        "summary": "A fault that somebody made up.",
        "source": "https://example.com/proof",
        "url": "https://example.com/proof",
    }
    assert [each["code"] for each in listed] == ["QX001", "QX002"]


@pytest.mark.usefixtures("rules")
def test_a_rule_is_explained() -> None:
    explained = run("rule", "QX001").stdout
    assert explained == run("rule", "made-up-fault").stdout == run("rule", "checkov:CKV_MADE_UP").stdout
    snapshot = Path(__file__).parent / "snapshots" / "rule.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(explained, encoding="utf-8", newline="\n")
    assert explained == snapshot.read_text(encoding="utf-8")


@pytest.mark.usefixtures("rules")
def test_a_rule_is_explained_to_machines() -> None:
    document = json.loads(run("rule", "QX001", "--output-format=json").stdout)
    assert document["code"] == "QX001"
    assert document["documentation"].startswith("A fault that somebody made up.\n\n")
    assert document["bad"] == [{"template.yaml": "Resources: {}  # finding\nOutputs: {}\n", "lib.so": None}]


@pytest.mark.usefixtures("rules")
def test_what_is_no_single_rule_cannot_be_explained() -> None:
    assert run("rule", "made-up-falt").stderr == (
        "error: no rule is called 'made-up-falt'\nhint: did you mean 'made-up-fault'?\n"
    )
    assert run("rule", "checkov:CKV_SHARED").stderr == (
        "error: checkov:CKV_SHARED means 2 rules\nhint: `lambdalint rules checkov:CKV_SHARED` lists them\n"
    )


def lambdalint_process(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lambdalint", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


def test_version_and_help_load_little() -> None:
    for argument, said in (("--version", f"lambdalint {lambdalint.__version__}\n"), ("--help", "Usage: lambdalint ")):
        code = f"import sys; from lambdalint.cli import main\ntry: main(['{argument}'])\nfinally: print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        *_, modules = done.stdout.splitlines()
        assert said in done.stdout.replace("Usage: -c", "Usage: lambdalint")
        assert not HEAVY.intersection(modules.split())


def test_help_names_every_command() -> None:
    done = run("--help")
    assert re.findall(r"^  ([a-z]+) +[A-Z]", done.stdout, re.MULTILINE) == list(COMMANDS)
    assert done.exit_code == 0


def test_a_reader_who_leaves_early_is_no_error() -> None:
    process = lambdalint_process("rules", "--output-format", "json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0


def test_an_encoding_that_lacks_our_characters_is_no_error(tmp_path: Path) -> None:
    process = lambdalint_process("check", "日本語", PYTHONIOENCODING="latin-1")
    _, error = process.communicate()
    assert process.returncode == 2
    assert error.startswith(rb"error: there is no file or folder '\u65e5\u672c\u8a9e'")


def test_paths_are_shown_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder below the repository's root, by the real engine: the source is found, the path is the reader's."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def handler(event, context): return {\n")
    (tmp_path / "template.yaml").write_text(
        "Resources:\n  Orders:\n    Type: AWS::Lambda::Function\n    Properties:\n"
        "      {Handler: app.handler, Runtime: python3.13, Code: src, Role: orders}\n"
    )
    monkeypatch.chdir(tmp_path / "src")
    done = run("check", "..", "--no-cache")
    assert "--> app.py:1:37\n" in done.stdout
    assert "1 | def handler(event, context): return {\n" in done.stdout
    assert done.exit_code == 3
