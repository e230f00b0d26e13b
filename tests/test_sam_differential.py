"""lambdalint reads in SAM what AWS's own transform makes of it."""

from pathlib import Path

import pytest

from benchmarks.sam_differential import REASONS, differences, reason_of

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "sam").glob("*.yaml"))

#: What differs on purpose, by template: the thing, and how the reason in ``REASONS`` begins.
MEANT: dict[str, dict[str, str]] = {
    "polled": {"triggers Worker": "the ARN of the source does not show what it is"},
}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_what_differs_from_the_transform_of_aws_is_meant(path: Path) -> None:
    found = differences(path.read_text(encoding="utf-8"), path.name)
    assert not [str(each) for each in found if reason_of(each) is None]
    reasons = {f"{each.kind} {each.name} {each.path}".strip(): reason_of(each) or "" for each in found}
    meant = MEANT.get(path.stem, {})
    assert reasons.keys() == meant.keys()
    assert all(reason.startswith(meant[name]) for name, reason in reasons.items())


def test_every_reason_is_given_once() -> None:
    assert len({reason.text for reason in REASONS}) == len(REASONS)
