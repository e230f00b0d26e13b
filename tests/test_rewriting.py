"""Templates with other values in them say nothing else than before, as PyYAML and the standard library read them."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.emission.rewriting import Rewriting
from lambdalint.errors import Refused

PATH = "template.yaml"
NAMES = st.text("abAB01", min_size=1, max_size=3).filter(lambda name: not name[0].isdigit())
LEAVES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\x85\u2028\u2029")),
    st.sampled_from(["true", "1.0", "~", "a: b", "# no", "two\nlines\n", "  in", "'", '"', "0x1F", "!Ref x"]),
    st.booleans(),
    st.integers(-99, 99),
    st.none(),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)
CONTENTS = st.recursive(
    st.text("aé/ .:#'\"\\{}[]!&*~0\n", max_size=12) | st.booleans(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


class Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


@st.composite
def written(draw: st.DrawFn, document: dict[str, Any], *, is_json: bool) -> str:
    """*document* in one of the ways in which people and tools write."""
    if is_json:
        return json.dumps(document, indent=draw(st.sampled_from([None, 2])), ensure_ascii=draw(st.booleans()))
    text: str = yaml.dump(
        document,
        Dumper=Plain,
        default_flow_style=draw(st.sampled_from([None, False])),
        default_style=draw(st.sampled_from([None, None, "'", '"', "|", ">"])),
        indent=draw(st.sampled_from([2, 4])),
        width=draw(st.sampled_from([20, 1000])),
        allow_unicode=True,
        sort_keys=False,
    )
    return text.replace("\n", "\r\n") if draw(st.booleans()) and "\\" not in text else text


@st.composite
def ways(draw: st.DrawFn, document: dict[str, Any]) -> tuple[str, ...]:
    """Keys that lead to something in mappings, or to where nothing is yet."""
    way: list[str] = []
    inner: Any = document
    while isinstance(inner, dict):
        new = st.sampled_from(["New", "b", "A"])
        key = draw(st.sampled_from(sorted(inner)) | new if inner else new)
        way.append(key)
        inner = inner.get(key, {} if draw(st.booleans()) else None)
        if draw(st.booleans()):
            break
    return tuple(way)


def put(document: Any, way: tuple[str, ...], content: Any) -> None:
    for key in way[:-1]:
        if document.get(key) is None:
            document[key] = {}
        document = document[key]
    document[way[-1]] = content


@given(st.data(), st.booleans())
def test_what_is_put_is_there_and_the_rest_is_as_it_was(data: st.DataObject, is_json: bool) -> None:
    read = json.loads if is_json else yaml.safe_load
    document = data.draw(DOCUMENTS)
    text = data.draw(written(document, is_json=is_json))
    assert read(text) == document
    rewriting = Rewriting(PATH, text.encode())
    taken: list[tuple[str, ...]] = []
    for _ in range(data.draw(st.integers(1, 3))):
        way, content = data.draw(ways(document)), data.draw(CONTENTS)
        if any(way[: len(other)] == other or other[: len(way)] == way for other in taken):
            continue  # one value within another
        taken.append(way)
        rewriting.put(way, content)
        put(document, way, content)
    assert read(rewriting.written()) == document


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1  # one\nb: 2\n", "a: new  # one\nb: 2\n"),
        ("a: 'old' # one\n", "a: 'new' # one\n"),
        ("a: >-\n  some\n  text\nb: 2\n", "a: new\nb: 2\n"),
        ("a:\n  Fn::Sub: x\nb: 2\n", "a:\n  new\nb: 2\n"),
        ("a: !Sub x\n", "a: new\n"),
        ("a: !If [A, b,\n  c]\nb: 1\n", "a: new\nb: 1\n"),
        ("b: 1\n# two\nc: {d: 2}\n", "b: 1\na: new\n# two\nc: {d: 2}\n"),
        ("# one\nc:\n  # two\n  d: 2  # three\n\n", "# one\nc:\n  # two\n  d: 2  # three\na: new\n\n"),
        ("c: |\n  text\n# end\n", "c: |\n  text\na: new\n# end\n"),
        ("c: &x\n  d: 2\ne: *x", "c: &x\n  d: 2\ne: *x\na: new"),
        ("{b: 1}", "{a: new, b: 1}"),
        ('{"b": 1}', '{"a": "new", "b": 1}'),
        ('{\n  "b": 1\n}\n', '{\n  "a": "new",\n  "b": 1\n}\n'),
        ("{}", '{"a": "new"}'),
        ("b: &x 1\na: *x\n", "b: &x 1\na: new\n"),
        ("b: &x {c: 1}\na: *x\n", "b: &x {c: 1}\na: new\n"),
        ("a:\nb: 1\n", "a: new\nb: 1\n"),
    ],
)
def test_a_value_is_put_in_the_style_around_it(before: str, after: str) -> None:
    rewriting = Rewriting(PATH, before.encode())
    rewriting.put(("a",), "new")
    assert rewriting.written().decode() == after


def test_a_byte_order_mark_and_ends_of_lines_are_kept() -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        rewriting = Rewriting(PATH, "b: ä\r\nc:\r\n  d: 1\r\n".encode(encoding))
        rewriting.put(("c", "e"), "new")
        assert rewriting.written().decode(encoding) == "b: ä\r\nc:\r\n  d: 1\r\n  e: new\r\n"


def test_a_merged_value_is_stated_where_it_was_merged() -> None:
    rewriting = Rewriting(PATH, b"x: &x {a: 1}\nb:\n  <<: *x\n  c: 2\nd:\n  <<: *x\n")
    rewriting.put(("b", "a"), "new")
    assert rewriting.written() == b"x: &x {a: 1}\nb:\n  <<: *x\n  c: 2\n  a: new\nd:\n  <<: *x\n"


@pytest.mark.parametrize(
    "text",
    ["x: &x {a: 1}\nb: *x\n", "b: &x\n  a: &y 1\nc: *y\n", "x: &x {a: 1}\nb:\n  <<: *x\n"],
)
def test_what_others_share_is_not_changed(text: str) -> None:
    rewriting = Rewriting(PATH, text.encode())
    rewriting.put(("b", "a"), "new")
    with pytest.raises(Refused, match="cannot be changed without changing more"):
        rewriting.written()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: [1]\n", "a: [1, new, {Ref: X}]\n"),
        ("a: []\n", "a: [new, {Ref: X}]\n"),
        ("a:\n- 1\nb: 1\n", "a:\n- 1\n- new\n- {Ref: X}\nb: 1\n"),
        ("a:\n  - !Ref y\n  # end\n\nb: 1\n", "a:\n  - !Ref y\n  - new\n  - {Ref: X}\n  # end\n\nb: 1\n"),
        ("b: 1\n", "b: 1\na: [new, {Ref: X}]\n"),
        ('{"a": [\n  1\n]}', '{"a": [\n  1, "new", {"Ref": "X"}\n]}'),
    ],
)
def test_items_are_added_at_the_end(before: str, after: str) -> None:
    rewriting = Rewriting(PATH, before.encode())
    rewriting.add(("a",), ["new", {"Ref": "X"}])
    assert rewriting.written().decode() == after


def test_nothing_is_added_to_what_is_no_list() -> None:
    with pytest.raises(Refused, match=r"template.yaml:1: a is no list"):
        Rewriting(PATH, b"a: !If [A, [b], [c]]\n").add(("a",), ["new"])
