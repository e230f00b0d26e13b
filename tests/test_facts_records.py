from lambdalint.facts.expressions import EventPath
from lambdalint.facts.records import Records
from tests.code_facts import fact


def reads(text: str) -> list[tuple[bool, str | None]]:
    return [(each.first, each.key) for each in fact(Records, f"def handler(event, context):\n  {text}\n").reads]


def test_a_read_of_the_first_record_says_what_is_read_of_it() -> None:
    assert reads("return event['Records'][0]['body']") == [(True, "body")]
    assert reads("return event.get('Records')[0]") == [(True, None)]
    assert reads("return event['Records'][1]") == [(False, None)]
    assert reads("return [each for each in event['Records']]") == [(False, None)]


def test_records_inside_a_body_are_none_of_the_event() -> None:
    assert reads("return json.loads(event['body'])['Records'][0]") == []


def test_an_identifier_is_found_however_it_is_spelt() -> None:
    found = fact(
        Records, "def handler(event, context):\n  f({'itemIdentifer': event['Records'][0]['messageId']})\n"
    ).failed
    assert [(each.key, each.value, each.whole) for each in found] == [
        ("itemIdentifer", EventPath(("Records", 0, "messageId")), True)
    ]
