"""Chalice and Zappa, as far as they declare functions."""

from lambdalint.model.function import TriggerKind
from lambdalint.model.template import Dialect
from lambdalint.model.values import Known, Unknown
from lambdalint.testing import check_files, project_of

CONFIG = """\
{
  "version": "2.0",
  "app_name": "shop",
  "environment_variables": {"TABLE": "orders", "MODE": "all"},
  "stages": {
    "dev": {
      "lambda_memory_size": 256,
      "environment_variables": {"MODE": "dev"},
      "lambda_functions": {"drain": {"lambda_timeout": 120}}
    }
  }
}
"""

APP = """\
from chalice import Chalice, Rate

app = Chalice(app_name="shop")


@app.route("/")
def index():
    return {}


@app.on_sqs_message(queue="jobs", batch_size=5, name="drain")
def drain_queue(event):
    ...


@app.schedule(Rate(5, unit=Rate.MINUTES))
def tick(event):
    ...


@app.lambda_function()
def plain(event, context):
    ...
"""


def test_chalice_deploys_what_the_decorators_say() -> None:
    project = project_of({".chalice/config.json": CONFIG, "app.py": APP})
    functions = {each.name: each for each in project.functions}
    assert list(functions) == ["shop-dev-api_handler", "shop-dev-drain", "shop-dev-tick", "shop-dev-plain"]
    drain = functions["shop-dev-drain"]
    assert drain.dialect is Dialect.CHALICE
    assert isinstance(drain.runtime, Unknown)
    assert isinstance(drain.timeout_s, Known)
    assert (drain.timeout_s.value, drain.timeout_s.span.line) == (120, 9)
    [trigger] = drain.triggers
    assert trigger.kind is TriggerKind.SQS
    assert isinstance(size := trigger.settings["BatchSize"], Known)
    assert (size.value, size.span.path, size.span.line) == (5, "app.py", 11)
    assert [each.kind for each in functions["shop-dev-api_handler"].triggers] == [TriggerKind.REST_API]
    assert functions["shop-dev-plain"].handler_path == "app.py"


def test_settings_of_chalice_come_from_the_innermost_level_and_variables_from_all() -> None:
    [api, *_] = project_of({".chalice/config.json": CONFIG, "app.py": APP}).functions
    assert isinstance(api.timeout_s, Known)
    assert (api.timeout_s.value, api.timeout_s.stated) == (60, False)
    assert isinstance(api.memory_mb, Known)
    assert (api.memory_mb.value, api.memory_mb.span.line) == (256, 7)
    assert isinstance(api.env, Known)
    assert {name: getattr(each, "value", None) for name, each in api.env.value.items()} == {
        "TABLE": "orders",
        "MODE": "dev",
    }


def test_an_app_of_chalice_that_does_not_parse_is_said() -> None:
    result = check_files({".chalice/config.json": CONFIG, "app.py": "def ("})
    assert [failure.path for failure in result.failures] == ["app.py"]


def test_what_a_route_of_chalice_does_is_code_of_the_api_handler() -> None:
    app = APP.replace("    return {}", '    requests.get("https://example.com")\n    return {}').replace(
        "from chalice", "import requests\nfrom chalice"
    )
    found = check_files({".chalice/config.json": CONFIG, "app.py": app}, select=("LT001",)).findings
    assert [(each.function, each.at.line) for each in found] == [("shop-dev-api_handler", 9)]  # type: ignore[union-attr]


ZAPPA_JSON = """\
{
  "base": {"app_function": "shop.app", "project_name": "shop", "memory_size": 1024, "s3_bucket": "b"},
  "prod": {
    "extends": "base",
    "runtime": "python3.13",
    "timeout_seconds": 901,
    "environment_variables": {"HIDDEN": "1"},
    "aws_environment_variables": {"SEEN": "1"},
    "events": [
      {"function": "shop.tick", "expression": "rate(1 minute)"},
      {"function": "shop.drain", "event_source": {"arn": "arn:aws:sqs:eu-west-1:111122223333:jobs", "batch_size": 5}}
    ]
  }
}
"""


def test_a_stage_of_zappa_is_a_function() -> None:
    project = project_of({"zappa_settings.json": ZAPPA_JSON, "shop.py": "app = None\n"})
    assert [each.name for each in project.functions] == ["shop-base", "shop-prod"]
    prod = project.functions[1]
    assert isinstance(prod.memory_mb, Known)
    assert (prod.memory_mb.value, prod.memory_mb.span.line) == (1024, 2)
    assert isinstance(prod.env, Known)
    assert list(prod.env.value) == ["SEEN"]
    assert [each.kind.value for each in prod.triggers] == ["rest-api", "schedule", "schedule", "sqs"]
    found = check_files({"zappa_settings.json": ZAPPA_JSON, "shop.py": ""}, select=("LC013",)).findings
    assert [(each.function, each.path, each.at.line) for each in found] == [("shop-prod", "zappa_settings.json", 6)]  # type: ignore[union-attr]


def test_settings_of_zappa_in_toml_have_lines() -> None:
    text = '[dev]\napp_function = "shop.app"\ntimeout_seconds = 901\n\n[dev.aws_environment_variables]\nSEEN = "1"\n'
    found = check_files({"zappa_settings.toml": text}, select=("LC013",)).findings
    assert [(each.path, each.at.line) for each in found] == [("zappa_settings.toml", 3)]  # type: ignore[union-attr]


def test_stages_of_zappa_that_extend_each_other_end() -> None:
    text = '{"a": {"extends": "b", "app_function": "x.y"}, "b": {"extends": "a"}}'
    assert len(project_of({"zappa_settings.json": text}).functions) == 2
