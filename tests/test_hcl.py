"""Reading HCL: blocks, expressions and text with their places; what is broken spoils nothing else."""

import io
import json
import random
from typing import Any

import hcl2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdalint.errors import LambdalintError, UnreadableInput
from lambdalint.model.hcl import (
    Binary,
    Block,
    Body,
    Call,
    Conditional,
    Expression,
    For,
    ListOf,
    Literal,
    ObjectOf,
    Parenthesised,
    Splat,
    TextFor,
    TextIf,
    TextTemplate,
    Traversal,
    Unary,
    Variable,
)
from lambdalint.readers.hcl import MAX_DEPTH, read_expression, read_hcl, read_template
from lambdalint.readers.hcl_json import json_attributes, json_body
from lambdalint.readers.json import read_json


def body(text: str) -> Body:
    found, failures = read_hcl(text, "main.tf")
    assert failures == []
    return found


def expression(text: str) -> Expression:
    return body(f"x = {text}\n").attributes["x"].expression


def spelled(node: Any) -> str:
    """An expression with its structure in sight."""
    match node:
        case Literal(value):
            return json.dumps(value, ensure_ascii=False)
        case TextTemplate(parts):
            return f"text({', '.join(map(spelled, parts))})"
        case TextIf(condition, then, otherwise):
            return f"if({spelled(condition)}, {spelled(then)}, {spelled(otherwise)})"
        case TextFor(key, value, collection, inner):
            return f"for({key}, {value}, {spelled(collection)}, {spelled(inner)})"
        case ListOf(items):
            return f"[{', '.join(map(spelled, items))}]"
        case ObjectOf(items):
            return f"{{{', '.join(f'{spelled(key)}: {spelled(value)}' for key, value in items)}}}"
        case Variable(name):
            return str(name)
        case Splat(full):
            return "[*]" if full else ".*"
        case Traversal(start, steps):
            return f"({spelled(start)} {' '.join(step if isinstance(step, str) else spelled(step) for step in steps)})"
        case Call(name, arguments, expands):
            return f"{name}({', '.join(map(spelled, arguments))}{'...' if expands else ''})"
        case Conditional(condition, then, otherwise):
            return f"({spelled(condition)} ? {spelled(then)} : {spelled(otherwise)})"
        case Unary(operator, operand):
            return f"({operator}{spelled(operand)})"
        case Binary(operator, left, right):
            return f"({spelled(left)} {operator} {spelled(right)})"
        case For(key, value, collection, result_key, result, groups, condition):
            what = f"{spelled(result_key)} => {spelled(result)}" if result_key is not None else spelled(result)
            tail = f" if {spelled(condition)}" if condition is not None else ""
            return f"for({key}, {value} in {spelled(collection)}: {what}{'...' if groups else ''}{tail})"
        case Parenthesised(inner):
            return f"<{spelled(inner)}>"
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1", "1"),
        ("1.50", "1.5"),
        ("2.0e3", "2000"),
        ("true", "true"),
        ("null", "null"),
        ('"a"', '"a"'),
        ('"a\\n\\"b\\" \\u00e9 $${x} %%{y} $ %"', json.dumps('a\n"b" é ${x} %{y} $ %', ensure_ascii=False)),
        ('""', '""'),
        ('"${a}"', "text(a)"),
        ('"a ${ b } c${d}"', 'text("a ", b, " c", d)'),
        ('" ${~ b ~}  c"', 'text(b, "c")'),
        ('"%{ if a }b%{ else }c%{ endif }d"', 'text(if(a, text("b"), text("c")), "d")'),
        ('"%{ for k, v in m ~} ${k} %{~ endfor }"', "text(for(k, v, m, text(k)))"),
        ("a.b", "(a b)"),
        ("a.b[0].c", "(a b 0 c)"),
        ('a["k"]', '(a "k")'),
        ("a.0.b", "(a 0 b)"),
        ("a[*].b[0]", "(a [*] b 0)"),
        ("a.*.b", "(a .* b)"),
        ("f(a, b...)", "f(a, b...)"),
        ("f()[0]", "(f() 0)"),
        ("(a).b", "(<a> b)"),
        ("!a.b && -c < 2", "((!(a b)) && ((-c) < 2))"),
        ("a || b && c", "(a || (b && c))"),
        ("1 + 2 * 3 == 7", "((1 + (2 * 3)) == 7)"),
        ("a ? b : c", "(a ? b : c)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? b : c ? d : e ? f : g", "(a ? b : (c ? d : (e ? f : g)))"),
        ("a ? b ? c : d : e", "(a ? (b ? c : d) : e)"),
        ("(a ? b : c) ? d : e", "(<(a ? b : c)> ? d : e)"),
        ("[1, 2,]", "[1, 2]"),
        ("[\n  1, # one\n  2,\n]", "[1, 2]"),
        ('{ a = 1, "b" : 2, (c) = 3 }', '{"a": 1, "b": 2, <c>: 3}'),
        ("{\n a = 1\n b = 2 // two\n}", '{"a": 1, "b": 2}'),
        ("[for v in l : v if v != 1]", "for(None, v in l: v if (v != 1))"),
        ("{ for k, v in m : k => v... }", "for(k, v in m: k => v...)"),
        ("provider::aws::arn_parse(a)", "provider::aws::arn_parse(a)"),
        ("<<E\n a ${b}\n\n  c \nE", 'text(" a ", b, "\\n\\n  c \\n")'),
        ("<<-E\n    a\n\n      b ${c}\n    E", 'text("a\\n\\n  b ", c, "\\n")'),
        ("<<-E\n    a\n  ${c}\n    E", 'text("  a\\n", c, "\\n")'),
        ("<<-E\n    a\n${c}\n    E", 'text("    a\\n", c, "\\n")'),
        ("<<E\nE", '""'),
        ('<<E\n\\n "q" $${x}\nE', '"\\\\n \\"q\\" ${x}\\n"'),
    ],
)
def test_an_expression_means_what_terraform_takes_it_for(text: str, meaning: str) -> None:
    assert spelled(expression(text)) == meaning


def test_a_block_has_its_labels_and_what_is_in_it() -> None:
    (block,) = body('resource "aws_x" "é" {\n  a = 1\n  inner {\n    b = "c"\n  }\n}\n').blocks
    assert (block.type, block.labels) == ("resource", ("aws_x", "é"))
    assert list(block.body.attributes) == ["a"]
    assert [inner.type for inner in block.body.blocks] == ["inner"]


def test_columns_count_characters() -> None:
    (block,) = body('x "é" {\n  a = "ü" == b.c\n}\n').blocks
    assert (block.span.column, block.span.end_column) == (2, 5)
    found = block.body.attributes["a"].expression
    assert isinstance(found, Binary)
    assert (found.right.span.line, found.right.span.column, found.right.span.end_column) == (2, 13, 16)


@pytest.mark.parametrize(
    ("text", "kept", "line"),
    [
        ('a "x" {\n b = \n c = 1\n}\nresource "d" "y" {\n e = 2\n}\n', ["resource"], 2),
        ('resource "a" "x" {\n b = "abc\n c = 1\n}\nresource "d" "y" {\n e = 2\n}\n', ["resource", "resource"], 2),
        ('resource "a" "x" {\n b = 1\nresource "d" "y" {\n e = 2\n}\n', ["resource", "resource"], 3),
        ('resource "a" "x" {\n b = 1\n}\n}\nresource "d" "y" {\n e = 2\n}\n', ["resource", "resource"], 4),
        ('resource "d" "y" {\n e = 2\n}\nlocals {\n x = <<EOT\n a\n', ["resource", "locals"], 4),
        ('resource "d" "y" {\n e = 2\n}\nlocals {\n x = [1, \n', ["resource", "locals"], 4),
    ],
)
def test_a_half_written_file_keeps_what_could_be_read(text: str, kept: list[str], line: int) -> None:
    found, failures = read_hcl(text, "main.tf")
    assert [block.type for block in found.blocks if block.type in ("resource", "locals")][: len(kept)] == kept
    (whole,) = (block for block in found.blocks if block.labels == ("d", "y"))
    assert isinstance(whole.body.attributes["e"].expression, Literal)
    assert failures
    assert failures[0].path == "main.tf"
    assert all(failure.message.startswith("this is no HCL: ") for failure in failures)
    assert failures[0].line == line


@pytest.mark.parametrize(
    ("text", "kept", "lines"),
    [
        ("one = \n  three = 3", {"three"}, [2]),
        ("three = 3\n  one = ", {"three"}, [3]),
        ("one = # later\n\n  in {\n    two = \n  }\n  three = 3", {"three"}, [2, 5]),
        ("map = {\n    one =\n    two = 2\n  }\n  three = 3", {"map", "three"}, [3]),
    ],
)
def test_an_argument_without_a_value_costs_nothing_else(text: str, kept: set[str], lines: list[int]) -> None:
    found, failures = read_hcl(f'resource "a" "b" {{\n  {text}\n}}\n', "main.tf")
    (block,) = found.blocks
    assert set(block.body.attributes) == kept
    assert [failure.line for failure in failures] == lines
    assert all(failure.message.endswith(" has no value") for failure in failures)


def test_a_broken_argument_is_left_out_and_its_block_kept() -> None:
    found, failures = read_hcl('resource "a" "b" {\n  one = 1\n  two = = 2\n  three = 3\n}\n', "main.tf")
    (block,) = found.blocks
    assert set(block.body.attributes) == {"one", "three"}
    assert [failure.line for failure in failures] == [3]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5000 + "1" + ")" * 5000,
        "x = " + "[" * 5000 + "]" * 5000,
        "x = " + "!" * 5000 + "a",
        "x = " + "1 + " * 5000 + "1",
        "x = " + "a ? b : " * 5000 + "c",
        "x = " + "f(" * 5000 + ")" * 5000,
        "x = " + '"${' * 500 + "a" + '}"' * 500,
        'x = "' + "%{ if a }" * 5000 + "%{ endif }" * 5000 + '"',
        "x = " + "[for a in " * 3000 + "b" + ": a]" * 3000,
        "b {\n" * 5000 + "}\n" * 5000,
        "x = " + "{ a = " * 3000 + "1" + "}" * 3000,
        "x = " + "a[" * 3000 + "0" + "]" * 3000,
    ],
)
def test_what_nests_too_deep_is_said(text: str) -> None:
    _, failures = read_hcl(text + "\n", "main.tf")
    assert failures
    assert str(MAX_DEPTH) in failures[0].message or failures[0].message.startswith("this is no HCL")


@pytest.mark.parametrize("text", ["a {\n b = 1\n", "a {\n b = 1\n}\n}\nc {\n}\n", "a {\n b = 1\n c = {\n}\n"])
def test_what_is_closed_too_late_or_too_often_keeps_what_is_in_it(text: str) -> None:
    found, failures = read_hcl(text, "main.tf")
    assert "b" in found.blocks[0].body.attributes
    assert len(failures) == 1


def test_a_template_file_is_text_with_parts() -> None:
    assert spelled(read_template("a\n${b}\n", "t.tftpl")) == 'text("a\\n", b, "\\n")'
    assert spelled(read_template("EOT ${b}", "t")) == 'text("EOT ", b)'
    assert spelled(read_template("plain", "t")) == '"plain"'
    with pytest.raises(UnreadableInput):
        read_template("${", "t")


def test_an_expression_of_the_command_line_is_read() -> None:
    assert spelled(read_expression('["a", "b"]', "x")) == '["a", "b"]'
    with pytest.raises(UnreadableInput):
        read_expression("[", "x")


def test_json_syntax_gives_the_same_blocks() -> None:
    text = json.dumps(
        {
            "resource": {"aws_x": {"a": {"name": "n-${var.b}", "count": 2}, "b": [{"on": True}]}},
            "variable": {"b": {"default": "c"}},
            "locals": {"l": ["${var.b}"]},
            "//": "a comment",
        },
        indent=1,
    )
    failures: list[UnreadableInput] = []
    found = json_body(read_json(text, "main.tf.json"), failures)
    assert [(block.type, block.labels) for block in found.blocks] == [
        ("resource", ("aws_x", "a")),
        ("resource", ("aws_x", "b")),
        ("variable", ("b",)),
        ("locals", ()),
    ]
    name = found.blocks[0].body.attributes["name"].expression
    assert spelled(name) == 'text("n-", (var b))'
    assert (name.span.path, name.span.line) == ("main.tf.json", 5)
    assert failures == []


def test_a_broken_template_in_json_is_said_and_left_out() -> None:
    failures: list[UnreadableInput] = []
    found = json_body(read_json('{"locals": {"a": "${", "b": "c"}}', "x.tf.json"), failures)
    assert list(found.blocks[0].body.attributes) == ["b"]
    assert [failure.line for failure in failures] == [1]


def test_variables_in_json_are_no_templates() -> None:
    found = json_attributes(read_json('{"a": "${b}"}', "x.tfvars.json"), [])
    assert spelled(found.attributes["a"].expression) == '"${b}"'


# What python-hcl2 reads, we read alike.

PLAIN = """\
terraform {
  required_version = ">= 1.5"
}
variable "name" {
  type    = string
  default = "orders"
}
locals {
  one   = 1
  pi    = 3.25
  yes   = true
  none  = null
  list  = [1, 2, 3]
  map   = { a = 1, b = "two" }
  deep  = { a = { b = [{ c = 1 }] } }
}
resource "aws_lambda_function" "orders" {
  function_name = "orders"
  timeout       = 30
  environment {
    variables = { A = "1" }
  }
  vpc_config {
    subnet_ids = ["a", "b"]
  }
  vpc_config {
    subnet_ids = []
  }
}
output "x" {
  value = "y"
}
"""


def plain(node: Expression) -> Any:
    """The value of a literal as python-hcl2 gives it."""
    match node:
        case Literal(value):
            return value
        case ListOf(items):
            return [plain(item) for item in items]
        case ObjectOf(items):
            return {plain(key): plain(value) for key, value in items}
        case Unary("-", Literal(int() | float() as number)):
            return -number
    return f"${{{spelled(node)}}}"


def as_hcl2(found: Body) -> dict[str, Any]:
    made: dict[str, Any] = {name: plain(attribute.expression) for name, attribute in found.attributes.items()}
    for block in found.blocks:
        inner: Any = as_hcl2(block.body)
        for label in reversed(block.labels):
            inner = {label: inner}
        made.setdefault(block.type, []).append(inner)
    return made


def theirs(text: str) -> Any:
    return tidy(hcl2.load(io.StringIO(text)))


def tidy(value: Any) -> Any:
    """What python-hcl2 gives, without its marks and the quotes that it keeps."""
    if isinstance(value, dict):
        return {tidy(key): tidy(item) for key, item in value.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    if isinstance(value, str) and value.startswith("${"):
        inner = value[2:-1]
        return {"null": None, "true": True, "false": False}.get(inner, value)
    return value


def test_python_hcl2_finds_the_same_in_a_configuration() -> None:
    ours = as_hcl2(body(PLAIN))
    ours["variable"][0]["name"]["type"] = "string"
    assert ours == theirs(PLAIN)


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).filter(
    lambda name: name not in ("for", "if", "in", "null", "true", "false", "else", "endif", "endfor")
)
TEXTS = st.text(st.sampled_from("abc XYZ09-_./:é"), max_size=8)
SCALARS = st.one_of(TEXTS, st.integers(0, 10**6), st.booleans())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, min_size=1, max_size=3)),
    max_leaves=8,
)


def written(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {written(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


BODIES: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(NAMES, VALUES, max_size=3).map(lambda values: (values, [])),
    lambda inner: st.tuples(
        st.dictionaries(NAMES, VALUES, max_size=3),
        st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=2), inner), max_size=2),
    ),
    max_leaves=4,
)


def document(tree: Any, indent: str = "") -> str:
    values, blocks = tree
    text = "".join(f"{indent}{name} = {written(value)}\n" for name, value in values.items())
    for number, (kind, labels, inner) in enumerate(blocks):
        heads = "".join(f' "{label}"' for label in labels)
        text += f"{indent}{kind}_b{number}{heads} {{\n{document(inner, indent + '  ')}{indent}}}\n"
    return text


@given(BODIES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_python_hcl2_finds_the_same_in_what_is_generated(tree: Any) -> None:
    text = document(tree)
    assert as_hcl2(body(text)) == theirs(text)


@given(BODIES)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read(tree: Any) -> None:
    values, _ = tree
    found = body(document(tree))
    assert {name: plain(attribute.expression) for name, attribute in found.attributes.items()} == values


TRICKY = PLAIN + (
    'x = "${a["b"]} %{ if c }d%{ endif }"\ny = [for k, v in m : "${k}" if v]\nz = <<-E\n  a ${b}\n  E\n'
    "w = a ? b.c[*].d : !e && f(g...)\n"
)


@pytest.mark.parametrize("seed", range(300))
def test_no_mutation_raises_anything_unforeseen(seed: int) -> None:
    chance = random.Random(seed)
    text = list(TRICKY)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(text))
        text[at : at + chance.randint(0, 5)] = chance.choice(
            ["", "{", "}", '"', "${", "%{", "(", ")", "[", "\n", "<<E", "é", "\0", "=", "~", ".", "*", "?", "\ufeff"]
        )
    for piece in ("".join(text), "".join(text)[: chance.randrange(len(text))]):
        try:
            found, _ = read_hcl(piece, "main.tf")
        except LambdalintError:
            continue
        assert all(isinstance(block, Block) for block in found.blocks)


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_text_raises_anything_unforeseen(text: str) -> None:
    for read in (read_hcl, read_template, read_expression):
        try:
            read(text, "main.tf")
        except LambdalintError:
            continue
