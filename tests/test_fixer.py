"""Fixes: what they write, and that nothing is left to fix after them."""

from collections.abc import Mapping

import pytest

from lambdalint.engine.edits import Text, edits_of
from lambdalint.engine.registry import Registry
from lambdalint.engine.result import Result
from lambdalint.fixer import Fixed, fixed
from lambdalint.model.changes import (
    Change,
)
from lambdalint.model.finding import Applicability, Fix
from lambdalint.model.places import Span
from lambdalint.readers.tree import MemoryTree, Tree
from lambdalint.testing import RuleExample, check_tree, examples

RULES = Registry.load().rules
FIXABLE = [each for each in examples(RULES) if each.rule.fix != "none" and not each.good]


def fix_all(files: Mapping[str, str | bytes], *codes: str, unsafe: bool = True) -> tuple[Fixed, dict[str, bytes]]:
    tree = MemoryTree(files)

    def check(changed: Tree) -> Result:
        return check_tree(changed, select=codes)

    done = fixed(tree, check(tree), check, unsafe=unsafe)
    original = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return done, {**original, **done.contents}


def changed(text: str, *changes: Change, path: str = "app.py") -> str | None:
    """*text* after *changes*; ``None`` when they cannot be made."""
    edits = edits_of(Fix("", Applicability.UNSAFE, changes=changes), lambda _: text)
    if edits is None:
        return None
    file = Text(path, text)
    for edit in sorted(edits, key=lambda each: each.span, reverse=True):
        start, end = file.bounds(edit.span)
        text = text[:start] + edit.text + text[end:]
    return text


def span(text: str, part: str, path: str = "app.py") -> Span:
    start = text.index(part)
    return Text(path, text).edit(start, start + len(part), "").span


@pytest.mark.parametrize("example", FIXABLE, ids=str)
def test_a_fixed_example_has_nothing_left_to_fix(example: RuleExample) -> None:
    before = [each for each in example.run().findings if each.code == example.rule.code]
    done, files = fix_all(example.files, example.rule.code)
    left = check_tree(MemoryTree(files), select=(example.rule.code,))
    assert not done.broken
    assert not [each.message for each in left.findings if each.fix and edits_of(each.fix, left.read_text)]
    assert len([each for each in left.findings if each.code == example.rule.code]) <= len(before) - done.findings
    for path, content in example.files.items():
        if isinstance(content, str):
            assert files[path].decode().count("#") == content.count("#")
    again, _ = fix_all(files, example.rule.code)
    assert again.contents == {}
    applicability = {each.fix.applicability.value for each in before if each.fix}
    assert applicability <= {example.rule.fix}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fix != "none"], ids=lambda rule: rule.name)
def test_a_rule_that_says_so_fixes_one_of_its_examples(rule: object) -> None:
    assert any(fix_all(each.files, each.rule.code)[0].findings for each in FIXABLE if each.rule is rule)
