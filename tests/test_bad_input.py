"""Bad input never gives a traceback, never loses what was found, and never passes for a clean run."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lambdalint
from lambdalint.engine.result import Result
from lambdalint.errors import ExitCode
from lambdalint.store import cache_folder
from lambdalint.testing import check_files

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
APP = "import a\ndef handler(event, context):\n    return {}\n"
GOOD: dict[str, str | bytes] = {"template.yaml": TEMPLATE, "src/app.py": APP, "src/a.py": ""}


def names(result: Result) -> set[str]:
    return {finding.name for finding in result.findings}


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x01" + bytes(200),
        "import os".encode("utf-16"),
        b"# coding: no-such-codec\n",
        b"x = '\xff'\n",
        b"(" * 300,
        b"x = " + b"-" * 100_000 + b"1",
        b"def f(:\n",
        b"print 'hello'\n",
        b"class A:\n" + b"".join(b" " * n + b"if x:\n" for n in range(1, 150)),
        b"f'{" * 200,
    ],
    ids=["elf", "utf-16", "codec", "not-utf-8", "brackets", "minus", "syntax", "python-2", "indented", "f-strings"],
)
def test_a_module_that_does_not_parse_is_said_and_the_rest_is_still_found(content: bytes) -> None:
    result = check_files({**GOOD, "src/a.py": content})
    assert "syntax-error" in names(result)
    assert "memory-out-of-range" in names(result)
    assert result.exit_code(None) is ExitCode.INCOMPLETE


@pytest.mark.parametrize("content", [b"x = a" + b".b" * 3000, b"x = " + b"9" * 5000, b"x = " + b"2**" * 20_000 + b"1"])
def test_only_grammar_is_newer(content: bytes) -> None:
    assert names(check_files({**GOOD, "src/a.py": content})) == {"syntax-error", "memory-out-of-range"}


def test_a_module_that_nobody_wrote_by_hand_is_not_read() -> None:
    result = check_files({**GOOD, "src/a.py": b"#" * (4 * 1024 * 1024 + 1)})
    assert names(result) == {"unreadable-input", "memory-out-of-range"}


def test_hostile_patterns_and_names_take_no_time() -> None:
    files = {**GOOD, ".gitignore": "*" + "a*" * 30 + "b\n" + "/".join(["**", "a"] * 20) + "\n", "a" * 200 + ".yaml": ""}
    assert names(check_files(files)) == {"memory-out-of-range"}
    result = check_files({**GOOD, "src/a.py": "import " + ".".join("a" * 100_000)})
    assert any("1,000 parts" in finding.message for finding in result.findings)


def test_a_broken_module_that_no_handler_loads_is_nobodys_business() -> None:
    assert names(check_files({**GOOD, "src/broken.py": "def f(:\n"})) == {"memory-out-of-range"}


def test_an_empty_module_is_fine() -> None:
    assert names(check_files({**GOOD, "src/a.py": b""})) == {"memory-out-of-range"}


def test_modules_may_import_each_other() -> None:
    files = {**GOOD, "src/a.py": "import b\nfrom app import handler\n", "src/b.py": "import a\nimport app\n"}
    assert names(check_files(files)) == {"memory-out-of-range"}


@pytest.mark.parametrize(
    "broken",
    [
        "Resources: [AWS::X",
        "Resources:\n  A: {Type: AWS::X\n",
        "Resources:\n  \tA: AWS::X\n",
        "Resources: AWS::X\nA: *b\n",
        "# AWS::X Resources\n" + "- " * 20_000,
        "# AWS::X Resources\n" + "[" * 20_000,
        "# AWS::X\nResources: \x00\n",
        '{"Resources": {"A": {"Type": "AWS::X"}},}',
        b"Resources: AWS::X \xff\xfe\n",
    ],
)
def test_a_template_that_cannot_be_read_is_a_finding_beside_the_others(broken: str | bytes) -> None:
    result = check_files({**GOOD, "other/broken.yaml": broken})
    assert {"unreadable-input", "memory-out-of-range"} <= names(result)
    (found,) = (each for each in result.findings if each.name == "unreadable-input")
    assert found.at.path == "other/broken.yaml"
    assert result.exit_code(None) is ExitCode.INCOMPLETE


as_user = pytest.mark.skipif(
    not hasattr(os, "geteuid"), reason="this system has no permissions that could be taken away"
)


@as_user
@pytest.mark.parametrize("shut", ["sub", "src", "src/data", "src/a.py"])
def test_what_may_not_be_read_is_a_finding(tmp_path: Path, shut: str) -> None:
    for folder in ("sub", "src/data"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "src/app.py").write_text(APP)
    (tmp_path / "src/a.py").write_text("")
    (tmp_path / shut).chmod(0)
    with _unprivileged(tmp_path):
        result = lambdalint.check([tmp_path], cache=False)
    (tmp_path / shut).chmod(0o755)
    also = {"wrong-entry-mode"} if shut == "src/a.py" else set()
    assert names(result) == {"unreadable-input", "memory-out-of-range"} | also
    assert result.exit_code(None) is ExitCode.INCOMPLETE


@contextmanager
def _unprivileged(folder: Path) -> Iterator[None]:
    """Root may read everything, so another user looks."""
    if os.geteuid() != 0:
        yield
        return
    lambdalint.check([folder], cache=False)  # loads all modules while they can be read
    parents = [each for each in (folder, *folder.parents) if each.stat().st_uid == 0 and len(each.parts) > 2]
    modes = [(each, each.stat().st_mode) for each in parents]
    for each, mode in modes:
        each.chmod(mode | 0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for each, mode in modes:
            each.chmod(mode)


def test_folders_may_lie_deep_in_each_other(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text("def handler(event, context): ...\n")
    tmp_path.joinpath(*["d"] * 100).mkdir(parents=True)
    result = lambdalint.check([tmp_path], cache=False)
    assert names(result) == {"unreadable-input", "memory-out-of-range"}
    assert [each.message for each in result.failures] == [
        "folders lie more than 64 deep here; what is below was not looked at"
    ]


BOMB = "a0: &a0 {Type: AWS::X}\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


def test_aliases_do_not_multiply_without_bound() -> None:
    result = check_files({**GOOD, "bomb.yaml": BOMB + "Resources: *a11\n"})
    assert "unreadable-input" in names(result)


def test_references_may_go_in_circles() -> None:
    template = TEMPLATE + (
        "Conditions:\n  A: !Condition B\n  B: !Condition A\nParameters:\n  P: {Type: String, Default: !Ref P}\n"
        "Outputs:\n  X: {Value: !If [A, !Ref Orders, !Ref P]}\n"
    )
    template = template.replace("MemorySize: 64", "MemorySize: !If [A, !Ref P, 64]")
    assert "crashed-rule" not in names(check_files({**GOOD, "template.yaml": template}))


def _variable(value: str, before: str = "") -> dict[str, str | bytes]:
    """A project with an environment variable of that value, and a template that begins with *before*."""
    return {**GOOD, "template.yaml": f"{before}{TEMPLATE}      Environment: {{Variables: {{X: {value}}}}}\n"}


def _lines(line: str, count: int) -> str:
    """*line* with ``#`` and ``@`` replaced by each number and the one after it."""
    return "".join(line.replace("#", str(number)).replace("@", str(number + 1)) + "\n" for number in range(count))


HOSTILE = {
    "a map that leads to itself": _variable("!FindInMap [M, K, V]", "Mappings: {M: {K: {V: !FindInMap [M, K, V]}}}\n"),
    "a long chain of maps": _variable(
        "!FindInMap [M, K, V0]", "Mappings:\n  M:\n    K:\n" + _lines("      V#: !FindInMap [M, K, V@]", 900)
    ),
    "conditions that double": _variable(
        "!If [C0, a, b]",
        "Conditions:\n  C60: !Equals [a, a]\n" + _lines("  C#: !And [Condition: C@, Condition: C@]", 60),
    ),
    "a long chain of conditions": _variable(
        "!If [C0, a, b]", "Conditions:\n" + _lines("  C#: !Not [Condition: C@]", 3000)
    ),
    "texts that grow": _variable(
        f"!Sub '{'${P}' * 100_000}'", f"Parameters: {{P: {{Type: String, Default: {'x' * 100_000}}}}}\n"
    ),
    "references that grow": _variable(
        "*a6", "X: &a0 !Ref Q\n" + _lines(f"X@: &a@ !Sub ['{'${X}-' * 300}', {{X: *a#}}]", 6)
    ),
    "placeholders that do not end": _variable(f"'{'{' * 1_000_000}'"),
    "variables that do not end": _variable(f"!Sub '{'${' * 500_000}'"),
}


@pytest.mark.parametrize("files", HOSTILE.values(), ids=HOSTILE)
def test_hostile_templates_cost_little(files: dict[str, str | bytes]) -> None:
    started = process_time()
    assert "memory-out-of-range" in names(check_files(files))
    assert process_time() - started < 5


@pytest.mark.parametrize(
    "properties",
    [
        "[]",
        "text",
        "!If [A, {Handler: app.handler}, !Ref AWS::NoValue]",
        "{Handler: [], Runtime: {}, CodeUri: 3, MemorySize: [1], Timeout: {a: b}, Environment: [], Layers: {a: b}}",
        "{Handler: !Ref A, Runtime: python3.13, Environment: {Variables: text}, Events: [1], VpcConfig: 7}",
        "{Handler: app.handler, Runtime: python3.13, CodeUri: ../../../etc, Architectures: arm64, Layers: x}",
        "{Handler: '', Runtime: '', CodeUri: '', EphemeralStorage: 5, Events: {A: {Type: SQS, Properties: []}}}",
        "{Handler: '.', Runtime: python3.13, CodeUri: src, Events: {A: 1, B: {Type: [S3]}}, FunctionUrlConfig: 1}",
        "{Handler: app.handler, Runtime: python9.99, CodeUri: src, MemorySize: 1e309, Timeout: .nan}",
    ],
)
def test_properties_of_odd_shape_crash_nothing(properties: str) -> None:
    template = TEMPLATE[: TEMPLATE.index("    Properties:")] + f"    Properties: {properties}\n"
    for kind in ("AWS::Serverless::Function", "AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::EC2::Subnet"):
        result = check_files({**GOOD, "template.yaml": template.replace("AWS::Serverless::Function", kind)})
        assert "crashed-rule" not in names(result), [each.message for each in result.findings]


@settings(max_examples=60)
@given(st.integers(0, len(TEMPLATE) - 1), st.sampled_from(["", " ", ":", "[", "{", "!", "&a ", "*a", "\n", "- ", "'"]))
def test_no_change_of_one_character_makes_a_check_fail(at: int, character: str) -> None:
    result = check_files({**GOOD, "template.yaml": TEMPLATE[:at] + character + TEMPLATE[at + 1 :]})
    assert "crashed-rule" not in names(result)


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_an_empty_folder_is_no_clean_run(tmp_path: Path) -> None:
    result = lambdalint.check([tmp_path], cache=False)
    assert result.exit_code(None) is ExitCode.INCOMPLETE
    assert "no Lambda function" in result.failures[0].message
    assert result.failures[0].hint


def test_links_that_loop_or_leave_are_not_followed(tmp_path: Path) -> None:
    project = write(tmp_path / "project", GOOD)
    (project / "src" / "loop").symlink_to(project / "src")
    (project / "self").symlink_to(project / "self")
    (project / "out").symlink_to("/etc")
    assert names(lambdalint.check([project], cache=False)) == {"memory-out-of-range"}


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = write(tmp_path, GOOD)
    real = Path.read_bytes

    def refusing(self: Path) -> bytes:
        if self.name == "a.py":
            raise PermissionError(13, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    result = lambdalint.check([project], cache=False)
    assert any("Permission denied" in failure.message for failure in result.failures)


def test_a_huge_yaml_that_is_no_template_is_passed_by(tmp_path: Path) -> None:
    project = write(tmp_path, GOOD)
    with (project / "data.yaml").open("w") as file:
        for _ in range(50):
            file.write("- {Resources: 'AWS::X'}\n" * 40_000)
    assert names(lambdalint.check([project], cache=False)) == {"memory-out-of-range"}


def test_a_huge_template_that_is_named_is_said(tmp_path: Path) -> None:
    project = write(tmp_path, GOOD)
    (project / "big.yaml").write_bytes(b"# Resources: AWS::X\n" * 1_000_000)
    result = lambdalint.check([project / "big.yaml"], cache=False)
    assert "too large for a template" in result.findings[0].message


@pytest.mark.skipif(sys.platform == "win32", reason="names of bytes are not Windows's")
def test_a_name_that_is_no_text_is_no_trouble(tmp_path: Path) -> None:
    project = write(tmp_path, GOOD)
    Path(os.fsdecode(os.fsencode(project / "src") + b"/\xff.py")).write_text("")
    assert names(lambdalint.check([project], cache=False)) == {"memory-out-of-range", "unsafe-entry"}


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LAMBDALINT_CACHE_DIR", raising=False)
    assert cache_folder() is None
