"""The engine: what runs on what, what is remembered, and what happens when something goes wrong."""

import ast
import gc
import json
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from lambdalint.engine.cache import Cache, digest
from lambdalint.engine.executors import Processes, Serial
from lambdalint.engine.registry import Registry
from lambdalint.engine.result import Result
from lambdalint.engine.run import Options, run
from lambdalint.engine.select import Selection, selected
from lambdalint.engine.shelf import Shelf
from lambdalint.errors import ExitCode, RuleError, UsageError
from lambdalint.model.finding import Confidence, Finding, Profile, Severity
from lambdalint.model.places import Span
from lambdalint.readers.tree import MemoryTree
from lambdalint.rule import Function, Known, Module, PerModule, Problem, Problems, Project, Source, rule
from lambdalint.store import Store
from lambdalint.testing import TODAY, check_files

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
APP = """\
import work

def handler(event, context):
    return work.now()

def never():
    TODO = 1
"""
WORK = """\
def now():
    TODO = 2
    return {}
"""
FILES: dict[str, str | bytes] = {"template.yaml": TEMPLATE, "src/app.py": APP, "src/work.py": WORK}


@dataclass(frozen=True, slots=True)
class Todos:
    """Where a module assigns to TODO."""

    spans: tuple[Span, ...]

    @classmethod
    def of(cls, tree: ast.Module, source: Source) -> "Todos":
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "TODO"]
        return cls(tuple(source.span(node) for node in names))


@rule("XX001", "left-to-do", severity=Severity.WARNING, since="1", bad={}, good={}, covers=("ruff:TD001",))
def left_to_do(module: Module, todos: Todos) -> Problems:
    for span in todos.spans:
        yield Problem(span, f"{module.path} has something left to do")


@rule("XX002", "busy-function", severity=Severity.ERROR, since="1", bad={}, good={}, profile=Profile.STRICT)
def busy(function: Function, todos: PerModule[Todos]) -> Problems:
    count = sum(len(todos[path].spans) for path in function.modules.values())
    yield Problem(function.span, f"{function.name} has {count} things left to do")


@rule("XX003", "always-crashing", severity=Severity.ERROR, since="1", bad={}, good={}, profile=Profile.STRICT)
def crashing(function: Function) -> Problems:
    yield Problem(function.span, "before")
    raise ZeroDivisionError(function.name)


@rule("YY001", "slow-function", severity=Severity.ERROR, confidence=Confidence.LOW, since="1", bad={}, good={})
def slow(function: Function, project: Project) -> Problems:
    match function.timeout_s:
        case Known(seconds, span) if seconds > 1:
            yield Problem(span, f"{seconds} s, of {len(project.functions)} functions")


REGISTRY = Registry.of([left_to_do, busy, crashing, slow])


def findings(result: Result) -> list[tuple[str, str, int]]:
    return [(each.code, each.at.path, each.at.line) for each in result.findings if isinstance(each.at, Span)]


def check(files: dict[str, str | bytes], *select: str) -> Result:
    return check_files(files, select=select, registry=REGISTRY)


def test_a_module_rule_speaks_only_of_code_that_a_handler_reaches() -> None:
    assert findings(check(FILES, "XX001")) == [("XX001", "src/work.py", 2)]


def test_a_module_that_was_looked_at_leaves_no_tree_behind() -> None:
    gc.collect()
    before = sum(isinstance(each, ast.Module) for each in gc.get_objects())
    gc.disable()
    try:
        check_files(FILES)
        assert sum(isinstance(each, ast.Module) for each in gc.get_objects()) == before
    finally:
        gc.enable()


def test_facts_are_the_same_after_they_were_packed() -> None:
    @dataclass
    class NotPickled:
        path: str

    paths = [f"src/{number}.py" for number in range(10)]
    kept: dict[str, dict[type, object]] = {path: {Todos: Todos((Span.whole(path),))} for path in paths}
    kept["src/5.py"] = {NotPickled: NotPickled("src/5.py")}
    shelf = Shelf(most=250)
    for path, facts in kept.items():
        shelf.put(path, facts, 100)
    for _ in range(10):
        for path, facts in kept.items():
            assert {fact: shelf.get(path, fact) for fact in facts} == facts
    assert shelf.get("src/6.py", Todos) is not kept["src/6.py"][Todos], "it was never packed"
    assert shelf.get("src/6.py", NotPickled) is None
    assert "src/6.py" in shelf
    assert "src/11.py" not in shelf
    assert shelf.get("src/11.py", Todos) is None


def test_a_function_rule_sees_a_fact_of_every_module() -> None:
    assert [each.message for each in check(FILES, "busy-function").findings] == ["Orders has 2 things left to do"]


def test_an_error_of_low_confidence_is_shown_as_a_warning() -> None:
    (found,) = check(FILES, "YY").findings
    assert (found.severity, found.message) == (Severity.WARNING, "3 s, of 1 functions")


def test_a_crashing_rule_costs_that_rule_on_that_subject_and_makes_the_report_incomplete() -> None:
    result = check(FILES, "XX")
    assert {each.name for each in result.findings} == {"left-to-do", "busy-function", "crashed-rule"}
    assert any("ZeroDivisionError: Orders" in each.message for each in result.findings)
    assert result.exit_code(None) is ExitCode.INCOMPLETE


def test_rules_are_selected_by_code_name_family_and_a_peers_id() -> None:
    def chosen(**wanted: object) -> list[str]:
        return [each.code for each in selected(REGISTRY, Selection(**wanted))]  # type: ignore[arg-type]

    assert chosen() == ["XX001", "YY001"]
    assert chosen(profile=Profile.STRICT) == ["XX001", "XX002", "XX003", "YY001"]
    assert chosen(select=("ruff:TD001",)) == ["XX001"]
    assert chosen(select=("XX",), ignore=("busy-function",)) == ["XX001", "XX003"]
    assert chosen(extend_select=("XX002",)) == ["XX001", "XX002", "YY001"]


def test_a_mistyped_rule_is_told_with_the_nearest_name() -> None:
    with pytest.raises(UsageError) as caught:
        REGISTRY.find("left-to-doo")
    assert caught.value.hint == "did you mean 'left-to-do'?"


def test_two_rules_of_one_name_are_refused() -> None:
    again = rule("XX009", "left-to-do", severity=Severity.INFO, since="1", bad={}, good={})(slow.check)
    with pytest.raises(RuleError, match="left-to-do is taken by"):
        Registry.of([left_to_do, again])


def test_a_rule_that_asks_for_what_it_cannot_have_is_refused_with_its_line() -> None:
    make = rule("XX008", "wrong", severity=Severity.INFO, since="1", bad={}, good={})

    def no_subject(number: int) -> Problems:
        yield from ()

    def no_type(function: Function, other) -> Problems:  # type: ignore[no-untyped-def]
        yield from ()

    def no_fact(function: Function, text: str) -> Problems:
        yield from ()

    def wrong_scope(function: Function, todos: Todos) -> Problems:
        yield from ()

    for check_, says in (
        (no_subject, "no subject"),
        (no_type, "'other' has no type"),
        (no_fact, "no fact"),
        (wrong_scope, "a fact about one Module"),
    ):
        with pytest.raises(RuleError, match=says) as caught:
            make(check_)
        assert f"{__file__}:{check_.__code__.co_firstlineno}" in caught.value.message


SUPPRESSED = WORK.replace("TODO = 2", "TODO = 2  # lambdalint: ignore[left-to-do]")


@pytest.mark.parametrize(
    ("comment", "silenced"),
    [
        ("# lambdalint: ignore[left-to-do]", True),
        ("# lambdalint: ignore[XX001, busy-function]", True),
        ("# lambdalint: ignore[XX]", True),
        ("# lambdalint: ignore", True),
        ("# noqa: TD001", True),
        ("# noqa: E501", False),
        ("# lambdalint: ignore[busy-function]", False),
    ],
)
def test_a_comment_on_the_line_silences(comment: str, silenced: bool) -> None:
    result = check({**FILES, "src/work.py": WORK.replace("TODO = 2", f"TODO = 2  {comment}")}, "XX001")
    assert ("left-to-do" not in {each.name for each in result.findings}) is silenced
    assert result.summary.suppressed == silenced


def test_text_that_looks_like_a_comment_silences_nothing() -> None:
    work = WORK.replace("TODO = 2", 'TODO = "# lambdalint: ignore[left-to-do]"')
    assert findings(check({**FILES, "src/work.py": work}, "XX001")) == [("XX001", "src/work.py", 2)]


def test_a_comment_in_a_template_silences() -> None:
    template = TEMPLATE.replace("  Orders:", "  Orders: # lambdalint: ignore[busy-function]")
    assert findings(check({**FILES, "template.yaml": template}, "XX002")) == []


@pytest.mark.parametrize(
    "metadata",
    [
        "Metadata: {lambdalint: {ignore: [busy-function]}}",
        "Metadata: {lambdalint: {ignore: XX}}",
    ],
)
def test_metadata_of_the_resource_silences(metadata: str) -> None:
    assert findings(check({**FILES, "template.yaml": f"{TEMPLATE}    {metadata}\n"}, "XX002")) == []


def test_an_ignore_that_silences_nothing_is_a_finding() -> None:
    work = WORK.replace("TODO = 2", "x = 2  # lambdalint: ignore[left-to-do, no-such-rule]")
    result = check({**FILES, "src/work.py": work}, "XX001")
    assert [(each.name, each.message) for each in result.findings] == [
        ("unused-ignore", "left-to-do finds nothing here, so this ignores nothing"),
        ("unused-ignore", "no rule is called 'no-such-rule', so this ignores nothing"),
    ]


def test_an_ignore_for_a_rule_that_did_not_run_is_no_finding() -> None:
    work = WORK.replace("TODO = 2", "x = 2  # lambdalint: ignore[busy-function]")
    assert findings(check({**FILES, "src/work.py": work}, "XX001")) == []


def test_paths_of_the_configuration_are_silent() -> None:
    result = run(
        MemoryTree(FILES),
        ("",),
        Options(selection=Selection(select=("XX001",)), per_path_ignores={"src/**": ("XX",)}, today=TODAY),
        REGISTRY,
        cache=Cache(None),
        executor=Serial(),
        version="",
    )
    assert findings(result) == []
    assert result.summary.suppressed == 1


def test_a_mistyped_rule_for_a_path_is_an_error() -> None:
    options = Options(per_path_ignores={"src/**": ("XX9",)}, today=TODAY)
    with pytest.raises(UsageError, match="no rule is called 'XX9'"):
        run(MemoryTree(FILES), ("",), options, REGISTRY, cache=Cache(None), executor=Serial(), version="")


@pytest.mark.parametrize("ignored", ["unused-ignore", "LL004", "LL"])
def test_unused_ignores_may_be_ignored(ignored: str) -> None:
    files = {**FILES, "src/work.py": WORK.replace("TODO = 2", "x = 2  # lambdalint: ignore[todo-name]")}
    options = Options(selection=Selection(ignore=(ignored,)), today=TODAY)
    result = run(MemoryTree(files), ("",), options, REGISTRY, cache=Cache(None), executor=Serial(), version="")
    assert "unused-ignore" not in {finding.name for finding in result.findings}


def test_a_peers_id_that_nothing_covers_is_no_misspelling() -> None:
    with pytest.raises(UsageError, match="no rule covers 'checkov:CKV_AWS_0'"):
        REGISTRY.find("checkov:CKV_AWS_0")


def test_a_fingerprint_survives_a_move_of_the_line() -> None:
    moved = {**FILES, "src/work.py": "# a comment\n\n" + WORK}
    (first,), (second,) = check(FILES, "XX001").findings, check(moved, "XX001").findings
    assert first.at != second.at
    assert first.fingerprint == second.fingerprint


def many() -> dict[str, str | bytes]:
    """A project with more modules than processes are started for."""
    count = Processes.WORTHWHILE + 20
    files: dict[str, str | bytes] = {"template.yaml": TEMPLATE}
    files["src/app.py"] = "".join(f"import m{n}\n" for n in range(count)) + "def handler(event, context): ...\n"
    files |= {f"src/m{n}.py": f"TODO = {n}\n" for n in range(count)}
    return files


def check_real(files: dict[str, str | bytes], cache: Cache, jobs: int = 1, version: str = "1") -> list[Finding]:
    executor = Processes(jobs) if jobs > 1 else Serial()
    try:
        options = Options(selection=Selection(profile=Profile.STRICT), today=TODAY)
        registry = Registry.load()
        result = run(MemoryTree(files), ("",), options, registry, cache=cache, executor=executor, version=version)
        return list(result.findings)
    finally:
        if isinstance(executor, Processes):
            executor.close()


def faulty(count: int) -> dict[str, str | bytes]:
    files = many()
    for n in range(count):
        files[f"src/m{n}.py"] = "import requests\nrequests.get('https://example.org')\n"
    return files


def test_every_executor_gives_the_same_findings_in_the_same_order() -> None:
    files = faulty(30)
    serial = check_real(files, Cache(None))
    assert len(serial) >= 30
    assert check_real(files, Cache(None), jobs=2) == serial


def test_a_warm_cache_gives_the_same_findings(tmp_path: Path) -> None:
    files = faulty(3)
    cold = check_real(files, Cache(tmp_path))
    entries = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert entries
    assert check_real(files, Cache(tmp_path)) == cold
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == entries


@pytest.mark.parametrize("damage", [b"", b"\x80", b"x" * 200])
def test_a_damaged_cache_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    files = faulty(3)
    cold = check_real(files, Cache(tmp_path))
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(damage or path.read_bytes()[:-5])
    assert check_real(files, Cache(tmp_path)) == cold


def test_runs_may_share_a_cache(tmp_path: Path) -> None:
    files = faulty(3)
    cold = check_real(files, Cache(None))
    with ThreadPoolExecutor(4) as pool:
        assert all(found == cold for found in pool.map(lambda _: check_real(files, Cache(tmp_path)), range(8)))


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check_real(FILES, Cache(tmp_path / "file" / "below"))


def test_the_cache_makes_nothing_but_our_own_values(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(digest("key"), os.system)
    assert cache.get(digest("key")) is None
    for module, name in (("lambdalint.store", "os.getcwd"), ("lambdalint.api", "cache_folder"), ("os", "getcwd")):
        called = b"\x80\x04" + b"".join(b"\x8c" + bytes([len(each)]) + each.encode() for each in (module, name))
        Store(tmp_path).put("results", digest("key"), called + b"\x93)R.")
        assert cache.get(digest("key")) is None
    cache.put(digest("key"), Span.whole("a"))
    assert cache.get(digest("key")) == Span.whole("a")


PACK = '''\
"""Names ought to be short.

Source: https://example.org/names
"""

import ast
from dataclasses import dataclass

from lambdalint.rule import Function, PerModule, Problem, Problems, Severity, rule


@dataclass(frozen=True, slots=True)
class Lines:
    count: int

    @classmethod
    def of(cls, tree: ast.Module) -> "Lines":
        return cls(tree.body[-1].end_lineno or 0)


@rule("ZZ001", "long-module", severity=Severity.WARNING, since="1",
      bad={"template.yaml": "x"}, good={"template.yaml": "y"})
def check(function: Function, lines: PerModule[Lines]) -> Problems:
    for path in function.modules.values():
        yield Problem(function.span, f"{path} has {lines[path].count} lines")
'''


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of rules as somebody would publish it, installed by pip beside lambdalint."""
    wheel = tmp_path / "house_rules-1.0-py3-none-any.whl"
    info = "house_rules-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("house_rules/__init__.py", "")
        archive.writestr("house_rules/long_module.py", PACK)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: house-rules\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/entry_points.txt", "[lambdalint.rules]\nhouse = house_rules\n")
        archive.writestr(f"{info}/RECORD", "")
    site = tmp_path / "site"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return site


def lambdalint(*arguments: str, cwd: Path, site: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LAMBDALINT_CACHE_DIR": str(cwd / ".cache")}
    if site:
        environment["PYTHONPATH"] = str(site)
    command = [sys.executable, "-m", "lambdalint", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_a_third_party_pack_adds_a_rule_with_a_fact_of_its_own(pack: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    for path, text in FILES.items():
        (project / path).write_text(str(text))
    for _ in ("cold", "warm"):
        done = lambdalint("check", ".", "--select", "ZZ", "--output-format", "json", cwd=project, site=pack)
        assert done.returncode == ExitCode.FINDINGS, done.stderr
        found = json.loads(done.stdout)["findings"]
        assert sorted(each["message"] for each in found) == ["src/app.py has 7 lines", "src/work.py has 3 lines"]
    listed = json.loads(lambdalint("rules", "--output-format", "json", cwd=project, site=pack).stdout)
    assert "long-module" in {each["name"] for each in listed}


def test_a_pack_that_does_not_import_is_told(pack: Path, tmp_path: Path) -> None:
    (pack / "house_rules" / "long_module.py").write_text("import nowhere_to_be_found\n")
    done = lambdalint("rules", cwd=tmp_path, site=pack)
    assert done.returncode == ExitCode.USAGE
    assert "house_rules.long_module does not import" in done.stderr
    assert "Traceback" not in done.stderr
