import ast
import sys

import pytest

from lambdalint.facts.grammar import Grammar
from tests.code_facts import fact


def _found(text: str) -> list[tuple[str, tuple[int, int]]]:
    return [(each.what, each.version) for each in fact(Grammar, text).constructs]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("match command:\n    case 'go': pass\n", (3, 10)),
        ("try:\n    pass\nexcept* ValueError:\n    pass\n", (3, 11)),
        ("if (n := len(a)) > 1: pass\n", (3, 8)),
        ("def f(a, /, b): pass\n", (3, 8)),
        ("f = lambda a, /: a\n", (3, 8)),
        ("def f(*args: *Ts): pass\n", (3, 11)),
        ("x = a[*b]\n", (3, 11)),
        ("def f():\n    return 1, *rest\n", (3, 8)),
        ("def f():\n    return *rest, 1\n", (3, 8)),
        ("for each in *a, *b: pass\n", (3, 9)),
        ("@buttons[0].clicked.connect\ndef f(): pass\n", (3, 9)),
        ("@app.route('/')(1)\ndef f(): pass\n", (3, 9)),
        ("@a or b\ndef f(): pass\n", (3, 9)),
        ("print(f'{name=}')\n", (3, 8)),
        ("print(f'{total=:.2f}')\n", (3, 8)),
    ],
)
def test_newer_syntax_is_told_with_its_version(text: str, version: tuple[int, int]) -> None:
    assert [found for _, found in _found(text)] == [version]


@pytest.mark.parametrize(
    "text",
    [
        "match = re.match('a', b)\nmatch.group(0)\n",
        "type = 'a'\ntype (type)\n",
        "def f(a, b=1, *, c): return (1, *rest)\n",
        "x = a[(*b, 1)]\ny = a[i * 2]\n",
        "for each in (*a, *b): pass\n",
        "@app.route('/', methods=['GET'])\n@functools.wraps(f)\ndef f(): pass\n",
        "print(f'name={name!r}', f'{a == b}', f'{a!r:>{width}}')\n",
        "try:\n    pass\nexcept (A, B):\n    pass\n",
        "try:\n    from a import b\nexcept ImportError as error:\n    pass\n",
        "print(f'{a}' \"{b['c']}\" f\"{d['e']}\")\n",
        "print(f'''{a['b']}\n{c[\"d\"]}''')\n",
    ],
)
def test_older_syntax_is_not(text: str) -> None:
    assert not _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "type Pair = tuple[int, int]\n",
        "def first[T](items: list[T]) -> T: pass\n",
        "class Box[T]: pass\n",
        "print(f'{a['b']}')\n",
        'print(f"{\',\'.join(f"{each}" for each in a)}")\n',
        "print(f'{chr(10)} {\"\\n\".join(a)}')\n",
    ],
)
def test_syntax_of_3_12_is_told_where_it_parses(text: str) -> None:
    if sys.version_info >= (3, 12):
        assert {version for _, version in _found(text)} == {(3, 12)}
    else:
        with pytest.raises(SyntaxError):
            ast.parse(text)
