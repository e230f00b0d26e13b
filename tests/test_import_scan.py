"""The imports found in the text of modules are those that Python's own parser finds."""

import ast
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.facts.import_scan import Imported, Scan, scanned, scanned_native

#: When an import happens, and module, level and name.
Found: TypeAlias = tuple[str, str, int, str | None]


def parsed(source: str | bytes) -> list[Found]:
    """The imports in *source* by the parser of Python."""
    return list(_parsed(ast.parse(source), "init"))


def _parsed(node: ast.AST, when: str) -> Iterator[Found]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        when = when if when == "typing" else "deferred"
    if isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
        for branch, then in ((node.body, "typing"), (node.orelse, when)):
            for statement in branch:
                yield from _parsed(statement, then)
        return
    if isinstance(node, ast.Import):
        yield from ((when, alias.name, 0, None) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from ((when, node.module or "", node.level, alias.name) for alias in node.names)
    for each in ast.iter_child_nodes(node):
        yield from _parsed(each, when)


def found(scan: Scan) -> set[Found]:
    """What *scan* holds, one name each."""
    return {
        (when, each.module, each.level, name)
        for when, part in (("init", scan.init), ("deferred", scan.deferred), ("typing", scan.typing))
        for each in part
        for name in (each.names or (None,))
    }


NAMES = st.sampled_from(["a", "b2", "_c", "import_", "from_x", "as_", "größe"])
DOTTED = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
AS = st.just("") | NAMES.map(" as {}".format)
ALIASED = st.tuples(DOTTED, AS).map("".join)
ALIAS = st.tuples(NAMES, AS).map("".join)
FROM = st.tuples(st.sampled_from(["", ".", "..", ". . "]), st.just("") | DOTTED).filter(any).map("".join)
STATEMENTS = st.one_of(
    st.lists(ALIASED, min_size=1, max_size=3).map(lambda names: f"import {', '.join(names)}"),
    st.builds(
        lambda module, names, form: form.format(module, names),
        FROM,
        st.lists(ALIAS, min_size=1, max_size=3).map(", ".join),
        st.sampled_from(
            [
                "from {} import {}",
                "from {} import ({})",
                "from {} import (  # a (comment)\n    {},\n)",
                "from {} import \\\n    {}",
                "from {} \\\n  import {}",
                "x = 1; from {} import {}; y = 2",
                "from {} import {}  # import nothing",
            ]
        ),
    ),
    st.sampled_from(
        [
            "import a; import b",
            "pass",
            "x = '''\nzero\n'''",
            'x = """\ndef no():\n"""',
            "x = [\n1,\n]",
            "# import commented",
            "x = 'a # b'",
            "x = \"'''\"",
            "from sys import*",
            "from .import a",
            "from.import(a)",
            "",
        ]
    ),
)
HEADERS = st.sampled_from(
    [
        "def f():",
        "async def f(a,\n  b):",
        "def f(\n    a,\n) -> dict[\n    str, int\n]:",
        "class A:",
        "if x:",
        "try:",
        "with x as y:",
        "for x in y:",
        "if TYPE_CHECKING:",
        "if typing.TYPE_CHECKING:",
        "if x:\n    pass\nelse:",
        "if TYPE_CHECKING:\n    pass\nelse:",
        "@decorated\ndef f():",
    ]
)


def block(header: str, body: list[str], docstring: str) -> str:
    """*body* below *header*, and what has to follow it."""
    inner = textwrap.indent("\n".join([docstring, *body, "pass"]), "    ")
    return f"{header}\n{inner}" + ("\nfinally:\n    pass" if header == "try:" else "")


MODULES = st.recursive(
    STATEMENTS,
    lambda children: st.builds(
        block, HEADERS, st.lists(children, max_size=4), st.sampled_from(["", '"""Documented."""', "'''\nLong.\n'''"])
    ),
    max_leaves=12,
)


@given(st.lists(MODULES, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_imports_are_those_that_the_parser_finds(parts: list[str], newline: str, marked: bool) -> None:
    source = "\n".join(parts) + "\n"
    try:
        expected = set(parsed(source))
    except SyntaxError:
        return
    text = source.replace("\n", newline).encode("utf-8-sig" if marked else "utf-8")
    scan = found(scanned(text))
    assert {each[1:] for each in expected} == {each[1:] for each in scan}
    assert {each for each in expected if each[0] == "init"} <= scan
    assert {each for each in expected if each[0] == "typing"} <= scan


def test_of_the_standard_library_nothing_is_missed_and_nothing_called_later_than_it_is() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    files = [path for path in folder.rglob("*.py") if "site-packages" not in path.parts and "bad" not in path.name]
    early = 0
    for path in files:
        source = path.read_bytes()
        try:
            expected = set(parsed(source))
        except SyntaxError:
            continue
        scan = found(scanned(source))
        assert {each[1:] for each in expected} <= {each[1:] for each in scan}, path
        assert {each for each in expected if each[0] == "init"} <= scan, path
        early += len({each for each in expected if each[0] == "deferred"} - scan)
    assert len(files) > 500
    assert early <= 3


@given(st.binary(max_size=200) | st.text(alphabet="import from.*()\\\n\"'#;:a=\t", max_size=200).map(str.encode))
def test_any_bytes_can_be_scanned(source: bytes) -> None:
    assert isinstance(scanned(source), Scan)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import_module('a.b')", Scan(init=(Imported("a.b"),))),
        ("importlib.import_module(\n    'a.b'\n)", Scan(init=(Imported("a.b"),))),
        ("importlib.import_module('.b', __package__)", Scan(init=(Imported("b", 1),))),
        ("importlib.import_module('..b', package='x.y')", Scan(init=(Imported("x.b"),))),
        ("def f():\n    return __import__('a')", Scan(deferred=(Imported("a"),))),
        ("import_module(name)", Scan(unclear=True)),
        ("import_module(f'{__name__}.{x}')", Scan(unclear=True)),
        ("def import_module(name): ...", Scan()),
        ("__all__ = ['a', 'b']", Scan(exported=("a", "b"))),
        ("exec('''\nimport a\n''')", Scan(deferred=(Imported("a"),))),
        ("def f():\n    '''\n    import a\n    '''", Scan()),
        ("'''\nimport a\n'''", Scan()),
        ("lazy import a", Scan(deferred=(Imported("a"),))),
        ("lazy from a import b", Scan(deferred=(Imported("a", 0, ("b",)),))),
        ("if x: import a", Scan(init=(Imported("a"),))),
        ("def f(): import a", Scan(deferred=(Imported("a"),))),
        ("x = '''\n  y''' ; import a", Scan(init=(Imported("a"),))),
    ],
)
def test_imports_by_other_ways(source: str, expected: Scan) -> None:
    assert scanned(source.encode()) == expected


def test_compiled_modules_hold_the_names_of_what_they_import() -> None:
    scan = scanned_native(b"\x7fELF\0\0datetime\0pandas._libs.tslibs\0not a name\0")
    assert scan.hints == ("datetime", "pandas._libs.tslibs")
    assert scan.unclear
