"""What the tables say of Lambda's own runtime, held against the client that it is made of."""

import sys

import pytest
from awslambdaric.bootstrap import _get_handler
from awslambdaric.lambda_context import LambdaContext
from awslambdaric.lambda_runtime_exception import FaultException
from awslambdaric.lambda_runtime_marshaller import to_json

from lambdalint.aws.builtin_modules import builtin_modules
from lambdalint.aws.context import context_members
from lambdalint.facts.context_reads import ContextRead, ContextReads
from lambdalint.facts.path_calls import PathCalls
from tests.code_facts import fact, loaded, work_out


def test_every_python_has_the_builtin_modules() -> None:
    assert builtin_modules() <= frozenset(sys.builtin_module_names)
    assert "email" not in builtin_modules()


def test_the_context_has_what_the_client_of_the_runtime_gives_it() -> None:
    context = LambdaContext("id", None, None, 0)
    public = {name for name in dir(context) if not name.startswith("_")}
    known = {name.removesuffix("()") for name in context_members()}
    assert public <= known
    assert known - public <= {"w3c"}
    for name in context_members():
        if name.endswith("()") and name != "w3c()":
            assert callable(getattr(context, name.removesuffix("()")))


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ("return context.a.b", ["a"]),
        ("return context.a(context['b'])", ["a", None]),
        ("context = {}\n    return context['a']", []),
        ("def inside():\n        return context.a\n    return inside", ["a"]),
    ],
)
def test_what_is_read_from_the_context(body: str, attributes: list[str | None]) -> None:
    found = fact(ContextReads, f"def handler(event, context):\n    {body}\n").reads
    assert [each.attribute for each in found] == attributes
    assert all(isinstance(each, ContextRead) and each.owner == "handler" for each in found)


def test_a_call_leads_to_the_code_that_it_runs() -> None:
    files = {
        "app.py": "from jobs import Job, work\ndef handler(event, context):\n    work()\n    return Job(1)\n",
        "jobs.py": "def work(): ...\nclass Job:\n    def __init__(self, order): ...\n",
    }
    calls = work_out(PathCalls, *loaded(files)).calls
    assert [each.target for each in calls] == [("jobs.py", "work"), ("jobs.py", "Job.__init__")]


@pytest.mark.parametrize("module", ["time", "sys", "itertools.orders"])
def test_the_runtime_refuses_a_handler_in_a_builtin_module(module: str) -> None:
    with pytest.raises(FaultException, match="built-in module") as refused:
        _get_handler(f"{module}.handler")
    assert refused.value.exception_type == FaultException.BUILT_IN_MODULE_CONFLICT


def test_the_runtime_runs_nothing_of_a_coroutine_or_a_generator() -> None:
    async def coroutine() -> None: ...

    waiting = coroutine()
    for returned in (waiting, (number for number in range(3))):
        with pytest.raises(TypeError, match="not JSON serializable"):
            to_json(returned)
    waiting.close()
