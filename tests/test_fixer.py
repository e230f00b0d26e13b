"""Fixes: what they write, and that nothing is left to fix after them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

import lambdalint
from lambdalint.cli import main
from lambdalint.engine.edits import edits_of
from lambdalint.engine.registry import Registry
from lambdalint.engine.result import Result
from lambdalint.engine.text import Text
from lambdalint.fixer import Fixed, fixed
from lambdalint.model.changes import (
    AddParameter,
    AwaitHandler,
    Change,
    MoveToModule,
    PrefixText,
    ReadKeys,
    Refer,
    RenameKey,
    Rewrite,
    SetArgument,
    SetProperty,
    Wrap,
)
from lambdalint.model.finding import Applicability, Edit, Fix
from lambdalint.model.places import Span
from lambdalint.readers.tree import MemoryTree, Tree
from lambdalint.rule import Function, Problem, Problems, Rule, Severity, rule
from lambdalint.testing import RuleExample, check_tree, examples
from tests.parity.faults import FAULTS, Fault
from tests.test_parity import WRITERS

HAND_WRITTEN = tuple(name for name in WRITERS if name != "cdk")
#: Terraform has a block for variables, which may be there already or not.
ONLY_WHERE_VARIABLES_ARE_A_PROPERTY = ("LF004",)

RULES = Registry.load().rules
FIXABLE = [each for each in examples(RULES) if each.rule.fix != "none" and not each.good]


def fix_all(
    files: Mapping[str, str | bytes], *codes: str, unsafe: bool = True, registry: Registry | None = None
) -> tuple[Fixed, dict[str, bytes]]:
    """What fixing *files* comes to, and all files after it."""
    tree = MemoryTree(files)

    def check(changed: Tree) -> Result:
        return check_tree(changed, select=codes, registry=registry)

    done = fixed(tree, check(tree), check, unsafe=unsafe)
    original = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return done, {**original, **done.contents}


def changed(text: str, *changes: Change, path: str = "app.py") -> str | None:
    """*text* after *changes*; ``None`` when they cannot be made."""
    edits = edits_of(Fix("", Applicability.UNSAFE, changes=changes), lambda _: text)
    if edits is None:
        return None
    file = Text(path, text)
    for edit in sorted(edits, key=lambda each: each.span, reverse=True):
        start, end = file.bounds(edit.span)
        text = text[:start] + edit.text + text[end:]
    return text


def span(text: str, part: str, path: str = "app.py") -> Span:
    start = text.index(part)
    return Text(path, text).edit(start, start + len(part), "").span


@pytest.mark.parametrize("example", FIXABLE, ids=str)
def test_a_fixed_example_has_nothing_left_to_fix(example: RuleExample) -> None:
    before = [each for each in example.run().findings if each.code == example.rule.code]
    done, files = fix_all(example.files, example.rule.code)
    left = check_tree(MemoryTree(files), select=(example.rule.code,))
    assert not done.broken
    assert not [each.message for each in left.findings if each.fix and edits_of(each.fix, left.read_text)]
    assert len([each for each in left.findings if each.code == example.rule.code]) <= len(before) - done.findings
    for path, content in example.files.items():
        if isinstance(content, str):
            assert files[path].decode().count("#") == content.count("#")
    again, _ = fix_all(files, example.rule.code)
    assert again.contents == {}
    applicability = {each.fix.applicability.value for each in before if each.fix}
    assert applicability <= {example.rule.fix}


def faults_with_a_fix() -> Iterator[object]:
    """The faults that all languages have in common, in those whose files are not made by a program."""
    fixable = {rule.code for rule in RULES if rule.fix != "none"}
    for fault in FAULTS:
        if fault.rule in fixable and not fault.bad.inline:
            yield pytest.param(fault, [name for name in HAND_WRITTEN if name not in fault.inexpressible], id=str(fault))


@pytest.mark.parametrize(("fault", "languages"), list(faults_with_a_fix()))
def test_what_is_fixed_in_one_language_is_fixed_in_all(fault: Fault, languages: list[str]) -> None:
    left = {}
    for language in languages:
        written = WRITERS[language](fault.bad)
        done, files = fix_all(written.files, fault.rule)
        assert not done.broken
        result = check_tree(MemoryTree(files), select=(fault.rule,))
        assert not result.failures
        left[language] = [each.code for each in result.findings]
    if fault.rule in ONLY_WHERE_VARIABLES_ARE_A_PROPERTY:
        left.pop("terraform", None)
    assert len({tuple(each) for each in left.values()}) == 1, left


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fix != "none"], ids=lambda rule: rule.name)
def test_a_rule_that_says_so_fixes_one_of_its_examples(rule: Rule) -> None:
    assert any(fix_all(each.files, each.rule.code)[0].findings for each in FIXABLE if each.rule is rule)


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        ("A: 64  # small\n", Rewrite(Span("t.yaml", 1, 3, 1, 5), "64", "128"), "A: 128  # small\n"),
        ("A: '64'\n", Rewrite(Span("t.yaml", 1, 3, 1, 7), "64", "128"), "A: '128'\n"),
        ("A: 0x40\n", Rewrite(Span("t.yaml", 1, 3, 1, 7), "64", "128"), None),
        ("TABLES: a\n", RenameKey(Span("t.yaml", 1, 8, 1, 9), "TABLES", "TABLE"), "TABLE: a\n"),
        ("  'TABLES': !Ref a\n", RenameKey(Span("t.yaml", 1, 17, 1, 18), "TABLES", "T"), "  'T': !Ref a\n"),
        ("{MY_TABLES: a}\n", RenameKey(Span("t.yaml", 1, 12, 1, 13), "TABLES", "TABLE"), None),
    ],
)
def test_values_and_keys_are_written_anew_where_they_are_as_expected(
    text: str, change: Change, expected: str | None
) -> None:
    assert changed(text, change, path="t.yaml") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Q:\n  Type: T  # why\n", "Q:\n  Type: T  # why\n  Properties:\n    Delay: 5\n"),
        ("Q:\n  Properties:\n    Name: q\n  Type: T\n", "Q:\n  Properties:\n    Name: q\n    Delay: 5\n  Type: T\n"),
        (
            "Q:\n  Properties:\n    Tags:\n      - a\n",
            "Q:\n  Properties:\n    Delay: 5\n    Tags:\n      - a\n",
        ),
        ("Q: {Type: T}\n", "Q: {Properties: {Delay: 5}, Type: T}\n"),
        ("Q: {Type: T, Properties: {}}\n", "Q: {Type: T, Properties: {Delay: 5}}\n"),
        ('{"Q": {\n  "Type": "T"\n}}', '{"Q": {\n  "Properties": {"Delay": 5},\n  "Type": "T"\n}}'),
        ("Q:\n  Properties: {Delay: 1}\n", None),
        ("Q:\n  Properties: !Ref Other\n", None),
        ("Q:\n  Properties:\n    Fn::Transform: {Name: AWS::Include}\n", None),
        ("Q:\n", None),
    ],
)
def test_properties_are_written_as_what_is_around_them(text: str, expected: str | None) -> None:
    change = SetProperty(span(text, '"Q"' if '"' in text else "Q", "t.yaml"), ("Properties", "Delay"), 5)
    assert changed(text, change, path="t.yaml") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('resource "aws_q" "q" { # why\n}\n', 'resource "aws_q" "q" { # why\n  types = ["A"]\n}\n'),
        ('resource "aws_q" "q" { name = "q" }\n', None),
    ],
)
def test_attributes_are_written_into_blocks(text: str, expected: str | None) -> None:
    change = SetProperty(Span("main.tf", 1, 17, 1, 20), ("Properties", "Types"), ("A",), attribute="types")
    assert changed(text, change, path="main.tf") == expected


@pytest.mark.parametrize(
    ("text", "call", "expected"),
    [
        ("get()\n", "get()", "get(timeout=5)\n"),
        ("get(u)  # why\n", "get(u)", "get(u, timeout=5)  # why\n"),
        ("get(u, timeout=None)\n", "get(u, timeout=None)", "get(u, timeout=5)\n"),
        ("get(u, None)\n", "get(u, None)", "get(u, 5)\n"),
        ("get(\n    u,  # here\n)\n", "get(\n    u,  # here\n)", "get(\n    u,\n    timeout=5,  # here\n)\n"),
        ("é = 'é', get(*u)\n", "get(*u)", "é = 'é', get(*u, timeout=5)\n"),
        ("get(u).get(v)\n", "get(u)", "get(u, timeout=5).get(v)\n"),
        ("get((u))\n", "get((u))", "get((u), timeout=5)\n"),
        ("get(x for x in u)\n", "get(x for x in u)", None),
        ("get = 1\n", "get", None),
    ],
)
def test_arguments_are_passed(text: str, call: str, expected: str | None) -> None:
    assert changed(text, SetArgument(span(text, call), "timeout", "5", position=1)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f({'a': 1})\n", "import json\n\nf({'a': json.dumps(1)})\n"),
        ("import json\nf({'a': (1)})\n", "import json\nf({'a': (json.dumps(1))})\n"),
        ('"""Doc."""\nf({"a": 1, **b})\n', '"""Doc."""\n\nimport json\nf({"a": json.dumps(1), **b})\n'),
        ("import os\nf({'a': 1})\n", "import json\nimport os\nf({'a': json.dumps(1)})\n"),
        ("from a import b\nf({'a': 1})\n", "import json\nfrom a import b\nf({'a': json.dumps(1)})\n"),
        (
            "from __future__ import annotations\nf({'a': 1})\n",
            "from __future__ import annotations\n\nimport json\nf({'a': json.dumps(1)})\n",
        ),
        ("json = 1\nf({'a': 1})\n", None),
        ("import simplejson as json\nf({'a': 1})\n", None),
        ("f({'a': 1, 'a': 2})\n", None),
        ("f(a)\n", None),
    ],
)
def test_expressions_are_wrapped_with_what_has_to_be_imported(text: str, expected: str | None) -> None:
    change = Wrap(span(text, text[text.index("f(") :].rstrip()), "json.dumps({})", (0, "a"), ("json",))
    assert changed(text, change) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("open('a', 'w')\n", "open('/tmp/a', 'w')\n"),
        ('open(rb"""a""")\n', 'open(rb"""/tmp/a""")\n'),
        ("open(f'{a}' 'b')\n", "open(f'/tmp/{a}' 'b')\n"),
        ("open(a)\n", None),
    ],
)
def test_texts_get_a_prefix(text: str, expected: str | None) -> None:
    assert changed(text, PrefixText(span(text, text.rstrip()), "/tmp/", (0,))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(r['a'])\n", "f(r['k']['b'])\n"),
        ("f((r)['a'])\n", None),
        ("f(r.a)\n", None),
        ("f(r['b'])\n", None),
    ],
)
def test_other_keys_are_read(text: str, expected: str | None) -> None:
    change = ReadKeys(span(text, text[2:-2]), ("a",), ("k", "b"))
    assert changed(text, change) == expected


@pytest.mark.parametrize(
    ("written", "old", "expected"),
    [
        ("!GetAtt Q.Arn", "Arn", "!Ref Q"),
        ("!GetAtt [Q, Arn]", "Arn", "!Ref Q"),
        ("!Ref Q", None, "!GetAtt Q.Name"),
        ('{"Fn::GetAtt": ["Q", "Arn"]}', "Arn", '{"Ref": "Q"}'),
        ('{"Ref": "Q"}', None, '{"Fn::GetAtt": ["Q", "Name"]}'),
        ("!Sub ${Q.Arn}", "Arn", "!Sub ${Q}"),
        ("!Sub a-${Q.Arn}", "Arn", None),
        ("!GetAtt Queue.Arn", "Arn", None),
    ],
)
def test_references_are_turned_in_the_form_that_they_have(written: str, old: str | None, expected: str | None) -> None:
    text = f"A: {written}\n"
    change = Refer(span(text, written, "t.yaml"), "Q", old, None if old else "Name")
    assert changed(text, change, path="t.yaml") == (f"A: {expected}\n" if expected else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "async def h(e, c):\n    return e\n",
            "import asyncio\n\nasync def h_async(e, c):\n    return e\n\n\n"
            "def h(e, c):\n    return asyncio.run(h_async(e, c))\n",
        ),
        ("async def h(e, c):\n    return await h(e, c)\n", None),
        ("@d\nasync def h(e, c):\n    return e\n", None),
        ("async def h(e):\n    return e\n", None),
    ],
)
def test_a_coroutine_function_gets_a_plain_one(text: str, expected: str | None) -> None:
    start = text.index("async")
    assert changed(text, AwaitHandler(Text("app.py", text).edit(start, len(text) - 1, "").span)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@d\nasync def h(e): ...\n", "@d\nasync def h(e, c): ...\n"),
        ("def h(e={}, *, a=1): ...\n", "def h(e={}, c=None, *, a=1): ...\n"),
        ("def h(e=(1)): ...\n", "def h(e=(1), c=None): ...\n"),
        ("def h(): ...\n", "def h(c): ...\n"),
        ("def h(\n    e: dict,  # why\n): ...\n", "def h(\n    e: dict, c,  # why\n): ...\n"),
        ("def h(**rest): ...\n", None),
    ],
)
def test_parameters_are_added(text: str, expected: str | None) -> None:
    start = text.index("async" if "async" in text else "def")
    place = Text("app.py", text).edit(start, len(text), "").span
    assert changed(text, AddParameter(place, "c")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import m\n\ndef h(e):\n    # why\n    c = m.make()  # here\n    return c\n",
            "import m\n\n# why\nc = m.make()  # here\n\ndef h(e):\n    return c\n",
        ),
        (
            "import m\nA = 1\n\ndef h(e):\n    c = m.make(\n        A,\n    )\n    return c\n",
            "import m\nA = 1\nc = m.make(\n    A,\n)\n\ndef h(e):\n    return c\n",
        ),
        (
            "import m\ndef g(): ...\n\ndef h(e):\n    c = m.make().Table('t')\n    return c\n",
            "import m\ndef g(): ...\n\n\nc = m.make().Table('t')\n\ndef h(e):\n    return c\n",
        ),
        (
            "import m\ndef h(e):\n    c = m.make().list()\n    return c\n",
            "import m\n\nmm = m.make()\ndef h(e):\n    c = mm.list()\n    return c\n",
        ),
        (
            "import m\nmm = m.make()\ndef h(e):\n    return m.make().list()\n",
            "import m\nmm = m.make()\ndef h(e):\n    return mm.list()\n",
        ),
        ("import m\ndef h(mm):\n    return m.make().list()\n", None),
        ("import m\ndef h(e):\n    return [m.make(x) for x in e]\n", None),
        ("import m\ndef h(e):\n    import n as m\n    c = m.make()\n    return c\n", None),
        ("import m\ndef h(e):\n    c = m.make()\n", None),
        ("import m\ndef h(e):\n    c = m.make()\n    c = 1\n    return c\n", None),
        ("import m\nc = 0\ndef h(e):\n    c = m.make()\n    return c\n", None),
        ("import m\ndef h(e):\n    if e:\n        c = m.make()\n        return c\n", None),
        ("def h(e):\n    c = m.make()\n    return c\nimport m\n", None),
        ("import m\nclass A:\n    def h(e):\n        c = m.make()\n        return c\n", None),
        ("import m\ndef h(e):\n    global c\n    c = m.make()\n    return c\n", None),
    ],
)
def test_clients_move_to_the_module_where_nothing_of_them_is_local(text: str, expected: str | None) -> None:
    start = text.rindex("m.make(")
    end = text.index(")", start) + 1
    assert changed(text, MoveToModule(Text("app.py", text).edit(start, end, "").span, "mm")) == expected


def test_clients_of_one_name_are_made_once() -> None:
    first = "def f(e):\n    c = boto3.client('s3')\n    return c.a()\n"
    second = "def g(e):\n    c = boto3.client('s3')\n    return c.b()\n"
    files = {"template.yaml": ORDERS, "src/app.py": f"import boto3\n\n{first}\n{second}\n{HANDLER}"}
    _, fixed_files = fix_all(files, "LI001")
    assert fixed_files["src/app.py"].decode().count("boto3.client") == 1
    files["src/app.py"] = files["src/app.py"].replace(second, second.replace("s3", "sqs"))
    _, fixed_files = fix_all(files, "LI001")
    text = fixed_files["src/app.py"].decode()
    assert "    c = boto3.client('sqs')\n    return c.b()\n" in text
    assert "\nc = boto3.client('s3')\n" in text


ORDERS = """\
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
HANDLER = "def handler(event, context):\n    return f(event), g(event)\n"
SLOW = "import requests\ndef handler(event, context):\n    return requests.get('https://example.com').json()\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le"])
def test_line_ends_and_encoding_stay(encoding: str) -> None:
    bom = "\ufeff" if encoding == "utf-16-le" else ""
    text = f"{bom}# ä\n{ORDERS}".replace("\n", "\r\n")
    done, files = fix_all({"template.yaml": text.encode(encoding), "src/app.py": SLOW}, "LC011")
    assert done.findings == 1
    assert files["template.yaml"].decode(encoding) == text.replace("64", "128")


def test_code_in_a_template_and_in_an_archive_is_left_alone() -> None:
    inline = ORDERS.replace(
        "CodeUri: src/", "InlineCode: |\n        import requests\n        " + SLOW[16:].replace("\n", "\n        ")
    )
    inline = inline.replace("app.", "index.")
    result = check_tree(MemoryTree({"template.yaml": inline}), select=("LT001",))
    assert [(each.code, each.fix) for each in result.findings] == [("LT001", None)]


def test_only_safe_fixes_are_applied_unless_more_is_wanted() -> None:
    files = {"template.yaml": ORDERS, "src/app.py": SLOW}
    assert fix_all(files, "LC011", unsafe=False)[0] == Fixed({}, 0)


@pytest.mark.parametrize(
    "deep", ["x = a" + "()" * 1500, "if 1: pass\n" + "elif 1: pass\n" * 1500, "x = " + "lambda: " * 150 + "1"]
)
def test_code_that_nests_deeply_may_have_no_fix_but_breaks_nothing(deep: str) -> None:
    text = f"f(1)\n{deep}\n"
    assert changed(text, SetArgument(span(text, "f(1)"), "a", "2")) in (None, text.replace("f(1)", "f(1, a=2)"))


def registry_of(*rules: Rule) -> Registry:
    return Registry(rules)


@rule("XX001", "broken", severity=Severity.ERROR, since="0.1.0", fix="safe", bad={}, good={})
def breaks(function: Function) -> Problems:
    edit = Edit(Span("src/app.py", 1, 0, 1, 6), "imp ort")
    yield Problem(function.span, "x", fix=Fix("break it", Applicability.SAFE, (edit,)))


@rule("XX002", "restless", severity=Severity.ERROR, since="0.1.0", fix="safe", bad={}, good={})
def never_ends(function: Function) -> Problems:
    edit = Edit(Span("src/app.py", 1, 0, 1, 0), "# more\n")
    yield Problem(function.span, "x", fix=Fix("go on", Applicability.SAFE, (edit,)))
    yield Problem(function.span, "y", fix=Fix("go on", Applicability.SAFE, (edit,)))


def test_a_fix_that_breaks_the_file_is_left_out_and_said() -> None:
    files = {"template.yaml": ORDERS, "src/app.py": SLOW}
    done, _ = fix_all(files, registry=registry_of(breaks))
    assert done.contents == {}
    assert [each.name for each in done.broken] == ["broken"]


def test_fixing_ends_even_if_the_findings_do_not() -> None:
    files = {"template.yaml": ORDERS, "src/app.py": SLOW}
    done, after = fix_all(files, registry=registry_of(never_ends))
    assert after["src/app.py"].count(b"# more") == 10
    assert done.findings == 20


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAMBDALINT_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "project" / "src").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    Path("template.yaml").write_text(ORDERS)
    Path("src/app.py").write_text(SLOW)
    return tmp_path / "project"


def test_check_fixes_and_shows_what_is_left(project: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["check", "--select=LC011,LT001", *arguments])
        return done.exit_code, done.stdout

    code, text = run()
    assert (code, "2 may be fixed with --fix --unsafe-fixes" in text) == (1, True)
    code, text = run("--fix")
    assert (code, "Fixed 0 findings; 2 more may be fixed with --fix --unsafe-fixes" in text) == (1, True)
    assert run("--diff") == (0, "")
    code, text = run("--diff", "--unsafe-fixes")
    assert code == 1
    assert "-      MemorySize: 64\n+      MemorySize: 128\n" in text
    assert Path("template.yaml").read_text() == ORDERS
    code, text = run("--fix", "--unsafe-fixes")
    assert (code, "Fixed 2 findings\n" in text) == (0, True)
    assert Path("template.yaml").read_text() == ORDERS.replace("64", "128")
    assert "timeout=2)" in Path("src/app.py").read_text()
    assert run() == (0, run()[1])
    assert "All clear" in run()[1]
    assert run("--diff", "--unsafe-fixes") == (0, "")
    assert CliRunner().invoke(main, ["check", "--unsafe-fixes"]).exit_code == 2


def test_json_has_the_edits_of_a_fix(project: Path) -> None:
    done = CliRunner().invoke(main, ["check", "--select=LT001", "--output-format=json"])
    (finding,) = json.loads(done.stdout)["findings"]
    place = {"line": 3, "column": 45}
    assert finding["fix"] == {
        "title": "pass timeout=2",
        "applicability": "unsafe",
        "edits": [{"path": "src/app.py", "span": {"start": place, "end": place}, "text": ", timeout=2"}],
    }


def test_python_can_fix_as_well(project: Path) -> None:
    fixes = lambdalint.fix([project], unsafe=True, write=False)
    assert (fixes.findings, fixes.result.fixed) == (2, None)
    assert "+      MemorySize: 128" in fixes.diff
