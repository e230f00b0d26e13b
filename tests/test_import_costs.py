import tomllib
from pathlib import Path

import pytest

from lambdalint.facts import import_costs as module
from lambdalint.facts.constructors import CONSTRUCTORS
from lambdalint.facts.expressions import result_name
from lambdalint.facts.import_costs import constructing_ms, import_cost, scaled_ms
from lambdalint.facts.kept import Kept
from tests.code_facts import loaded, work_out


def test_a_module_costs_what_the_nearest_package_in_the_table_does() -> None:
    inside, package = import_cost("pandas.io.json"), import_cost("pandas")
    assert inside is not None
    assert inside == package
    assert inside.ms > 50
    assert inside.mb > 20
    assert "numpy" in inside.loads
    assert import_cost("google.cloud") is None


def test_many_packages_are_known_and_without_bytecode_they_cost_more() -> None:
    rows = tomllib.loads(Path(module.__file__).with_suffix(".toml").read_text(encoding="utf-8"))["imports"]
    assert len({row["distribution"] for row in rows.values()}) >= 150
    costs = [import_cost(name) for name in rows]
    assert all(each is not None and each.cold_ms >= 0.8 * each.ms for each in costs if each is None or each.ms >= 20)


def test_what_a_module_loads_is_in_the_table_itself() -> None:
    pandas = import_cost("pandas")
    assert pandas is not None
    for name in pandas.loads:
        found = import_cost(name)
        assert found is not None
        assert found.ms < pandas.ms


@pytest.mark.parametrize(("memory_mb", "ms"), [(1769, 100), (10240, 100), (128, 1382)])
def test_less_memory_than_one_vcpu_takes_longer_and_more_is_of_no_use_to_one_thread(memory_mb: int, ms: int) -> None:
    assert round(scaled_ms(100, memory_mb)) == ms


def test_a_session_of_its_own_costs_a_client_many_times_as_much() -> None:
    own, shared = constructing_ms("boto3.Session().client"), constructing_ms("boto3.client")
    assert own is not None
    assert shared is not None
    assert own > 5 * shared
    assert result_name("boto3.Session") == "boto3.Session()"
    assert "boto3.Session().client" in CONSTRUCTORS


def test_code_runs_once_if_all_that_leads_to_it_does() -> None:
    tree, function = loaded(
        {
            "app.py": """
                import functools

                _client = None

                def client():
                    global _client
                    if _client is None:
                        _client = first()
                    return _client

                def first(): return second()

                def second(): ...

                @functools.cache
                def cached(): ...

                def twice(): ...

                def handler(event, context):
                    import later
                    cached()
                    twice()
                    return client()
            """,
            "later.py": "def work(): ...\nwork()\n",
        }
    )
    kept = work_out(Kept, tree, function).scopes
    assert {scope for path, scope in kept if path == "app.py"} == {"first", "second", "cached"}
    assert ("later.py", "work") in kept
