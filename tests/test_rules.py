"""The built-in rules: their examples, and what the catalogue says of them."""

from pathlib import Path
from typing import Any

import pytest
import tomli

from lambdalint.engine.registry import Registry
from lambdalint.rule import Rule
from lambdalint.testing import RuleExample, examples

RULES = Registry.load().rules
CATALOGUE: dict[str, dict[str, Any]] = {
    row["code"]: row for row in tomli.loads((Path(__file__).parent / "catalogue.toml").read_text())["rule"]
}


@pytest.mark.parametrize("example", list(examples(RULES)), ids=str)
def test_every_example_is_as_marked(example: RuleExample) -> None:
    example.run()


#: Where we differ from the catalogue on purpose.
DIFFERENT: dict[str, dict[str, tuple[str, str]]] = {
    "LT003": {
        "profile": ("strict", "nearly every function behind an API makes its clients so; it would be all they see")
    },
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_what_the_catalogue_says(rule: Rule) -> None:
    row = CATALOGUE[rule.code] | {key: value for key, (value, _) in DIFFERENT.get(rule.code, {}).items()}
    assert rule.name == row["name"]
    assert rule.subject.__name__ == row["subject"]
    assert rule.severity.value == row["severity"]
    assert rule.confidence.value == row["confidence"]
    assert rule.profile.value == row["profile"]
    assert rule.fix == row["fix"]
    assert list(rule.covers) == row["covers"]
    assert rule.source == row["source"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_stands_in_a_file_of_its_name_and_explains_itself(rule: Rule) -> None:
    assert Path(rule.file).stem == rule.name.replace("-", "_")
    assert rule.summary.endswith(".")
    assert rule.bad
    assert rule.good
