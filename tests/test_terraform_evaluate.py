"""Evaluating Terraform: what a root module with its local modules declares, as far as the project says it."""

import json
import random
import time
from contextlib import suppress
from typing import Any

import pytest

from lambdalint.errors import LambdalintError
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.terraform_evaluate import evaluate
from lambdalint.join.terraform_text import structure_of
from lambdalint.model.terraform import TerraformProject, TerraformResource
from lambdalint.model.values import Known, Property, Reference, Unknown
from lambdalint.readers.tree import MemoryTree


def project(files: dict[str, str] | str, folder: str = "", inputs: Inputs | None = None) -> TerraformProject:
    found, said = evaluated(files, folder, inputs)
    assert said.failures == []
    return found


def evaluated(
    files: dict[str, str] | str, folder: str = "", inputs: Inputs | None = None
) -> tuple[TerraformProject, Said]:
    said = Said()
    tree = MemoryTree({"main.tf": files} if isinstance(files, str) else files)
    return evaluate(tree, folder, inputs or Inputs(), said), said


def output(expression: str, rest: str = "", inputs: Inputs | None = None) -> Property:
    return project(f'output "x" {{\n  value = {expression}\n}}\n{rest}', inputs=inputs).outputs["x"]


def plain(value: Property | None) -> Any:
    """*value* without its places; what is not known stands in angle brackets."""
    match value:
        case Known(tuple() as items):
            return [plain(item) for item in items]
        case Known(dict() as items):
            return {key: plain(item) for key, item in items.items()}
        case Known(found):
            return found
        case Unknown(refers=Reference(resource, attribute)):
            return f"<{resource}|{attribute}>"
        case Unknown(choices=choices) if choices:
            return ("either", *(plain(choice) for choice in choices))
        case Unknown(mentions=mentions) if mentions:
            return f"<{' '.join(f'{each.resource}|{each.attribute}' for each in mentions)}>"
    return None if value is None else "<?>"


def by_address(found: TerraformProject) -> dict[str, TerraformResource]:
    return {resource.address: resource for resource in found.resources}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("7 / 2", 3.5),
        ("6 / 2", 3),
        ("-7 % 3", -1),
        ('"a" == "a"', True),
        ('1 == "1"', False),
        ("[1, 2] == [1, 2]", True),
        ("!(1 < 2) || true", True),
        ('"${1}-${true}-${1.5}"', "1-true-1.5"),
        ('"%{ if true }a%{ else }b%{ endif }"', "a"),
        ('"%{ for v in ["a", "b"] }${v};%{ endfor }"', "a;b;"),
        ("true ? 1 : 2", 1),
        ('{ a = 1, ("b") = 2 }', {"a": 1, "b": 2}),
        ("{ a = { b = [1] } }.a.b[0]", 1),
        ('[{ a = 1 }, { a = 2 }][*].a', [1, 2]),
        ('[{ a = [1] }, { a = [2] }].*.a[1]', [2]),
        ("null[*]", []),
        ('"a"[*]', ["a"]),
        ("[for v in [1, 2, 3] : v * 2 if v != 2]", [2, 6]),
        ("[for i, v in [5, 6] : i]", [0, 1]),
        ('{ for k, v in { b = 1, a = 2 } : upper(k) => v }', {"A": 2, "B": 1}),
        ('{ for v in ["ab", "ac", "b"] : substr(v, 0, 1) => v... }', {"a": ["ab", "ac"], "b": ["b"]}),
        ("<<-E\n    a ${1}\n      b\n    E\n", "a 1\n  b\n"),
        ('format("%s-%03d-%5.2f|%-4s|%q%%", "a", 7, 1.5, "b", "c")', 'a-007- 1.50|b   |"c"%'),
        ('formatlist("%s-%s", ["a", "b"], "c")', ["a-c", "b-c"]),
        ('join("-", ["a", 1, true])', "a-1-true"),
        ('split(",", "a,b")', ["a", "b"]),
        ("merge({ a = 1 }, { b = 2 }, { a = 3 })", {"a": 3, "b": 2}),
        ("merge([{ a = 1 }, { b = 2 }]...)", {"a": 1, "b": 2}),
        ('lookup({ a = 1 }, "b", 2)', 2),
        ("element([1, 2, 3], 4)", 2),
        ('[length("abc"), length([1]), length({})]', [3, 1, 0]),
        ("concat([1], [2, 3])", [1, 2, 3]),
        ("flatten([1, [2, [3]], []])", [1, 2, 3]),
        ('distinct(["a", "b", "a"])', ["a", "b"]),
        ('compact(["a", "", null])', ["a"]),
        ("[keys({ b = 1, a = 2 }), values({ b = 1, a = 2 })]", [["a", "b"], [2, 1]]),
        ('zipmap(["a", "b"], [1, 2])', {"a": 1, "b": 2}),
        ('contains(["a"], "a")', True),
        ('coalesce(null, "", "a")', "a"),
        ("coalescelist([], [1])", [1]),
        ('try({ a = 1 }.b, "c")', "c"),
        ("[can({}.a), can(1)]", [False, True]),
        ('toset(["b", "a", "b"])', ["a", "b"]),
        ('[tostring(1), tonumber("2"), tobool("true")]', ["1", 2, True]),
        ('[upper("a"), lower("B"), title("hello world")]', ["A", "b", "Hello World"]),
        ('[trim("?a?", "?"), trimspace(" a "), trimprefix("ab", "a"), trimsuffix("ab", "b")]', ["a", "a", "b", "a"]),
        ('replace("a.b.c", ".", "-")', "a-b-c"),
        ('replace("a1b22", "/([0-9]+)/", "<$1>")', "a<1>b<22>"),
        ('regex("([a-z]+)-([0-9]+)", "ab-12")', ["ab", "12"]),
        ('regex("(?P<name>[a-z]+)", "ab-12").name', "ab"),
        ('regexall("[0-9]", "a1b2")', ["1", "2"]),
        ('[startswith("ab", "a"), endswith("ab", "b"), strcontains("abc", "b")]', [True, True, True]),
        ("[range(3), range(1, 4), range(4, 0, -2)]", [[0, 1, 2], [1, 2, 3], [4, 2]]),
        ("[min(3, 1, 2), max(3, 1), ceil(1.2), floor(1.8), abs(-2), parseint(\"ff\", 16), pow(2, 8)]",
         [1, 3, 2, 1, 2, 255, 256]),
        ('[basename("a/b.zip"), dirname("a/b.zip"), dirname("b")]', ["b.zip", "a", "."]),
        ('[base64encode("ab"), base64decode("YWI=")]', ["YWI=", "ab"]),
        ('[cidrsubnet("10.0.0.0/16", 8, 3), cidrhost("10.0.0.0/24", 5), cidrnetmask("10.0.0.0/8")]',
         ["10.0.3.0/24", "10.0.0.5", "255.0.0.0"]),
        ('cidrsubnets("10.1.0.0/16", 4, 4, 8)', ["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24"]),
        ("[one([]), one([1]), sum([1, 2]), slice([1, 2, 3], 1, 3)]", [None, 1, 3, [2, 3]]),
        ('[sort(["b", "a"]), reverse([1, 2]), index(["a", "b"], "b"), chunklist([1, 2, 3], 2)]',
         [["a", "b"], [2, 1], 1, [[1, 2], [3]]]),
        ('[setunion(["a"], ["b"]), setintersection(["a", "b"], ["b"]), setsubtract(["a", "b"], ["b"])]',
         [["a", "b"], ["b"], ["a"]]),
        ('setproduct(["a"], ["b", "c"])', [["a", "b"], ["a", "c"]]),
        ('jsonencode({ b = [1, null, true], a = "<x>" })', '{"a":"\\u003cx\\u003e","b":[1,null,true]}'),
        ('jsondecode("{\\"a\\": [1.0, 2.5]}").a', [1, 2.5]),
        ('yamldecode("a: [1, yes]\\nb: x").a', [1, True]),
        ('yamlencode({ a = [1, { b = "c" }] })', '"a":\n- 1\n- "b": "c"\n'),
        ('[nonsensitive("a"), sensitive("b")]', ["a", "b"]),
        ('[urlencode("a b/é"), strrev("ab")]', ["a+b%2F%C3%A9", "ba"]),
        ('[chomp("a\\n"), indent(2, "a\\nb")]', ["a", "a\n  b"]),
        ("[alltrue([true, false]), anytrue([true, false])]", [False, True]),
        ("path.module", "."),
    ],
)  # fmt: skip
def test_what_is_written_is_worked_out(expression: str, value: Any) -> None:
    found = plain(output(expression))
    assert found == value
    assert json.dumps(found) == json.dumps(value)


@pytest.mark.parametrize(
    "expression",
    [
        "[1][1]",
        "{}.a",
        '"a" + 1',
        "1 / 0",
        "element([], 0)",
        'regex("a", "b")',
        'file("none.txt")',
        "one([1, 2])",
        "range(1e9)",
        'jsondecode("{")',
        "null.a",
        "length()",
        "upper()",
        'cidrsubnet("10.0.0.0/30", 8, 1)',
    ],
)
def test_what_terraform_refuses_is_unknown_and_try_goes_on(expression: str) -> None:
    text = f'output "x" {{\n  value = {expression}\n}}\noutput "y" {{\n  value = try({expression}, "else")\n}}\n'
    found, _ = evaluated(text.replace("1e9", "1000000000"))
    assert isinstance(found.outputs["x"], Unknown)
    assert plain(found.outputs["y"]) == "else"


@pytest.mark.parametrize(
    "expression",
    [
        "timestamp()",
        "uuid()",
        'filesha256("main.tf")',
        'md5("a")',
        "terraform.workspace",
        "var.none",
        "local.none",
        "f(1)",
    ],
)
def test_what_nobody_can_know_is_unknown(expression: str) -> None:
    found = output(expression)
    assert isinstance(found, Unknown)
    assert plain(found) == "<?>"
    assert found.span.line == 2


QUEUE = 'resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n  delay_seconds = 5\n}\n'
ARN = "<aws_sqs_queue.jobs|arn>"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("aws_sqs_queue.jobs.arn", ARN),
        ('"${aws_sqs_queue.jobs.arn}"', ARN),
        ("tostring(aws_sqs_queue.jobs.arn)", ARN),
        ("aws_sqs_queue.jobs.name", "<aws_sqs_queue.jobs|name>"),
        ("aws_sqs_queue.jobs.delay_seconds * 2", 10),
        ("[aws_sqs_queue.jobs.arn]", [ARN]),
        ("one(aws_sqs_queue.jobs[*].arn)", ARN),
        ("element(concat([aws_sqs_queue.jobs.arn], []), 0)", ARN),
        ("try(aws_sqs_queue.jobs.arn, null)", ARN),
        ("coalesce(aws_sqs_queue.jobs.arn, null)", ARN),
        ("aws_sqs_queue.jobs.arn != null", True),
        ("var.none ? aws_sqs_queue.jobs.arn : aws_sqs_queue.jobs.arn", ARN),
        ('"${aws_sqs_queue.jobs.arn}/*"', ARN),
        ('format("%s/*", aws_sqs_queue.jobs.arn)', ARN),
        ('join("/", [aws_sqs_queue.jobs.arn, "*"])', ARN),
        ("jsonencode({ a = aws_sqs_queue.jobs.arn })", ARN),
        ('replace(aws_sqs_queue.jobs.arn, "a", "b")', ARN),
        ("aws_sqs_queue.jobs.policy.a[0].b", "<aws_sqs_queue.jobs|policy.a[0].b>"),
        ('{ a = aws_sqs_queue.jobs }["a"].arn', ARN),
        ("[for q in [aws_sqs_queue.jobs] : q.arn]", [ARN]),
    ],
)
def test_a_reference_is_followed(expression: str, value: Any) -> None:
    assert plain(output(expression, QUEUE)) == value


def test_text_around_a_reference_keeps_its_pieces() -> None:
    found = output('"a:${aws_sqs_queue.jobs.arn}:b"', QUEUE)
    assert isinstance(found, Unknown)
    assert found.refers is None
    assert found.mentions == (Reference("aws_sqs_queue.jobs", "arn"),)
    assert found.expression == '"a:${aws_sqs_queue.jobs.arn}:b"'


POLICIES = {
    "jsonencode": 'jsonencode({\n  Statement = [{ Resource = aws_sqs_queue.jobs.arn, Effect = "Allow" }]\n})',
    "heredoc": '<<E\n{"Statement": [{"Resource": "${aws_sqs_queue.jobs.arn}", "Effect": "Allow"}]}\nE\n',
    "decoded": 'jsondecode(jsonencode({ Statement = [{ Resource = aws_sqs_queue.jobs.arn, Effect = "Allow" }] }))',
}


@pytest.mark.parametrize("how", POLICIES)
def test_a_structure_in_text_is_seen_with_its_references(how: str) -> None:
    found: Property | None = output(POLICIES[how], QUEUE)
    if how != "decoded":
        found = structure_of(found)
    assert plain(found) == {"Statement": [{"Resource": ARN, "Effect": "Allow"}]}


def test_a_structure_out_of_a_file_has_places_in_it() -> None:
    found = project({"main.tf": 'output "x" {\n value = file("p.json")\n}\n', "p.json": '{\n  "a": 1\n}\n'})
    structure = structure_of(found.outputs["x"])
    assert isinstance(structure, Known)
    assert (structure.value["a"].span.path, structure.value["a"].span.line) == ("p.json", 2)


def test_a_known_structure_in_text_is_text() -> None:
    found = output("jsonencode({ a = 1 })")
    assert isinstance(found, Known)
    assert found.value == '{"a":1}'
    structure = structure_of(found)
    assert isinstance(structure, Known)
    assert structure.value["a"].span.column == 27


# Variables and locals

VARIABLE = 'variable "v" {\n  default = "d"\n}\n'


def test_a_default_names_its_variable_and_where_it_stands() -> None:
    found = output("var.v", VARIABLE)
    assert isinstance(found, Known)
    assert (found.value, found.parameter, found.span.line) == ("d", "v", 5)


def test_what_rests_on_a_default_names_the_variable() -> None:
    for expression in ('"${var.v}-x"', "upper(var.v)", "[var.v][0]", 'var.v == "d"', "{ d = 1 }[var.v]"):
        found = output(expression, VARIABLE)
        assert isinstance(found, Known), expression
        assert found.parameter == "v"


def test_the_strongest_value_of_a_variable_counts() -> None:
    files = {
        "main.tf": VARIABLE + 'output "x" {\n  value = var.v\n}\n',
        "terraform.tfvars": 'v = "t"\n',
        "a.auto.tfvars.json": '{"v": "a"}',
        "prod.tfvars": 'v = "p"\n',
    }
    without = {name: text for name, text in files.items() if "auto" not in name}
    environment = {"TF_VAR_v": "e"}
    cases = [
        (files, Inputs(), "a"),
        (without, Inputs(environment=environment), "t"),
        ({"main.tf": files["main.tf"]}, Inputs(environment=environment), "e"),
        (files, Inputs(variable_files=("prod.tfvars",)), "p"),
        (files, Inputs(parameters={"v": "c"}, variable_files=("prod.tfvars",)), "c"),
    ]
    for tree, inputs, value in cases:
        found = project(tree, inputs=inputs).outputs["x"]
        assert isinstance(found, Known)
        assert (found.value, found.parameter) == (value, None)


def test_a_variable_has_the_type_it_declares() -> None:
    text = (
        'variable "n" {\n  type = number\n  default = "3"\n}\n'
        'variable "o" {\n  type = object({ a = optional(string, "x"), b = optional(number), c = list(string) })\n'
        "  default = { c = [1], d = 2 }\n}\n"
    )
    assert plain(output("[var.n, var.o]", text)) == [3, {"a": "x", "b": None, "c": ["1"]}]
    assert plain(output("var.n", text, Inputs(parameters={"n": "5"}))) == 5
    listed = 'variable "l" {\n  type = list(string)\n}\n'
    assert plain(output("var.l", listed, Inputs(parameters={"l": '["a"]'}))) == ["a"]


def test_a_value_that_rests_on_itself_is_unknown() -> None:
    text = 'locals {\n  a = local.b\n  b = "x${local.a}"\n  c = [local.c]\n}\n'
    assert isinstance(output("local.a", text), Unknown)
    assert isinstance(output("local.c", text), Known | Unknown)


def test_a_conditional_on_a_default_keeps_both_branches() -> None:
    found = output('var.v == "d" ? 1 : 2', VARIABLE)
    assert plain(found) == ("either", 1, 2)
    assert plain(output('"x${var.v == "d" ? 1 : 2}"', VARIABLE)) == ("either", "x1", "x2")
    assert plain(output('var.v == "d" ? 1 : 1', VARIABLE)) == 1
    assert plain(output("var.none ? 1 : null", VARIABLE)) == ("either", 1, None)
    assert plain(output('var.v == "d" ? 1 : 2', VARIABLE, Inputs(parameters={"v": "e"}))) == 2


# Resources

INSTANCES = 'resource "aws_x" "y" {{\n  {argument}\n  a = {value}\n}}\noutput "all" {{\n  value = aws_x.y\n}}\n'


@pytest.mark.parametrize(
    ("argument", "value", "instances"),
    [
        ("count = 2", "count.index", {"aws_x.y[0]": 0, "aws_x.y[1]": 1}),
        ("count = 0", "1", {}),
        ("count = true ? 1 : 0", "1", {"aws_x.y[0]": 1}),
        ('for_each = toset(["b", "a"])', "each.key", {'aws_x.y["a"]': "a", 'aws_x.y["b"]': "b"}),
        ("for_each = { a = { n = 1 } }", "each.value.n", {'aws_x.y["a"]': 1}),
        ("for_each = {}", "1", {}),
        ("count = var.none", "count.index", {"aws_x.y[count.index]": "<?>"}),
        ("for_each = var.none", "each.key", {"aws_x.y[each.key]": "<?>"}),
        ("count = var.none ? 1 : 0", "1", {"aws_x.y[0]": 1}),
        ("", "1", {"aws_x.y": 1}),
    ],
)
def test_a_block_has_the_instances_that_the_project_says(argument: str, value: str, instances: dict[str, Any]) -> None:
    found = by_address(project(INSTANCES.format(argument=argument, value=value)))
    assert {address: plain(each.attributes["a"]) for address, each in found.items()} == instances
    unsure = "none" in argument
    assert all((each.condition is not None) is unsure for each in found.values())


def test_a_default_decides_whether_there_is_an_instance() -> None:
    text = 'variable "create" {\n  default = true\n}\n' + INSTANCES.format(
        argument="count = var.create ? 1 : 0", value="1"
    )
    (found,) = project(text).resources
    assert (found.address, found.condition) == ("aws_x.y[0]", None)
    assert project(text.replace("default = true", "default = false")).resources == ()


@pytest.mark.parametrize(
    ("argument", "expression", "value"),
    [
        ("count = 2", "aws_x.y[1].arn", "<aws_x.y[1]|arn>"),
        ("count = 2", "aws_x.y[*].arn", ["<aws_x.y[0]|arn>", "<aws_x.y[1]|arn>"]),
        ("count = 2", "aws_x.y.*.arn", ["<aws_x.y[0]|arn>", "<aws_x.y[1]|arn>"]),
        ("count = 1", "one(aws_x.y[*].arn)", "<aws_x.y[0]|arn>"),
        ("count = 0", 'try(aws_x.y[0].arn, "none")', "none"),
        ("count = var.none ? 1 : 0", "aws_x.y[0].arn", "<aws_x.y[0]|arn>"),
        ("count = var.none ? 1 : 0", "one(aws_x.y[*].arn)", ("either", "<aws_x.y[0]|arn>", None)),
        ("count = var.none ? 1 : 0", 'try(aws_x.y[0].arn, "none")', "<aws_x.y[0]|arn>"),
        ("count = var.none", "aws_x.y[3].arn", "<aws_x.y[count.index]|arn>"),
        ("count = var.none", "aws_x.y[*].arn", "<aws_x.y[count.index]|arn>"),
        ('for_each = toset(["a"])', 'aws_x.y["a"].arn', '<aws_x.y["a"]|arn>'),
        ('for_each = toset(["a"])', "{ for k, v in aws_x.y : k => v.arn }", {"a": '<aws_x.y["a"]|arn>'}),
        ('for_each = toset(["a"])', "values(aws_x.y)[*].arn", ['<aws_x.y["a"]|arn>']),
        ("for_each = var.none", 'aws_x.y["a"].arn', "<aws_x.y[each.key]|arn>"),
        ("for_each = var.none", "[for v in aws_x.y : v.arn]", "<aws_x.y[each.key]|None aws_x.y[each.key]|arn>"),
    ],
)
def test_a_reference_leads_to_an_instance(argument: str, expression: str, value: Any) -> None:
    rest = f'resource "aws_x" "y" {{\n  {argument}\n}}\n'
    assert plain(output(expression, rest)) == value


def test_blocks_are_lists_of_mappings() -> None:
    text = """
    resource "aws_x" "y" {
      one { a = 1 }
      two { a = 1 }
      two { a = null }
      lifecycle { prevent_destroy = true }
      none = null
      dynamic "three" {
        for_each = { k = "v" }
        content {
          key   = three.key
          value = three.value
          inner { a = 1 }
        }
      }
      dynamic "four" {
        for_each = []
        content { a = 1 }
      }
      dynamic "five" {
        for_each = var.none ? [1] : []
        iterator = it
        content { a = it.value }
      }
      dynamic "six" {
        for_each = var.none
        content { a = aws_z.w.arn }
      }
    }
    resource "aws_z" "w" {}
    """
    found = by_address(project(text))["aws_x.y"]
    assert {name: plain(value) for name, value in found.attributes.items()} == {
        "one": [{"a": 1}],
        "two": [{"a": 1}, {}],
        "three": [{"key": "k", "value": "v", "inner": [{"a": 1}]}],
        "five": ("either", [{"a": 1}], None),
        "six": "<aws_z.w|arn>",
    }


def test_an_argument_says_where_it_stands_and_where_its_value_is_stated() -> None:
    text = 'locals {\n  t = 30\n}\nresource "aws_x" "y" {\n  timeout = local.t\n  depends_on = [aws_z.w]\n}\n'
    (found,) = project(text).resources
    assert (found.attributes["timeout"].span.line, found.uses["timeout"].line) == (2, 5)
    assert (found.span.line, found.span.column, found.extent.end_line) == (4, 17, 7)
    assert found.depends_on == ("aws_z.w",)
    assert set(found.attributes) == {"timeout"}


def test_data_sources_and_providers_are_given() -> None:
    text = """
    provider "aws" {
      region = "eu-west-1"
      default_tags { tags = { team = "orders" } }
    }
    provider "aws" {
      alias  = "us"
      region = var.none
    }
    data "aws_iam_policy_document" "p" { statement { actions = ["s3:*"] } }
    resource "aws_x" "y" {
      provider = aws.us
      policy   = data.aws_iam_policy_document.p.json
    }
    """
    found = by_address(project(text))
    data, resource = found["data.aws_iam_policy_document.p"], found["aws_x.y"]
    assert (data.mode, data.type, plain(data.attributes["statement"])) == (
        "data",
        "aws_iam_policy_document",
        [{"actions": ["s3:*"]}],
    )
    assert plain(resource.attributes["policy"]) == "<data.aws_iam_policy_document.p|json>"
    assert resource.provider is not None
    assert resource.provider.alias == "us"
    assert data.provider is not None
    assert (plain(data.provider.region), plain(data.provider.default_tags)) == ("eu-west-1", {"team": "orders"})


# Modules

MODULES = {
    "infra/main.tf": """
module "api" {
  source  = "../modules/fn"
  name    = "api"
  queue   = aws_sqs_queue.jobs.arn
}
module "each" {
  source   = "../modules/fn"
  for_each = toset(["a", "b"])
  name     = each.key
}
resource "aws_sqs_queue" "jobs" {}
output "arn" { value = module.api.arn }
output "each" { value = { for k, m in module.each : k => m.arn } }
output "timeout" { value = module.api.timeout }
output "none" { value = try(module.api.none, "else") }
""",
    "modules/fn/main.tf": """
variable "name" {}
variable "timeout" { default = 7 }
variable "queue" { default = null }
resource "aws_lambda_function" "this" {
  function_name = "${var.name}-fn"
  timeout       = var.timeout
  filename      = "${path.module}/code.zip"
  queue         = var.queue
}
output "arn" { value = aws_lambda_function.this.arn }
output "timeout" { value = var.timeout }
""",
}


def test_arguments_flow_into_local_modules_and_outputs_out() -> None:
    found = project(MODULES, "infra")
    function = by_address(found)["module.api.aws_lambda_function.this"]
    assert {name: plain(value) for name, value in function.attributes.items()} == {
        "function_name": "api-fn",
        "timeout": 7,
        "filename": "../modules/fn/code.zip",
        "queue": ARN,
    }
    timeout = function.attributes["timeout"]
    assert isinstance(timeout, Known)
    assert timeout.parameter is None  # nothing in the project gives another
    assert (function.module, function.folder) == ("module.api", "modules/fn")
    assert {name: plain(value) for name, value in found.outputs.items()} == {
        "arn": "<module.api.aws_lambda_function.this|arn>",
        "each": {
            "a": '<module.each["a"].aws_lambda_function.this|arn>',
            "b": '<module.each["b"].aws_lambda_function.this|arn>',
        },
        "timeout": 7,
        "none": "else",
    }
    assert found.children == {"modules/fn"}
    assert set(found.files) == set(MODULES)
    assert 'module.each["b"].aws_lambda_function.this' in by_address(found)


def test_a_module_from_elsewhere_is_a_call() -> None:
    text = """
    module "lambda" {
      source  = "terraform-aws-modules/lambda/aws"
      version = "~> 7.0"
      handler = "app.handler"
      count   = 1
    }
    output "x" { value = module.lambda[0].lambda_function_arn }
    """
    found = project(text)
    (call,) = found.module_calls
    assert (call.address, plain(call.source)) == ("module.lambda[0]", "terraform-aws-modules/lambda/aws")
    assert {name: plain(value) for name, value in call.arguments.items()} == {"handler": "app.handler"}
    assert plain(found.outputs["x"]) == "<module.lambda[0]|lambda_function_arn>"


def test_a_module_that_is_not_there_is_noted() -> None:
    found, said = evaluated('module "m" {\n  source = "./none"\n}\n')
    assert [call.address for call in found.module_calls] == ["module.m"]
    assert said.notes == ["module.m is made from ./none, which is not among these files"]


def test_modules_that_call_each_other_end() -> None:
    found, said = evaluated(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}\noutput "x" {\n  value = module.a.x\n}\n',
            "a/main.tf": 'module "b" {\n  source = "../b"\n}\noutput "x" {\n  value = module.b.x\n}\n',
            "b/main.tf": 'module "a" {\n  source = "../a"\n}\noutput "x" {\n  value = module.a.x\n}\n',
        }
    )
    assert isinstance(found.outputs["x"], Unknown)
    assert [failure.message for failure in said.failures] == ["the module in a calls itself"]


def test_providers_are_passed_to_modules() -> None:
    text = {
        "main.tf": 'provider "aws" {\n  alias = "us"\n  region = "us-east-1"\n}\n'
        'module "m" {\n  source = "./m"\n  providers = { aws = aws.us }\n}\n',
        "m/main.tf": 'resource "aws_x" "y" {}\n',
    }
    (found,) = project(text).resources
    assert found.provider is not None
    assert plain(found.provider.region) == "us-east-1"


# Files


def test_json_and_opentofu_are_read_too() -> None:
    found = project(
        {
            "a.tf.json": '{"resource": {"aws_x": {"a": {"n": "${1 + 1}", "env": {"variables": {"A": "1"}}}}}}',
            "b.tofu": 'resource "aws_x" "b" {\n  n = 3\n}\n',
            "b.tf": 'resource "aws_x" "hidden" {}\n',
            "c_override.tf": 'resource "aws_x" "b" {\n  m = 4\n}\n',
            ".hidden.tf": 'resource "aws_x" "hidden" {}\n',
        }
    )
    assert {
        address: {n: plain(v) for n, v in each.attributes.items()} for address, each in by_address(found).items()
    } == {
        "aws_x.a": {"n": 2, "env": {"variables": {"A": "1"}}},
        "aws_x.b": {"n": 3, "m": 4},
    }


def test_files_are_looked_at_inside_the_tree_only() -> None:
    files = {
        "r/main.tf": """
        output "file" { value = trimspace(file("${path.module}/a.txt")) }
        output "outside" { value = file("../../b.txt") }
        output "there" { value = [fileexists("a.txt"), fileexists("b.txt")] }
        output "set" { value = fileset(path.module, "**/*.{txt,json}") }
        output "template" { value = templatefile("t.tftpl", { names = ["x", "y"], arn = aws_q.q.arn }) }
        output "plain" { value = templatefile("p.tftpl", { n = 1 }) }
        resource "aws_q" "q" {}
        """,
        "r/a.txt": "hello\n",
        "r/d/c.json": "{}",
        "r/t.tftpl": "%{ for n in names ~}\n${n} ${arn}\n%{ endfor ~}\n",
        "r/p.tftpl": "n=${n}\n",
    }
    found = {name: plain(value) for name, value in project(files, "r").outputs.items()}
    assert found == {
        "file": "hello",
        "outside": "<?>",
        "there": [True, False],
        "set": ["a.txt", "d/c.json"],
        "template": "<aws_q.q|arn>",
        "plain": "n=1\n",
    }


def test_a_broken_file_is_said_and_the_others_are_kept() -> None:
    found, said = evaluated(
        {"a.tf": 'resource "aws_x" "a" {\n  n = \n}\n', "b.tf": 'resource "aws_x" "b" {\n}\n', "c.tf.json": "{"}
    )
    assert set(by_address(found)) == {"aws_x.a", "aws_x.b"}
    assert {(failure.path, failure.line) for failure in said.failures} >= {("c.tf.json", 1)}
    assert {failure.path for failure in said.failures} == {"a.tf", "c.tf.json"}


# Hostile input

DOUBLING = "".join(f'  a{n} = "${{local.a{n - 1}}}${{local.a{n - 1}}}"\n' for n in range(1, 60))
NESTING = "".join(f"  b{n} = [local.b{n - 1}, local.b{n - 1}]\n" for n in range(1, 60))
CHAIN = "".join(f"  c{n} = local.c{n + 1}\n" for n in range(3000))
DYNAMIC = 'dynamic "b" {\n  for_each = [1]\n  content {\n'


def shown(value: str, local: str = "") -> str:
    return f'locals {{\n{local}}}\noutput "x" {{\n  value = {value}\n}}\n'


def resource(text: str) -> str:
    return f'resource "aws_x" "y" {{\n{text}\n}}\n'


HOSTILE = {
    "doubling text": shown("local.a59", f'  a0 = "aaaaaaaaaaaaaaaa"\n{DOUBLING}'),
    "doubling lists": shown("jsonencode(local.b59)", f"  b0 = [1]\n{NESTING}"),
    "shallow first": shown(f"[{', '.join(f'local.b{n}' for n in range(60))}]", f"  b0 = [1]\n{NESTING}"),
    "a long chain": shown("local.c0", f"{CHAIN}  c3000 = 1\n"),
    "for_each": resource("for_each = toset([for i in range(1000) : tostring(i)])"),
    "count": resource("count = 1000000000"),
    "nested for": shown("[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]]"),
    "range": shown("range(1000000000)"),
    "format": shown(f'format("{"%99999d" * 11}", {", ".join("1" * 11)})'),
    "setproduct": shown("setproduct(range(1000), range(1000), range(1000))"),
    "replace": shown('replace(local.s, "a", local.s)', '  s = join("", [for i in range(1000) : "aaaaaaaaaa"])\n'),
    "blocks": resource("b {\n" * 99 + "}\n" * 99),
    "dynamic": resource(DYNAMIC * 45 + "}\n}\n" * 45),
    "modules": "".join(f'module "m{n}" {{\n  source = "./m"\n  count = 500\n}}\n' for n in range(10)),
}
QUIET = {
    "regex": 'output "x" { value = regex("^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab") }\n',
    "pieces": 'output "x" { value = regex("a*a*a*a*a*a*a*a*b", join("", [for i in range(1000) : "a"])) }\n',
    "pow": 'output "x" { value = pow(10, 100000000) }\n',
    "product": 'output "x" { value = 99999999999 * 99999999999 * pow(9, 150) * pow(9, 150) }\n',
    "choices": 'output "x" { value = "' + "".join(f"${{var.a{n} ? 1 : 2}}" for n in range(30)) + '" }\n',
    "self": 'resource "aws_x" "y" {\n  count = length(aws_x.y)\n  a = aws_x.y[0].a\n}\n',
    "splats": 'output "x" { value = [1]' + "[*]" * 5000 + " }\n",
}


@pytest.mark.parametrize("name", [*HOSTILE, *QUIET])
def test_hostile_input_is_bounded(name: str) -> None:
    files = {"main.tf": HOSTILE.get(name) or QUIET[name], "m/main.tf": 'resource "aws_x" "y" {}\n'}
    start = time.process_time()
    found, said = evaluated(files)
    assert time.process_time() - start < 20
    assert len(found.resources) <= 20_000
    assert bool(said.failures) is (name in HOSTILE or name == "splats")


NESTED = {
    "list": ("[", "1", "]"),
    "object": ("{ a = ", "1", " }"),
    "call": ('upper("${', '"a"', '}")'),
    "merge": ("merge(", "{}", ", {})"),
    "if": ("var.a ? 1 : (", "2", ")"),
    "for": ("[for a in [1] : ", "a", "]"),
    "not": ("!", "true", ""),
    "text": ('"${', "1", '}"'),
    "directive": ('"%{ if true }${', "1", '}%{ endif }"'),
    "index": ("[0][", "0", "]"),
    "try": ("try(", "1", ")"),
    "sum": ("1 + (", "1", ")"),
}


@pytest.mark.parametrize("shape", NESTED)
@pytest.mark.parametrize("depth", [20, 60, 95, 99, 400])
def test_nothing_nests_too_deep_for_us(shape: str, depth: int) -> None:
    before, middle, after = NESTED[shape]
    found, _ = evaluated(
        f'locals {{\n  a = {before * depth}{middle}{after * depth}\n}}\noutput "x" {{\n  value = local.a\n}}\n'
    )
    assert "x" in found.outputs


@pytest.mark.parametrize("shape", NESTED)
def test_chains_of_nested_values_end(shape: str) -> None:
    before, _, after = NESTED[shape]
    links = "".join(f"  a{n} = {before * 10}local.a{n + 1}{after * 10}\n" for n in range(200))
    found, _ = evaluated(f'locals {{\n{links}  a200 = "a"\n}}\noutput "x" {{\n  value = local.a0\n}}\n')
    assert "x" in found.outputs


SAMPLE = "".join(MODULES.values()) + "".join(
    f'output "p{number}" {{\n  value = {text}\n}}\n' for number, text in enumerate(POLICIES.values())
)


@pytest.mark.parametrize("seed", range(200))
def test_no_mutation_raises_anything_unforeseen(seed: int) -> None:
    chance = random.Random(seed)
    text = SAMPLE
    for _ in range(chance.randint(1, 15)):
        at = chance.randrange(len(text))
        piece = chance.choice(
            ["{", "}", '"', "${", "(", ")", "[0]", "[*]", "\n", ".x", "null", "-1", "each.key", "count = 2"]
        )
        text = text[:at] + piece + text[at + chance.randint(0, 4) :]
    with suppress(LambdalintError):
        evaluated({"infra/main.tf": text, "modules/fn/main.tf": MODULES["modules/fn/main.tf"]}, "infra")
