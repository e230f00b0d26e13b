"""What CONTRIBUTING.md asks for: its rule runs, and every rule has its line in the changelog."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from lambdalint.engine.registry import Registry
from lambdalint.rule import Rule, example_files
from lambdalint.testing import MARK, check_files

GUIDE = Path(__file__).parent.parent / "CONTRIBUTING.md"


def test_the_rule_of_the_guide_finds_what_its_examples_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = re.search(r'```python\n(""".*?)```', GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert text
    (tmp_path / "rule_of_the_guide.py").write_text(text[1], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    rule = import_module("rule_of_the_guide").check
    assert isinstance(rule, Rule)
    for example in (*rule.bad, *rule.good):
        files = example_files(example)
        result = check_files(files, select=(rule.code,), registry=Registry.of([rule]))
        is_bad = any(MARK in content for content in files.values() if isinstance(content, str))
        assert [finding.name for finding in result.findings] == [rule.name] * is_bad


@pytest.mark.parametrize("rule", Registry.load().rules, ids=lambda rule: rule.name)
def test_the_changelog_has_a_line_for_every_rule(rule: Rule) -> None:
    text = GUIDE.with_name("CHANGELOG.md").read_text(encoding="utf-8")
    assert f"`{rule.name}` ({rule.code})" in text
