"""Which parts of the event code reads."""

from lambdalint.facts.event_reads import EventRead, EventReads, Reading
from tests.code_facts import fact


def reads(body: str) -> list[EventRead]:
    """What a handler that holds *body* reads, the longest paths only."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    found = fact(EventReads, f"def handler(event, context):\n{lines}\n").reads
    return [each for each in found if not any(_goes_on(each, other) for other in found)]


def _goes_on(each: EventRead, other: EventRead) -> bool:
    return len(other.keys) > len(each.keys) and other.keys[: len(each.keys)] == each.keys


def test_items_gets_and_tests_are_told_apart() -> None:
    assert [(each.keys, each.reading, each.base) for each in reads("event['a']['b']")] == [
        (("a", "b"), Reading.ITEM, Reading.ITEM)
    ]
    assert [(each.keys, each.reading, each.base) for each in reads("event.get('a', {}).get('b')")] == [
        (("a", "b"), Reading.GET, Reading.DEFAULT)
    ]
    assert [(each.keys, each.reading) for each in reads("'a' in event")] == [(("a",), Reading.TEST)]
    assert [(each.keys, each.base) for each in reads("for r in event['Records']: r['body']")] == [
        (("Records", None, "body"), None)
    ]


def test_text_is_parsed() -> None:
    body = "import json\nfor r in event['Records']:\n    body = json.loads(r['body'])\n    body['id']"
    assert [each.keys for each in reads(body)] == [("Records", None, "body", "id")]
    assert [each.keys for each in reads("import json\njson.loads(event['body'])['id']")] == [("body", "id")]


def test_what_may_be_something_else_is_left_out() -> None:
    assert [each.keys for each in reads("(event.get('a') or {}).get('b')")] == [("a",)]
    assert not reads("other = {}\nother['a']\nevent['a'] = 1\ncontext['b']")


def test_missing_keys_may_be_forgiven() -> None:
    assert not reads("event['a']")[0].forgiven
    assert reads("try:\n    event['a']\nexcept KeyError: pass")[0].forgiven
    assert not reads("try:\n    event['a']\nexcept OSError: pass")[0].forgiven
    assert all(each.forgiven for each in reads("if event['x']:\n    event['a']") if each.keys == ("a",))
    assert all(each.forgiven for each in reads("if 'a' not in event: return\nevent['a']['b']"))
