"""One fault, one verdict, whatever the language of the template."""

from collections.abc import Callable, Iterator

import pytest

from lambdalint.engine.registry import Registry
from lambdalint.model.places import Member, Span
from lambdalint.testing import check_files
from tests.parity import cdk, cloudformation, serverless, terraform
from tests.parity.faults import FAULTS, Fault
from tests.parity.project import Project, Written

WRITERS: dict[str, Callable[[Project], Written]] = {
    "yaml": cloudformation.written_yaml,
    "json": cloudformation.written_json,
    "sam": cloudformation.written_sam,
    "cdk": cdk.written,
    "terraform": terraform.written,
    "serverless": serverless.written,
}

REGISTRY = Registry.load()


def cells() -> Iterator[object]:
    """Every fault in every language that can say it."""
    for fault in FAULTS:
        for language in WRITERS:
            if language not in fault.inexpressible:
                yield pytest.param(fault, language, id=f"{fault}-{language}")


@pytest.mark.parametrize(("fault", "language"), list(cells()))
def test_a_fault_is_found_at_its_place_in_every_language(fault: Fault, language: str) -> None:
    written = WRITERS[language](fault.bad)
    result = check_files(written.files, select=(fault.rule,), registry=REGISTRY)
    assert not result.failures, result.failures
    found = [finding for finding in result.findings if finding.code == fault.rule]
    if fault.bad.member:
        assert [type(finding.at) for finding in found] == [Member]
    else:
        assert written.places, "nothing is marked"
        assert {(each.at.path, each.at.line) for each in found if isinstance(each.at, Span)} == written.places


@pytest.mark.parametrize(("fault", "language"), list(cells()))
def test_nothing_is_found_in_what_is_healthy(fault: Fault, language: str) -> None:
    result = check_files(WRITERS[language](fault.good).files, registry=REGISTRY)
    assert not result.failures, result.failures
    assert len(result.functions) == 1
    assert [(each.code, each.message) for each in result.findings] == []


def test_every_rule_is_written_in_every_language() -> None:
    missing = {rule.code for rule in REGISTRY.rules} - {fault.rule for fault in FAULTS}
    assert not missing, f"rules without a fault in tests/parity/faults.py: {', '.join(sorted(missing))}"
    assert len({str(fault) for fault in FAULTS}) == len(FAULTS) >= 40
