"""Handlers that no template declares: where they are found, what is said about them, and what is not one."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from zipfile import ZipFile

import pytest
from jsonschema import Draft202012Validator

import lambdalint
from lambdalint.aws.tables import table
from lambdalint.config import Config
from lambdalint.engine.result import Result
from lambdalint.errors import ConfigError, ExitCode, UsageError
from lambdalint.model.finding import Confidence, Severity
from lambdalint.reporters import json as json_report
from lambdalint.reporters.view import View

TODAY = date(2026, 11, 22)

PLAIN = """\
import requests

def lambda_handler(event, context):
    return requests.get(event["url"]).json()
"""
ASYNC = """\
async def handler(event, context):
    return 1
"""
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


def checked(folder: Path, files: Mapping[str, str], config: Config | None = None) -> Result:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return lambdalint.check([folder], config, today=TODAY, cache=False)


def handlers(result: Result) -> list[str]:
    return [each.name.rpartition("/")[2] for each in result.functions if each.template is None]


def test_a_handler_without_a_template_is_found_by_its_signature_and_judged_with_low_confidence(tmp_path: Path) -> None:
    result = checked(tmp_path, {"src/app.py": PLAIN})
    (function,) = result.functions
    assert function.name.endswith("src/app.py:lambda_handler")
    assert function.handler == "app.lambda_handler"
    assert (function.template, function.runtime, function.memory_mb, function.timeout_s) == (None, None, None, None)
    assert {(each.name, each.confidence) for each in result.findings} >= {("http-without-timeout", Confidence.LOW)}
    assert all(each.severity is not Severity.ERROR for each in result.findings)
    assert any("1 handler without a template" in note and "judged by the code alone" in note for note in result.notes)
    assert result.exit_code(None) is ExitCode.CLEAN


def test_a_report_for_machines_has_such_a_function_without_a_template(tmp_path: Path) -> None:
    document = json.loads(json_report.render(checked(tmp_path, {"src/app.py": PLAIN}), View()))
    schema = json.loads((files("lambdalint.reporters") / "schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(document)
    assert document["functions"][0]["template"] is None


def test_what_a_template_would_make_an_error_is_a_warning_where_only_the_signature_speaks(tmp_path: Path) -> None:
    body = """\
current_user = "nobody"

def handler(event, context):
    global current_user
    if "user" in event:
        current_user = event["user"]
    return greeting()

def greeting():
    return "hello " + current_user
"""
    severities = []
    for template in ({"template.yaml": TEMPLATE}, {}):
        result = checked(tmp_path / str(len(template)), {**template, "src/app.py": body})
        severities += [each.severity for each in result.findings if each.name == "event-in-global"]
    assert severities == [Severity.ERROR, Severity.WARNING]


def test_a_module_that_cannot_be_parsed_is_no_error_where_only_the_signature_speaks(tmp_path: Path) -> None:
    written = {"src/app.py": "import broken\n\ndef handler(event, context):\n    return 1\n", "src/broken.py": "def\n"}
    alone = checked(tmp_path / "alone", written)
    assert [(each.name, each.severity) for each in alone.findings] == [("syntax-error", Severity.WARNING)]
    assert alone.failures == ()
    declared = checked(tmp_path / "declared", {**written, "template.yaml": TEMPLATE})
    assert [(each.name, each.severity) for each in declared.findings] == [("syntax-error", Severity.ERROR)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "from aws_lambda_powertools import Logger\nlogger = Logger()\n\n"
            "@logger.inject_lambda_context(log_event=False)\ndef run(event, context):\n    return 1\n",
            "run",
        ),
        (
            "from aws_lambda_powertools.event_handler import APIGatewayRestResolver\n"
            "app = APIGatewayRestResolver()\n\ndef entry(incoming, ctx):\n    return app.resolve(incoming, ctx)\n",
            "entry",
        ),
        (
            "from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response\n"
            "processor = BatchProcessor(event_type=EventType.SQS)\n\ndef each(record): ...\n\n"
            "def drain(happening, around):\n"
            "    return process_partial_response(event=happening, record_handler=each, processor=processor,\n"
            "                                    context=around)\n",
            "drain",
        ),
        (
            "from aws_lambda_powertools.utilities.data_classes import event_source, SQSEvent\n\n"
            "@event_source(data_class=SQSEvent)\ndef take(messages, around):\n    return 1\n",
            "take",
        ),
        ("from chalice import Chalice\napp = Chalice(app_name='orders')\n\n@app.route('/')\ndef index(): ...\n", "app"),
        ("from mangum import Mangum\nfrom fastapi import FastAPI\napp = FastAPI()\nentry = Mangum(app)\n", "entry"),
        ("import awsgi\nfrom web import app\n\ndef serve(a, b):\n    return awsgi.response(app, a, b)\n", "serve"),
        ("from apig_wsgi import make_lambda_handler\nfrom web import app\nentry = make_lambda_handler(app)\n", "entry"),
        ("from flask_lambda import FlaskLambda\napp = FlaskLambda(__name__)\n", "app"),
        (
            "import serverless_wsgi\nfrom web import app\n\ndef serve(a, b):\n"
            "    return serverless_wsgi.handle_request(app, a, b)\n",
            "serve",
        ),
        (
            "from datadog_lambda.wrapper import datadog_lambda_wrapper\n\n"
            "@datadog_lambda_wrapper\ndef run(a, b):\n    return 1\n",
            "run",
        ),
        ("import newrelic.agent\n\n@newrelic.agent.lambda_handler()\ndef run(a, b):\n    return 1\n", "run"),
        (
            "from aws_durable_execution_sdk_python import durable_execution\n\n"
            "@durable_execution\ndef run(a, b):\n    return 1\n",
            "run",
        ),
    ],
)
def test_a_library_that_is_there_for_lambda_tells_a_handler_of_any_name(tmp_path: Path, text: str, name: str) -> None:
    result = checked(tmp_path, {"src/entry.py": text, "src/web.py": "app = object()\n"})
    assert handlers(result) == [f"entry.py:{name}"]


def test_what_a_library_tells_has_medium_confidence_at_most(tmp_path: Path) -> None:
    sentry = (
        "import sentry_sdk, requests\nfrom sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration\n"
        "sentry_sdk.init(integrations=[AwsLambdaIntegration()])\n\n"
        "def handler(event, context):\n    return requests.get(event['url']).json()\n"
    )
    found = [each for each in checked(tmp_path, {"app.py": sentry}).findings if each.code == "LT001"]
    assert [each.confidence for each in found] == [Confidence.MEDIUM]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tests/app.py", PLAIN),
        ("src/test_app.py", PLAIN),
        ("src/conftest.py", PLAIN),
        (".hidden/app.py", PLAIN),
        (".venv/lib/app.py", PLAIN),
        ("node_modules/x/app.py", PLAIN),
        ("lib/site-packages/app.py", PLAIN),
        ("src/app.py", "def script_handler(events, context):\n    return 1\n"),
        ("src/app.py", "def script_handler(event, context):\n    return 1\n"),
        ("src/app.py", "from awsglue.utils import getResolvedOptions\n" + PLAIN),
        ("src/app.py", "import functions_framework\n" + PLAIN),
        ("src/app.py", "def handler(event, context):\n    yield 1\n"),
        ("src/app.py", "class Orders:\n    def handler(self, event, context):\n        return 1\n"),
        ("src/app.py", "def outer():\n    def handler(event, context):\n        return 1\n    return handler\n"),
        ("src/app.py", "import pytest\n\n@pytest.fixture\ndef handler(event, context):\n    return 1\n"),
        ("src/app.py", "from celery import shared_task\n\n@shared_task\ndef handler(event, context):\n    return 1\n"),
        ("src/app.py", "def _handler(event, context):\n    return 1\n"),
        ("src/app.py", "def on_click(event, context):\n    return 1\n"),
        ("src/app.py", "def handler(event, context, more):\n    return 1\n"),
        ("src/app.py", "def handler(event, context)\n    return 1\n"),
        ("src/app.py", "print 'Python 2'\n" + PLAIN),
        ("src/app.py", ASYNC),
    ],
)
def test_this_is_no_handler(tmp_path: Path, path: str, text: str) -> None:
    result = checked(tmp_path, {path: text})
    assert handlers(result) == []
    assert [each.message for each in result.failures] == ["no Lambda function is declared here"]


def test_a_script_of_systems_manager_is_no_handler(tmp_path: Path) -> None:
    document = "mainSteps:\n- action: aws:executeScript\n  inputs: {Handler: handler, Script: restart.py}\n"
    written = {"automation/scripts/restart.py": "def handler(event, context):\n    return 1\n"}
    assert handlers(checked(tmp_path, {**written, "automation/restart.yaml": document})) == []


def test_code_for_another_cloud_has_no_handlers(tmp_path: Path) -> None:
    service = "service: orders\nprovider: {name: tencent}\nfunctions: {orders: {handler: app.lambda_handler}}\n"
    assert handlers(checked(tmp_path, {"shop/serverless.yml": service, "shop/app.py": PLAIN})) == []


def test_every_library_has_a_word_that_is_looked_for_first() -> None:
    rows = table("handlers")
    names = [name for row in rows["library"] for name in (*row["modules"], *row["told"])]
    names += [name for row in rows["presence"] for name in row["names"]]
    assert [name for name in names if not any(word in name for word in rows["marks"]["words"])] == []


def test_a_vendored_distribution_has_no_handlers_and_the_code_beside_it_does(tmp_path: Path) -> None:
    written = {
        "src/app.py": PLAIN,
        "src/vendor/api.py": PLAIN,
        "src/vendor-1.0.dist-info/RECORD": "vendor/api.py,,\n",
        "src/vendor-1.0.dist-info/top_level.txt": "vendor\n",
    }
    assert handlers(checked(tmp_path, written)) == ["app.py:lambda_handler"]


def test_what_a_declared_function_loads_holds_no_further_handlers(tmp_path: Path) -> None:
    written = {
        "template.yaml": TEMPLATE,
        "src/app.py": "from shared import lambda_handler\n\n"
        "def handler(event, context):\n    return lambda_handler(event, context)\n",
        "src/shared.py": PLAIN,
        "jobs/nightly.py": PLAIN,
    }
    assert handlers(checked(tmp_path, written)) == ["nightly.py:lambda_handler"]


def test_the_source_of_what_a_template_deploys_as_an_archive_is_no_further_handler(tmp_path: Path) -> None:
    written = {"template.yaml": TEMPLATE.replace("src/", "build/app.zip").replace("app.handler", "app.lambda_handler")}
    (tmp_path / "build").mkdir()
    with ZipFile(tmp_path / "build" / "app.zip", "w") as archive:
        archive.writestr("app.py", PLAIN)
    assert handlers(checked(tmp_path, {**written, "src/app.py": PLAIN})) == []
    assert handlers(checked(tmp_path, {"src/app.py": PLAIN + "# newer\n"})) == ["app.py:lambda_handler"]


def test_what_another_handler_calls_or_loads_is_none_itself(tmp_path: Path) -> None:
    written = {
        "src/app.py": "import boto3\nfrom orders import orders_handler\n\n"
        "def lambda_handler(event, context):\n"
        "    return error_handler(event, context) or orders_handler(event, context)\n\n"
        "def error_handler(event, context):\n    return None\n",
        "src/orders.py": "def orders_handler(event, context):\n    return 1\n",
    }
    assert handlers(checked(tmp_path, written)) == ["app.py:lambda_handler"]


def test_what_a_library_tells_is_none_either_where_another_one_calls_it(tmp_path: Path) -> None:
    text = (
        "from aws_lambda_powertools import Logger\nlogger = Logger()\n\n"
        "@logger.inject_lambda_context\ndef inner(event, context):\n    return 1\n\n"
        "def handler(event, context):\n    return inner(event, context)\n"
    )
    assert handlers(checked(tmp_path, {"src/app.py": text})) == ["app.py:handler"]


def test_handlers_that_load_each_other_are_not_lost(tmp_path: Path) -> None:
    written = {
        "src/one.py": "import two\n\ndef handler(event, context):\n    return 1\n",
        "src/two.py": "import one\n\ndef handler(event, context):\n    return 1\n",
    }
    assert len(handlers(checked(tmp_path, written))) == 1


def test_a_finding_of_shared_code_keeps_the_confidence_of_the_declared_function(tmp_path: Path) -> None:
    shared = "import requests\n\ndef fetch(url):\n    return requests.get(url).json()\n"
    caller = "import shared\n\ndef {name}(event, context):\n    return shared.fetch(event['url'])\n"
    written = {
        "template.yaml": TEMPLATE,
        "src/app.py": caller.format(name="handler"),
        "src/a_job.py": caller.format(name="lambda_handler"),
        "src/shared.py": shared,
    }
    result = checked(tmp_path, written)
    assert handlers(result) == ["a_job.py:lambda_handler"]
    found = [each for each in result.findings if each.code == "LT001"]
    assert [(each.function, each.confidence) for each in found] == [("Orders", Confidence.HIGH)]


def test_packages_and_folders_above_are_where_a_handler_imports_from(tmp_path: Path) -> None:
    helper = "import requests\n\ndef fetch(url):\n    return requests.get(url).json()\n"
    written = {
        "shop/__init__.py": "",
        "shop/web/__init__.py": "",
        "shop/web/app.py": "from shop.helper import fetch\nfrom ..other import more\n\n"
        "def lambda_handler(event, context):\n    return fetch(more(event['url']))\n",
        "shop/helper.py": helper,
        "shop/other.py": "import requests\n\ndef more(url):\n    return requests.get(url).text\n",
    }
    result = checked(tmp_path, written)
    assert [each.handler for each in result.functions] == ["shop.web.app.lambda_handler"]
    places = {each.path.rpartition("/")[2] for each in result.findings if each.code == "LT001"}
    assert places == {"helper.py", "other.py"}


def test_a_module_given_by_its_own_path_is_looked_at_wherever_it_lies(tmp_path: Path) -> None:
    checked(tmp_path, {"tests/app.py": PLAIN})
    result = lambdalint.check([tmp_path / "tests" / "app.py"], today=TODAY, cache=False)
    assert handlers(result) == ["app.py:lambda_handler"]


def test_ignored_and_excluded_files_hold_no_handlers(tmp_path: Path) -> None:
    written = {".gitignore": "build/\n", "build/app.py": PLAIN, "old/app.py": PLAIN, "src/app.py": PLAIN}
    result = checked(tmp_path, written, Config(exclude=("old/",), file=tmp_path / "lambdalint.toml"))
    assert [each.name for each in result.functions if "src/app.py" not in each.name] == []


CONFIGURED = """\
[tool.lambdalint]
handlers = ["src/app.py:run"]

[[tool.lambdalint.functions]]
handler = "jobs/nightly.py:main"
name = "Nightly"
runtime = "python3.13"
architecture = "arm64"
memory = 512
timeout = 60
"""


def test_a_handler_that_the_configuration_names_is_as_sure_as_one_of_a_template(tmp_path: Path) -> None:
    written = {
        "pyproject.toml": CONFIGURED,
        "src/app.py": "import requests\n\ndef run(a, b):\n    return requests.get(a['url']).json()\n",
        "jobs/nightly.py": "def main(event):\n    return 1\n",
    }
    result = checked(tmp_path, written)
    app, nightly = result.functions
    assert app.handler == "app.run"
    assert (nightly.name, nightly.runtime, nightly.architectures) == ("Nightly", "python3.13", ("arm64",))
    assert (nightly.memory_mb, nightly.timeout_s, nightly.template) == (512, 60, None)
    found = {each.name: (each.severity, each.confidence) for each in result.findings}
    assert found["uncallable-handler"] == (Severity.ERROR, Confidence.HIGH)
    assert found["http-without-timeout"][1] is Confidence.HIGH
    assert not any("without a template" in note for note in result.notes)


def test_a_handler_that_is_not_in_the_module_is_found_at_the_configuration(tmp_path: Path) -> None:
    written = {
        "lambdalint.toml": '# ours\nhandlers = ["src/app.py:run"]\n',
        "src/app.py": "def main(event, context): ...\n",
    }
    (finding,) = [each for each in checked(tmp_path, written).findings if each.code == "LH001"]
    assert finding.path.endswith("lambdalint.toml")
    assert "src/app.py" in finding.message


def test_a_template_goes_before_the_configuration(tmp_path: Path) -> None:
    written = {
        "lambdalint.toml": 'handlers = ["src/app.py:handler"]\n',
        "template.yaml": TEMPLATE,
        "src/app.py": "def handler(event, context):\n    return 1\n",
    }
    assert [each.name for each in checked(tmp_path, written).functions] == ["Orders"]


def test_only_handlers_below_the_paths_given_are_looked_at(tmp_path: Path) -> None:
    written = {
        "lambdalint.toml": 'handlers = ["a/app.py:run", "b/gone.py:run"]\n',
        "a/app.py": "def run(a, b):\n    return 1\n",
    }
    with pytest.raises(UsageError, match=r"no file 'b/gone.py'"):
        checked(tmp_path, written)
    result = lambdalint.check([tmp_path / "a"], today=TODAY, cache=False)
    assert handlers(result) == ["app.py:run"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('handlers = "src/app.py:run"\n', "handlers must be a list of strings"),
        ('handlers = ["app.run"]\n', 'handlers must be PATH.py:NAME, not "app.run"'),
        ("functions = [1]\n", "functions must be a list of tables"),
        ('[[functions]]\nhandler = "a.py:b"\nmemroy = 1\n', "functions has no setting 'memroy'"),
        ('[[functions]]\nname = "b"\n', "functions has an entry without a handler"),
        (
            '[[functions]]\nhandler = "a.py:b"\narchitecture = "x86"\n',
            "functions has the setting architecture, which must be",
        ),
        (
            '[[functions]]\nhandler = "a.py:b"\nmemory = "1"\n',
            "functions has the setting memory, which must be a whole number",
        ),
    ],
)
def test_what_the_configuration_says_wrongly_of_a_function_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "lambdalint.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        Config.read(file)
    assert message in raised.value.message


def test_the_lambda_web_adapter_has_no_handler_to_miss(tmp_path: Path) -> None:
    template = TEMPLATE.replace("app.handler", "main.start") + (
        "      Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap}}\n"
    )
    result = checked(tmp_path, {"template.yaml": template, "src/main.py": "print(1)\n"})
    assert [each.name for each in result.findings if each.code == "LH001"] == []


def test_a_new_handler_makes_a_remembered_run_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDALINT_CACHE_DIR", str(tmp_path / "cache"))
    project = tmp_path / "project"
    checked(project, {"src/app.py": PLAIN, "src/plain.py": "x = 1\n"})

    def names() -> list[str]:
        return handlers(lambdalint.check([project], today=TODAY))

    assert names() == names() == ["app.py:lambda_handler"]
    (project / "jobs").mkdir()
    (project / "jobs" / "nightly.py").write_text(PLAIN, encoding="utf-8")
    assert names() == ["nightly.py:lambda_handler", "app.py:lambda_handler"]
    (project / "src" / "plain.py").write_text(PLAIN, encoding="utf-8")
    assert "plain.py:lambda_handler" in names()
    (project / "src" / "app.py").unlink()
    assert "app.py:lambda_handler" not in names()


def test_what_has_no_template_is_not_packaged(tmp_path: Path) -> None:
    checked(tmp_path, {"src/app.py": PLAIN})
    done = subprocess.run(
        [sys.executable, "-m", "lambdalint", "package", ".", "--plan", "--function", "src/app.py:lambda_handler"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.USAGE
    assert "no function is called" in done.stderr
