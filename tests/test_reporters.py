import json
import os
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lambdalint.model.finding import Severity
from lambdalint.model.places import Span
from lambdalint.reporters import FORMATS, render
from lambdalint.reporters.packages import render as packages_report
from lambdalint.reporters.packages.document import Package, Packaging
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import Line, columns, cut, visible
from lambdalint.reporters.wording import size
from tests.made_up import FAILURES, FINDINGS, FUNCTIONS, finding, result

SNAPSHOTS = Path(__file__).parent / "snapshots"
#: Set it to write the snapshots anew, then read the diff.
UPDATE = "UPDATE_SNAPSHOTS"

ESCAPE = "\x1b"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def matches_snapshot(name: str, text: str) -> None:
    file = SNAPSHOTS / name
    if os.environ.get(UPDATE):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    assert file.exists(), f"{file} does not exist; {UPDATE}=1 writes it"
    assert text == file.read_text(encoding="utf-8"), f"if this is better, {UPDATE}=1 writes it to {file}"


@pytest.mark.parametrize("name", [*FORMATS, "statistics"])
def test_every_format_shows_the_whole_result(name: str) -> None:
    matches_snapshot(f"{name}.txt", render(name, result(), View()))


@pytest.mark.parametrize(("width", "colour"), [(80, False), (120, False), (80, True)])
def test_text_fits_the_terminal(width: int, colour: bool) -> None:
    text = render("text", result(), View(width=width, colour=colour))
    matches_snapshot(f"text-{width}{'-colour' if colour else ''}.txt", text)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    text = render("text", result(), View(width=width))
    summary = "Found "
    wide = [line for line in text.splitlines() if columns(line) > max(width, 60) and not line.startswith(summary)]
    assert not wide


def test_colours_change_nothing_but_colour() -> None:
    for name in ("text", "concise", "statistics"):
        plain = render(name, result(), View(width=80))
        assert COLOURS.sub("", render(name, result(), View(width=80, colour=True))) == plain
        assert ESCAPE not in plain


def test_the_conclusion_says_what_was_looked_at() -> None:
    def ending(**parts: Any) -> list[str]:
        text = render("text", result((), notes=(), **parts), View())
        return text.splitlines()

    assert ending(failures=()) == ["All clear: 2 functions (12 files, 1 suppressed, 0.21 s)"]
    assert ending(failures=(), functions=FUNCTIONS[:1], suppressed=0) == ["All clear: 1 function (12 files, 0.21 s)"]
    nothing = "Nothing was checked: no function found (12 files, 0.21 s)"
    assert ending(functions=(), suppressed=0)[-2] == nothing
    layers = "All clear: no functions, only layers (12 files, 0.21 s)"
    assert ending(failures=(), functions=(), suppressed=0) == [layers]
    assert ending(failures=FAILURES[1:])[-2:] == [
        "Found nothing in 2 functions (12 files, 1 suppressed, 0.21 s)",
        "Incomplete: 1 failure",
    ]


def test_a_finding_whose_source_is_gone_still_has_its_place() -> None:
    for span in (
        Span("gone.py", 3, 4, 3, 9),
        Span("template.yaml", 900, 0, 900, 1),
        Span("template.yaml", 4, 90, 4, 99),
    ):
        found = replace(FINDINGS[3], at=span)
        text = render("text", result((found,), failures=(), notes=()), View(width=80))
        assert f"--> {span.path}:{span.line}:{span.column + 1} in Orders" in text


def test_a_span_that_ends_at_the_start_of_the_next_key_is_drawn_without_it() -> None:
    found = replace(FINDINGS[3], at=Span("template.yaml", 6, 4, 7, 4))
    lines = render("text", result((found,), failures=(), notes=()), View()).splitlines()
    assert lines[3:5] == ["6 |     Type: AWS::Serverless::Function", "  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"]


def test_a_failure_that_is_a_finding_too_is_told_once() -> None:
    found = finding("LL001", "unreadable-input", Severity.ERROR, FAILURES[0].message, Span("broken.yaml", 3, 0, 3, 1))
    for name in ("text", "concise", "github", "markdown"):
        report = render(name, result((found,)), View())
        assert report.count("mapping values are not allowed here") == 1
        assert "Incomplete: 2 failures" in report
    assert len(json.loads(render("json", result((found,)), View()))["errors"]) == 2


def schema() -> Any:
    return json.loads((files("lambdalint.reporters") / "schema.json").read_text(encoding="utf-8"))


def test_the_published_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_json_keeps_the_published_schema() -> None:
    validator = Draft202012Validator(schema())
    for each in (result(), result((), functions=(), failures=(), notes=())):
        document = json.loads(render("json", each, View()))
        assert not [error.message for error in validator.iter_errors(document)]


def test_the_schema_refuses_what_the_contract_does_not_name() -> None:
    validator = Draft202012Validator(schema())
    document = json.loads(render("json", result(), View()))
    document["findings"][0]["extra"] = 1
    document["findings"][1]["entry"] = "a span and an entry"
    del document["findings"][5]["entry"]
    assert len(list(validator.iter_errors(document))) == 3


def test_json_says_null_for_what_the_template_hides() -> None:
    orders, hidden = json.loads(render("json", result(), View()))["functions"]
    assert orders == {
        "name": "Orders",
        "template": "template.yaml",
        "runtime": "python3.13",
        "handler": "app.handler",
        "architectures": ["x86_64"],
        "memory_mb": 128,
        "timeout_s": 3,
        "code": "src",
        "triggers": ["sqs", "schedule"],
        "artifact_bytes": 1234,
    }
    unknown = ("runtime", "handler", "architectures", "memory_mb", "timeout_s", "code", "artifact_bytes")
    assert [hidden[key] for key in unknown] == [None] * len(unknown)


def test_json_keeps_the_text_of_hostile_files_as_it_is() -> None:
    last = json.loads(render("json", result(), View()))["findings"][-1]
    assert last["message"] == FINDINGS[-1].message
    assert last["path"] == "odd,na:me\n.yaml"


def annotation(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it."""
    assert line.startswith("::")
    end = line.index("::", 2)
    command, _, properties = line[2:end].partition(" ")

    def data(text: str) -> str:
        return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")

    def value(text: str) -> str:
        return data(text.replace("%3A", ":").replace("%2C", ","))

    pairs = (pair.partition("=") for pair in properties.split(","))
    return command, {key: value(text) for key, _, text in pairs}, data(line[end + 2 :])


def test_a_runner_reads_the_annotations_back() -> None:
    lines = render("github", result(), View()).splitlines()
    commands = [annotation(line) for line in lines if line.startswith("::")]
    assert len(commands) == len(FINDINGS) + len(FAILURES) + 1
    assert commands[0][:2] == (
        "error",
        {
            "file": "src/app.py",
            "line": "6",
            "col": "18",
            "endLine": "6",
            "endColumn": "32",
            "title": "LN001 unreachable-internet",
        },
    )
    assert commands[1][1] == {
        "file": "src/app.py",
        "line": "10",
        "endLine": "14",
        "title": "LI003 client-per-invocation",
    }
    assert [command for command, _, _ in commands] == [
        *("error", "warning", "error", "error", "notice", "error", "warning"),
        *("error", "error", "notice"),
    ]
    assert commands[6][1]["file"] == "odd,na:me\n.yaml"


@given(st.text(), st.text(min_size=1))
def test_no_text_smuggles_in_a_workflow_command(message: str, path: str) -> None:
    hostile = finding("LC001", "some-name", Severity.ERROR, message, Span(path, 1, 0, 1, 4), function=message)
    for name in ("github", "text", "concise"):
        lines = render(name, result((hostile,), failures=(), notes=(message,)), View()).split("\n")
        commands = [line for line in lines if line.lstrip().startswith("::") and not line.lstrip().startswith(":::")]
        expected = 2 if name == "github" else 0
        assert len(commands) == expected
        for line in commands:
            assert annotation(line)[1].keys() <= {"file", "line", "col", "endLine", "endColumn", "title"}


def test_annotations_are_placed_from_the_root_of_the_repository() -> None:
    text = render("github", result(FINDINGS[:1]), View(folder="services/orders"))
    assert "file=services/orders/src/app.py," in text
    shown_above = replace(result(FINDINGS[:1]), shown=lambda path: f"../shared/{path}")
    assert "file=services/shared/src/app.py," in render("github", shown_above, View(folder="services/orders"))


def test_markdown_survives_what_looks_like_markup() -> None:
    text = render("markdown", result(), View())
    assert "<b>" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {5, 7}


def test_markdown_stays_readable_with_thousands_of_findings() -> None:
    text = render("markdown", result(FINDINGS[:1] * 5000), View())
    assert "… and 4,800 more" in text
    assert len(text.encode()) < 1024 * 1024


@given(st.text())
def test_what_is_visible_is_one_printable_line(text: str) -> None:
    assert visible(text).isprintable()


@given(st.text(), st.integers(1, 80))
def test_what_is_cut_fits(text: str, room: int) -> None:
    assert columns(cut(text, room)) <= room


@given(st.text(), st.integers(0, 100), st.integers(0, 100), st.integers(4, 80))
def test_a_window_shows_where_it_is_asked_to_look(text: str, character: int, length: int, room: int) -> None:
    line = Line.of(text)
    start, end = line.column(character), line.column(character + length)
    window = line.window(start, end, room)
    assert columns(window.text) <= room
    assert 0 <= window.column(start) <= window.column(end) <= columns(window.text)


def test_wide_and_combining_characters_are_measured() -> None:
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
    assert Line.of("\ta\tb").starts == [0, 4, 5, 8, 9]
    assert visible("a\u202eb\x1b[0m\u00a0\udcff") == "a\\u202eb\\x1b[0m\\xa0\\udcff"


def test_packages_are_shown_with_their_sizes() -> None:
    clean = result((), failures=(), notes=())
    packages = (
        Package("Orders", "dist/Orders.zip", "python3.13", "x86_64", 1204, 12_345_678, 4_100_000, "0f" * 32),
        Package("Jobs", "dist/Jobs.zip", "python3.9", "arm64", 1, 812, asides=("no bytecode: there is no Python 3.9",)),
    )
    packaging = Packaging(packages, (("Web", "nodejs22.x is not Python"),), clean, 0.842)
    matches_snapshot("packages.txt", packages_report("text", packaging, View()))
    nothing = packages_report("text", Packaging((), (), clean, 0.1), View())
    assert nothing == "Nothing to package (0.10 s)\n"
    refused = packages_report("text", Packaging((), (), result((), notes=()), 0.1), View())
    assert refused.startswith("failed: broken.yaml: ")


def test_sizes_are_said_as_people_say_them() -> None:
    assert [size(number) for number in (0, 999, 1024, 1_000_000, 262_144_000, 10**10)] == [
        *("0 B", "999 B", "1.0 KB", "976.6 KB", "250.0 MB", "9,536.7 MB"),
    ]
