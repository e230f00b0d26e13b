"""YAML and JSON become nodes with places; what is no document is said, with its place, within bounds."""

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.errors import UnreadableInput
from lambdalint.model.document import Mapping, Node, Scalar, Sequence
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Folder, MemoryTree, joined
from lambdalint.readers.yaml import read_yaml


def plain(node: Node | None) -> Any:
    match node:
        case Scalar(value=value):
            return value
        case Sequence(items=items):
            return [plain(item) for item in items]
        case Mapping(items=items):
            return {key: plain(item) for key, item in items.items()}
    return None


@pytest.mark.parametrize(
    "text",
    ["9" * 5000, "-" + "9" * 5000, "0x_", "0b_", "0o_", "-0x__", "._", "-._", "._e5", "1" + "_" * 500, "9" * 500 + "."],
)
def test_what_looks_like_a_number_and_is_none_stays_text(text: str) -> None:
    assert plain(read_yaml(f"a: {text}", "t.yaml")) == {"a": text}


@pytest.mark.parametrize("text", ["0x_1F", "0b1_0", "0o17", "017", "._5", "1_.5", "-1_000", "+.5e3"])
def test_numbers_are_read_as_pyyaml_reads_them(text: str) -> None:
    expected = {"0o17": 0o17}.get(text, yaml.safe_load(text))
    found = plain(read_yaml(f"a: {text}", "t.yaml"))["a"]
    assert found == expected or isinstance(expected, str)


def test_documents_of_too_many_nodes_are_refused() -> None:
    with pytest.raises(UnreadableInput, match="more than 1,000,000 nodes"):
        read_json("[" + "1," * 1_000_001 + "1]", "t.json")


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


@given(documents, st.sampled_from([None, 2, "\t"]))
def test_json_is_read_as_the_standard_library_reads_it(document: Any, indent: Any) -> None:
    assert plain(read_json(json.dumps(document, indent=indent), "t.json")) == document


@given(st.text(max_size=60) | st.text('{}[]",:0123456789.-etrufalsn \n\\', max_size=60))
def test_json_and_what_is_none_are_told_apart_as_the_standard_library_does(text: str) -> None:
    try:
        expected = json.loads(text)
    except json.JSONDecodeError:
        with pytest.raises(UnreadableInput):
            read_json(text, "t.json")
    else:
        if "NaN" not in text and "Infinity" not in text:
            assert plain(read_json(text, "t.json")) == expected


@given(documents)
def test_yaml_written_by_pyyaml_is_read_back(document: Any) -> None:
    text = yaml.safe_dump(document, allow_unicode=True, default_style='"' if isinstance(document, str) else None)
    if not any(isinstance(each, float) for each in _leaves(document)):
        assert plain(read_yaml(text, "t.yaml")) == document


@given(st.text(max_size=80))
def test_no_text_makes_the_yaml_reader_fail_otherwise(text: str) -> None:
    with suppress(UnreadableInput):
        read_yaml(text, "t.yaml")


def _leaves(document: Any) -> list[Any]:
    if isinstance(document, dict):
        return [leaf for value in document.values() for leaf in _leaves(value)]
    if isinstance(document, list):
        return [leaf for value in document for leaf in _leaves(value)]
    return [document]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2012-10-17", "2012-10-17"),
        ("yes", True),
        ("off", False),
        ("~", None),
        ("010", 8),
        ("0x1F", 31),
        ("12:30", "12:30"),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("'30'", "30"),
        ("python3.10", "python3.10"),
        ("-", "-"),
    ],
)
def test_a_plain_scalar_has_the_type_that_cloudformation_sees(text: str, value: object) -> None:
    document = read_yaml(f"key: {text}\n" if text != "-" else "key: '-'\n", "t.yaml")
    assert plain(document) == {"key": value}


def test_every_node_knows_its_place() -> None:
    document = read_yaml("Resources:\n  Orders:\n    Timeout: !Ref  Seconds\n", "t.yaml")
    assert isinstance(document, Mapping)
    resources = document.items["Resources"]
    assert isinstance(resources, Mapping)
    assert (resources.keys["Orders"].line, resources.keys["Orders"].column) == (2, 2)
    orders = resources.items["Orders"]
    assert isinstance(orders, Mapping)
    timeout = orders.items["Timeout"]
    assert isinstance(timeout, Scalar)
    assert (timeout.tag, timeout.text) == ("!Ref", "Seconds")
    assert (timeout.span.line, timeout.span.column, timeout.span.end_column) == (3, 13, 26)


def test_the_same_document_has_the_same_places_in_json_and_yaml() -> None:
    text = '{"Resources": {"Orders": {"Type": "AWS::Lambda::Function",\n  "Timeout": 30}}}'
    first, second = read_json(text, "t"), read_yaml(text, "t")
    assert plain(first) == plain(second)
    assert isinstance(first, Mapping)
    assert isinstance(second, Mapping)
    assert first.items["Resources"].span == second.items["Resources"].span


def test_merge_keys_fill_in_what_is_not_said() -> None:
    document = read_yaml("base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\n", "t.yaml")
    assert plain(document) == {"base": {"x": 1, "y": 2}, "own": {"y": 3, "x": 1}}


BOMB = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 50_000, "no YAML"),
        ("- " * 50_000, "100 levels"),
        (BOMB, "aliases"),
        ("a: *nowhere", "anchor"),
        ("a: &a [*a]", "anchor"),
        ("a: [", "no YAML"),
        ("a: 'b", "no YAML"),
        ("\ta: b", "no YAML"),
        ("a: \x01", "no YAML"),
    ],
)
def test_hostile_yaml_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(UnreadableInput, match=says):
        read_yaml(text, "t.yaml")


@pytest.mark.parametrize("text", ["[" * 50_000, '{"a":' * 50_000, '{"a": 1,}', '"\\x"', "{'a': 1}", "[1] 2", "", "nul"])
def test_hostile_json_is_refused_in_words(text: str) -> None:
    with pytest.raises(UnreadableInput, match="no JSON"):
        read_json(text, "t.json")


def test_text_is_read_by_its_byte_order_mark() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert decoded("Ünï".encode(encoding), "t") == "Ünï"
    with pytest.raises(UnreadableInput, match="UTF-8"):
        decoded(b"ok\n\xff", "t")


@pytest.mark.parametrize(
    ("folder", "path", "found"),
    [
        ("", ".", ""),
        ("", "src/", "src"),
        ("infra", "../src/./app", "src/app"),
        ("", "../src", None),
        ("a", "../../src", None),
        ("a", "/etc", None),
        ("a", "..\\src", None),
    ],
)
def test_a_path_never_leaves_the_root(folder: str, path: str, found: str | None) -> None:
    assert joined(folder, path) == found


def test_a_link_out_of_the_folder_is_not_there(tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("x")
    root = tmp_path / "project"
    (root / "inside").mkdir(parents=True)
    (root / "inside" / "app.py").write_text("")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "loop").symlink_to(root / "loop")
    (root / "up").symlink_to(root)
    (root / "same").symlink_to(root / "inside")
    tree = Folder(root)
    assert tree.names("") == ("inside", "same", "up")
    assert tree.is_link("up")
    assert tree.is_file("same/app.py")
    assert not tree.is_file("out")


def test_a_tree_in_memory_has_folders() -> None:
    tree = MemoryTree({"src/app.py": "", "template.yaml": ""})
    assert tree.names("") == ("src", "template.yaml")
    assert tree.is_folder("src")
    assert not tree.is_folder("src/app.py")
