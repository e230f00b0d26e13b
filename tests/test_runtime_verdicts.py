"""What the rules say of handlers and of what they return, held against the client of Lambda's own runtime, both ways.

Every handler here is judged by its rule and run under ``awslambdaric``: what the rule finds fails as the rule says, and
its healthy twin, of which the rule says nothing, answers.

Verdicts that this client cannot give, since it hands over what it got and never hears what becomes of it:

- the shape of an answer (``malformed-proxy-response``, ``incomplete-trigger-response``, ``exception-in-response``): API
  Gateway, Cognito and others read it after the runtime has sent it;
- failures reported for a part of a batch (``unreturned-batch-failures``, ``undeclared-batch-failures``,
  ``wrong-item-identifier``), custom resources and jobs: the event source or CloudFormation acts on them;
- what goes on after the answer (``unfinished-work``, ``exit-time-cleanup``): Lambda freezes the process, the client
  alone does not;
- timeouts, memory, the read-only file system and semaphores: they are Lambda's, and not the client's;
- SDK calls at import (``work-at-import``) succeed; only what reads from a terminal fails;
- what AWS answers has to be there first (``non-json-dump``, ``float-to-dynamodb``).
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lambdalint.packager.boot.runtime_api import request_id
from lambdalint.testing import check_files
from tests.runtime_api import Outcome, outcome

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: {handler}
      Runtime: python3.13
      Events: {events}
"""
API = "{Order: {Type: Api, Properties: {Path: /orders, Method: post}}}"
#: What takes an answer for the end of a message, and an error for a reason to show it again.
QUEUE = "{Order: {Type: SQS, Properties: {Queue: 'arn:aws:sqs:eu-west-1:111122223333:orders'}}}"
PLAIN = "def handler(event, context):\n    return {}\n"
EVENT = {"id": 7, "items": [1, 2], "Records": [{"messageId": "1", "body": "{}"}]}


@dataclass(frozen=True, slots=True)
class Case:
    """*code* in ``app.py`` and how the client tells of it: *what*, and the type of the *error* or the answer itself."""

    rule: str
    code: str
    what: str
    error: str = ""
    handler: str = "app.handler"
    answer: object = None
    more: dict[str, str] = field(default_factory=dict)
    events: str = "{}"

    def __str__(self) -> str:
        return f"{self.rule}-{self.handler}-{self.error or self.what}"

    @property
    def files(self) -> dict[str, str | bytes]:
        modules = {"app.py": self.code, **self.more}
        return {
            "template.yaml": TEMPLATE.format(handler=self.handler, events=self.events),
            **{f"src/{name}": text for name, text in modules.items()},
        }


def _returning(value: str, imports: str = "") -> str:
    return f"{imports}\ndef handler(event, context):\n    return {value}\n"


def _doing(statement: str, imports: str = "") -> str:
    return f"{imports}\ndef handler(event, context):\n    {statement}\n    return {{}}\n"


def _failing(rule: str, code: str, what: str, error: str = "", handler: str = "app.handler", **more: str) -> Case:
    return Case(rule, code, what, error, handler, more=_files(more))


def _answering(rule: str, code: str, answer: object, handler: str = "app.handler", **more: str) -> Case:
    return Case(rule, code, "answer", "", handler, answer, _files(more))


def _files(modules: Mapping[str, str]) -> dict[str, str]:
    return {f"{name}.py": text for name, text in modules.items()}


INIT, INVOKE, EXIT = "init error", "invocation error", "exit"

FOUND = (
    _failing("missing-handler", PLAIN, INIT, "Runtime.HandlerNotFound", "app.main"),
    _failing("missing-handler", PLAIN, INIT, "Runtime.ImportModuleError", "orders.handler"),
    _failing("missing-handler", PLAIN, INIT, "Runtime.ImportModuleError", "App.handler"),
    _failing("missing-handler", PLAIN, INIT, "Runtime.ImportModuleError", "src/app.handler"),
    _failing("missing-handler", PLAIN, INIT, "Runtime.MalformedHandlerName", "handler"),
    _failing("missing-handler", "handler = {}\n", INVOKE, "TypeError"),
    _failing("missing-handler", "class Orders:\n    def handler(self, event): ...\n", INIT, "Runtime.HandlerNotFound"),
    _failing("builtin-handler-module", "", INIT, "Runtime.BuiltInModuleConflict", "time.handler", time=PLAIN),
    _failing("builtin-handler-module", "", INIT, "Runtime.BuiltInModuleConflict", "sys.exit", sys="exit = print\n"),
    _failing("uncallable-handler", "def handler(event):\n    return {}\n", INVOKE, "TypeError"),
    _failing("uncallable-handler", "def handler():\n    return {}\n", INVOKE, "TypeError"),
    _failing("uncallable-handler", "def handler(event, context, table):\n    return {}\n", INVOKE, "TypeError"),
    _failing("uncallable-handler", "def handler(event, context, *, table):\n    return {}\n", INVOKE, "TypeError"),
    _failing("uncallable-handler", "handler = lambda event: {}\n", INVOKE, "TypeError"),
    _failing(
        "uncallable-handler",
        "class Orders:\n    def __call__(self, event):\n        return {}\n\nhandler = Orders()\n",
        INVOKE,
        "TypeError",
    ),
    _failing(
        "uncallable-handler",
        "class Orders:\n    def run(self, event):\n        return {}\n\nhandler = Orders().run\n",
        INVOKE,
        "TypeError",
    ),
    _failing("deferred-handler", "async def handler(event, context):\n    return {}\n", INVOKE, "Runtime.MarshalError"),
    _failing("deferred-handler", "def handler(event, context):\n    yield {}\n", INVOKE, "Runtime.MarshalError"),
    _failing("deferred-handler", "async def handler(event, context):\n    yield {}\n", INVOKE, "Runtime.MarshalError"),
    _failing(
        "non-json-return",
        _returning("{'at': datetime.now()}", "from datetime import datetime"),
        INVOKE,
        "Runtime.MarshalError",
    ),
    _failing("non-json-return", _returning("set(event['items'])"), INVOKE, "Runtime.MarshalError"),
    _failing("non-json-return", _returning("{'id': uuid.uuid4()}", "import uuid"), INVOKE, "Runtime.MarshalError"),
    _failing("non-json-return", _returning("map(str, event['items'])"), INVOKE, "Runtime.MarshalError"),
    _failing("non-json-return", _returning("{(1, 2): 'a'}"), INVOKE, "Runtime.MarshalError"),
    _failing("process-exit", _doing("sys.exit(0)", "import sys"), EXIT),
    _failing("process-exit", _doing("exit()"), EXIT),
    _failing("process-exit", _doing("os._exit(0)", "import os"), EXIT),
    _failing("process-exit", _doing("raise SystemExit(1)"), EXIT),
    _failing("process-exit", f"import sys\nsys.exit(1)\n{PLAIN}", EXIT),
    _failing("work-at-import", f"name = input()\n{PLAIN}", INIT, "EOFError"),
    _failing("unknown-context-attribute", _returning("context.request_id"), INVOKE, "AttributeError"),
    _failing("unknown-context-attribute", _returning("context.getRemainingTimeInMillis()"), INVOKE, "AttributeError"),
    _failing("unknown-context-attribute", _returning("context['aws_request_id']"), INVOKE, "TypeError"),
    _failing("undeclared-env-var", f"import os\nTABLE = os.environ['TABLE']\n{PLAIN}", INIT, "KeyError"),
    _failing("undeclared-env-var", _returning("os.environ['TABLE']", "import os"), INVOKE, "KeyError"),
    # These answer, and the answer is not what was meant.
    Case("non-json-return", _returning("{'total': math.nan}", "import math"), "answer", answer=b'{"total": NaN}'),
    Case(
        "redefined-handler",
        "def handler(event, context):\n    return 1\n\ndef handler(event, context):\n    return 2\n",
        "answer",
        answer=2,
    ),
    Case(
        "error-as-success",
        "def handler(event, context):\n    try:\n        work(event)\n    except Exception as error:\n"
        "        return {'statusCode': 200, 'body': str(error)}\n\ndef work(event):\n    raise ValueError('a')\n",
        "answer",
        answer={"statusCode": 200, "body": "a"},
        events=API,
    ),
    Case(
        "swallowed-message",
        "def handler(event, context):\n    for record in event['Records']:\n        try:\n            work(record)\n"
        "        except Exception:\n            print('a')\n\ndef work(record):\n    raise ValueError('a')\n",
        "answer",
        events=QUEUE,
    ),
)
SILENT = (
    _answering("missing-handler", PLAIN, {}),
    _answering("missing-handler", "from jobs import handler\n", 1, jobs=_returning("1")),
    _answering("missing-handler", PLAIN, 2, "jobs/orders.handler", **{"jobs/orders": _returning("2")}),
    _answering(
        "missing-handler", "try:\n    handler = main\nexcept NameError:\n    handler = lambda event, context: 3\n", 3
    ),
    _answering("builtin-handler-module", PLAIN, 4, "timing.handler", timing=_returning("4")),
    _answering("uncallable-handler", "def handler(event, context=None, table=None):\n    return 1\n", 1),
    _answering("uncallable-handler", "def handler(*args):\n    return len(args)\n", 2),
    _answering("uncallable-handler", "def handler(event, context, *, table='a'):\n    return table\n", "a"),
    _answering(
        "uncallable-handler",
        "from functools import partial\n\ndef work(table, event, context):\n    return table\n\n"
        "handler = partial(work, 'a')\n",
        "a",
    ),
    _answering(
        "uncallable-handler",
        "class Orders:\n    def __call__(self, event, context):\n        return 1\n\nhandler = Orders()\n",
        1,
    ),
    _answering(
        "uncallable-handler",
        "class Orders:\n    def run(self, event, context):\n        return 1\n\nhandler = Orders().run\n",
        1,
    ),
    _answering(
        "deferred-handler",
        "import asyncio\n\ndef handler(event, context):\n    return asyncio.run(work(event))\n\n"
        "async def work(event):\n    return event['id']\n",
        7,
    ),
    _answering("deferred-handler", _returning("list(work(event))") + "\ndef work(event):\n    yield 1\n", [1]),
    _answering(
        "non-json-return",
        _returning("{'at': date(2026, 11, 22).isoformat()}", "from datetime import date"),
        {"at": "2026-11-22"},
    ),
    _answering(
        "non-json-return", _returning("{'price': Decimal('1.5')}", "from decimal import Decimal"), {"price": 1.5}
    ),
    _answering("non-json-return", _returning("sorted(set(event['items']))"), [1, 2]),
    _answering("non-json-return", _returning("(1, 2)"), [1, 2]),
    _answering("non-json-return", _returning("None"), None),
    _answering(
        "process-exit",
        "import sys\n\ndef handler(event, context):\n    try:\n        sys.exit(1)\n"
        "    except SystemExit:\n        return 1\n",
        1,
    ),
    _answering(
        "process-exit", f"import sys\n{PLAIN}\nif __name__ == '__main__':\n    sys.exit(handler(None, None))\n", {}
    ),
    _answering("redefined-handler", f"{PLAIN}\nhandler = (lambda inner: inner)(handler)\n", {}),
    _answering("work-at-import", f"import sys\n{PLAIN}\nif __name__ == '__main__':\n    input()\n", {}),
    _answering(
        "unknown-context-attribute",
        _returning("[context.aws_request_id, context.memory_limit_in_mb]"),
        [request_id(0), "128"],
    ),
    _answering("unknown-context-attribute", _returning("getattr(context, 'request_id', None)"), None),
    # It fails for the source, too, where the exception goes on.
    Case(
        "swallowed-message",
        "def handler(event, context):\n    for record in event['Records']:\n        try:\n            work(record)\n"
        "        except Exception:\n            print('a')\n            raise\n\n"
        "def work(record):\n    raise ValueError('a')\n",
        INVOKE,
        "ValueError",
        events=QUEUE,
    ),
    _answering("undeclared-env-var", _returning("os.environ.get('TABLE', 'a')", "import os"), "a"),
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Future[Outcome]]]:
    """What became of each, several at a time."""

    def run(number: int, case: Case) -> Outcome:
        root = folder / str(number)
        for name, text in case.files.items():
            if name.startswith("src/"):
                path = root / name.removeprefix("src/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return outcome(root, case.handler, EVENT, timeout_s=60)

    folder: Path = tmp_path_factory.mktemp("functions")
    with ThreadPoolExecutor(4) as pool:
        yield {id(case): pool.submit(run, number, case) for number, case in enumerate((*FOUND, *SILENT))}


@pytest.mark.parametrize("case", FOUND, ids=str)
def test_what_a_rule_finds_fails_in_the_runtime_as_it_says(case: Case, outcomes: dict[int, Future[Outcome]]) -> None:
    result = check_files(case.files, select=(case.rule,))
    assert [each.name for each in result.findings] == [case.rule]
    told = outcomes[id(case)].result()
    assert told.what == case.what, told
    assert told.error == case.error
    if case.what == "answer":
        assert told.body == case.answer if isinstance(case.answer, bytes) else json.loads(told.body) == case.answer


@pytest.mark.parametrize("case", SILENT, ids=str)
def test_what_a_rule_says_nothing_of_works_in_the_runtime(case: Case, outcomes: dict[int, Future[Outcome]]) -> None:
    assert not check_files(case.files, select=(case.rule,)).findings
    told = outcomes[id(case)].result()
    assert (told.what, told.error) == (case.what, case.error), told
    if case.what == "answer":
        assert json.loads(told.body) == case.answer
