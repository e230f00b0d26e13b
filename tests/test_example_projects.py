"""The application of the demo, with its faults and without."""

from datetime import date
from pathlib import Path

import lambdalint

PROJECTS = Path(__file__).parent.parent / "fixtures" / "projects"

FAULTS = {
    "api/app.py": {"event-in-global", "malformed-proxy-response"},
    "api/store.py": {"client-per-invocation"},
    "api/tax.py": {"http-without-timeout"},
    "importer/app.py": {
        "encoded-s3-key",
        "tmp-left-behind",
        "unbounded-download",
        "undeclared-env-var",
        "write-outside-tmp",
    },
    "importer/invoices.py": {"newer-syntax", "unused-heavy-import"},
    "template.yaml": {
        "deprecated-runtime",
        "literal-secret-env",
        "token-in-env",
        "visibility-below-timeout",
        "whole-batch-retry",
        "wrong-env-value-kind",
    },
    "worker/app.py": {"unreachable-aws-service"},
    "worker/payments.py": {"timeout-over-function", "unreachable-aws-service", "unreachable-internet"},
}


def checked(name: str) -> lambdalint.Result:
    return lambdalint.check([PROJECTS / name], lambdalint.Config(), today=date(2026, 11, 22), cache=False)


def test_each_fault_of_the_example_is_found_and_nothing_else() -> None:
    found: dict[str, set[str]] = {}
    for finding in checked("orders").findings:
        found.setdefault(finding.path.removeprefix("fixtures/projects/orders/"), set()).add(finding.name)
    assert found == FAULTS


def test_the_healthy_twin_is_clean() -> None:
    result = checked("orders-healthy")
    assert not result.findings
    assert not result.failures
    assert [function.name for function in result.functions] == ["OrdersApi", "OrdersWorker", "InvoiceImporter"]
