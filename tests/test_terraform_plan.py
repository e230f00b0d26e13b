"""A configuration and its plan declare the same."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lambdalint.errors import UnreadableInput
from lambdalint.join.cloudformation import Declared
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.plan_files import claims
from lambdalint.join.terraform import declare_terraform
from lambdalint.join.terraform_plan import declare_plan
from lambdalint.model.function import Function
from lambdalint.model.network import Network
from lambdalint.model.values import Known, Property, Unknown
from lambdalint.readers.tree import Folder, MemoryTree, Mounted

FIXTURES = Path(__file__).parent.parent / "fixtures" / "terraform"
CONFIGURATIONS = sorted(path.parent.name for path in FIXTURES.glob("*/plan.json"))

#: What only the provider knows: a plan holds its defaults, and a configuration does not.
DEFAULTS = {
    "AWS::Lambda::EventSourceMapping": {"Enabled"},
    "AWS::ApiGatewayV2::Integration": {"ConnectionType"},
}


def by_configuration(name: str) -> Declared:
    said = Said()
    (found,) = declare_terraform(Mounted(Folder(FIXTURES)), name, Inputs(), said)
    assert not said.failures
    return found


def by_plan(name: str) -> Declared:
    said = Said()
    (found,) = declare_plan(Mounted(Folder(FIXTURES)), f"{name}/plan.json", Inputs(), said)
    assert not said.failures
    return found


def plain(value: Any) -> Any:
    """A value without places; what is unknown is what it refers to."""
    if isinstance(value, Unknown):
        return ("unknown", value.refers)
    if isinstance(value, Known):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def network_of(function: Function) -> Any:
    network = function.network
    if not isinstance(network, Network):
        return network
    subnets = {
        subnet.name: subnet.table
        and (subnet.table.name, sorted((r.destination, r.target) for r in subnet.table.routes))
        for subnet in network.subnets
    }
    endpoints = {each.name: (each.vpc, each.service, each.gateway, each.tables) for each in network.endpoints}
    return subnets, endpoints, network.complete


def settings_of(function: Function) -> dict[str, Any]:
    code = function.code
    return {
        "runtime": plain(function.runtime),
        "handler": plain(function.handler),
        "memory": plain(function.memory_mb),
        "timeout": (plain(function.timeout_s), isinstance(function.timeout_s, Known) and function.timeout_s.stated),
        "ephemeral": plain(function.ephemeral_mb),
        "architectures": plain(function.architectures),
        "env": plain(function.env),
        "layers": plain(function.layers),
        "code": code and (code.kind, code.path, code.via_s3, code.left_out),
        "network": network_of(function),
        "role": plain(function.resource.properties.get("Role")),
        "tags": plain(function.resource.properties.get("Tags")),
    }


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_plan_gives_the_functions_of_its_configuration(name: str) -> None:
    expected = {each.name: settings_of(each) for each in by_configuration(name).functions}
    assert expected
    assert {each.name: settings_of(each) for each in by_plan(name).functions} == expected


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_plan_gives_the_triggers_of_its_configuration(name: str) -> None:
    def triggers(found: Declared) -> list[Any]:
        return sorted(
            (
                each.kind.value,
                each.name,
                each.function,
                each.source.name if each.source else "",
                each.payload_version or "",
                str(plain(each.settings.get("BatchSize"))),
                str(plain(each.settings.get("FunctionResponseTypes"))),
            )
            for each in found.triggers
        )

    assert triggers(by_plan(name)) == triggers(by_configuration(name))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_plan_gives_the_permissions_and_layers_of_its_configuration(name: str) -> None:
    def permissions(found: Declared) -> list[Any]:
        return [(each.function, plain(each.settings.get("Principal"))) for each in found.permissions]

    def layers(found: Declared) -> list[Any]:
        return [(each.name, each.code.kind, each.code.path, each.compatible_architectures) for each in found.layers]

    plan, configuration = by_plan(name), by_configuration(name)
    assert permissions(plan) == permissions(configuration)
    assert layers(plan) == layers(configuration)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_plan_gives_the_resources_of_its_configuration(name: str) -> None:
    plan, configuration = by_plan(name).template.resources, by_configuration(name).template.resources
    assert {each: plan[each].type for each in plan} == {each: configuration[each].type for each in configuration}


def test_a_plan_says_what_the_configuration_states() -> None:
    function = next(iter(by_plan("queue-worker").functions))
    assert isinstance(function.memory_mb, Known)
    assert function.memory_mb.stated
    line = (FIXTURES / "queue-worker/plan.json").read_text().split("\n")[function.memory_mb.span.line - 1]
    assert line.strip() == '"memory_size": 512,'


@pytest.mark.parametrize(
    ("text", "is_plan"),
    [
        ('{"format_version": "1.2", "planned_values": {}}', True),
        ('{"format_version": "1.0", "values": {}}', False),
        ('{"planned_values": {}}', False),
        ("{}", False),
        ("", False),
    ],
)
def test_a_plan_is_known_by_what_it_says(text: str, is_plan: bool) -> None:
    assert claims(MemoryTree({"plan.json": text}), "plan.json") is is_plan


def plan_of(text: str) -> Declared:
    (found,) = declare_plan(Mounted(MemoryTree({"plan.json": text})), "plan.json", Inputs(), Said())
    return found


@pytest.mark.parametrize(
    "text",
    [
        '{"format_version": "1.2", "planned_values": 3}',
        '{"format_version": "1.2", "planned_values": {"root_module": {"resources": [1, null, {"address": 4}]}}}',
        '{"format_version": "1.2", "planned_values": {"root_module": {"child_modules": [{"address": "module.x"}]}}}',
        '{"format_version": "1.2", "planned_values": {}, "resource_changes": {}, "configuration": []}',
    ],
)
def test_a_plan_that_is_half_there_declares_nothing(text: str) -> None:
    assert not plan_of(text).functions


def test_a_plan_of_another_format_is_refused() -> None:
    with pytest.raises(UnreadableInput, match=r"format 2\.0"):
        plan_of('{"format_version": "2.0", "planned_values": {}}')


def test_variables_that_go_round_in_a_circle_end() -> None:
    call = {"source": "./m", "expressions": {"x": {"references": ["module.m.y"]}}, "module": {}}
    call["module"] = {
        "outputs": {"y": {"expression": {"references": ["var.x"]}}},
        "resources": [
            {
                "mode": "managed",
                "type": "aws_lambda_function",
                "name": "f",
                "expressions": {"handler": {"references": ["var.x"]}},
            }
        ],
    }
    function = {
        "address": "module.m.aws_lambda_function.f",
        "mode": "managed",
        "type": "aws_lambda_function",
        "name": "f",
        "values": {},
    }
    found = plan_of(
        json.dumps(
            {
                "format_version": "1.2",
                "planned_values": {
                    "root_module": {"child_modules": [{"address": "module.m", "resources": [function]}]}
                },
                "resource_changes": [{"address": function["address"], "change": {"after_unknown": {"handler": True}}}],
                "configuration": {"root_module": {"module_calls": {"m": call}}},
            }
        )
    )
    handler: Property | None = found.functions[0].handler
    assert isinstance(handler, Unknown)
    assert handler.refers is None


def parts_of(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [way] if way else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += parts_of(item, (*way, key))
    return found


@pytest.mark.parametrize("name", CONFIGURATIONS)
@pytest.mark.parametrize("other", [None, 3, "x", [], {}, [[]], {"references": ["var.x", 4, "module.a.b"]}])
def test_a_plan_with_something_else_in_it_is_read_all_the_same(name: str, other: Any) -> None:
    text = (FIXTURES / name / "plan.json").read_text()
    for way in parts_of(json.loads(text))[3::97]:
        plan = holder = json.loads(text)
        for key in way[:-1]:
            holder = holder[key]
        holder[way[-1]] = other
        plan["format_version"] = "1.2"
        plan_of(json.dumps(plan))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_plan_that_is_cut_off_is_unreadable(name: str) -> None:
    text = (FIXTURES / name / "plan.json").read_text().rstrip()
    for end in range(1, len(text), len(text) // 15):
        with pytest.raises(UnreadableInput):
            plan_of(text[:end])
