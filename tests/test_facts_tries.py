from lambdalint.facts.batches import Batches
from lambdalint.facts.tries import Catch, Tries
from tests.code_facts import fact


def catch(text: str) -> Catch:
    return fact(Tries, text).tries[0].catches[0]


def test_what_is_caught_is_told_as_written() -> None:
    found = fact(Tries, "try:\n  work()\nexcept (ValueError, botocore.ClientError):\n  pass\nexcept:\n  raise\n").tries[
        0
    ]
    assert [each.names for each in found.catches] == [("ValueError", "botocore.ClientError"), ("BaseException",)]
    assert [each.is_broad for each in found.catches] == [False, True]
    assert [each.raises for each in found.catches] == [False, True]
    assert [each.idle for each in found.catches] == [True, True]


def test_a_clause_changes_what_it_binds_and_what_it_adds_to() -> None:
    assert catch("try: work()\nexcept Exception as error:\n  failed.append(error)\n  n += 1\n").changed == (
        "failed",
        "n",
    )
    assert catch("try: work()\nexcept Exception:\n  state['x'].y = 1\n").changed == ("state",)


def test_a_function_made_in_a_clause_raises_later_if_at_all() -> None:
    assert not catch("try: work()\nexcept Exception:\n  def f():\n    raise\n").raises
    assert catch("import sys\ntry: work()\nexcept Exception:\n  sys.exit(1)\n").raises


def test_a_loop_that_surely_ends_in_its_first_round_says_where() -> None:
    text = "def f(event):\n  for record in event['Records']:\n    work(record)\n    {}\n"
    assert [fact(Batches, text.format(end)).loops[0].ended is not None for end in ("return 1", "break", "pass")] == [
        True,
        True,
        False,
    ]
    assert fact(Batches, text.format("if record: continue\n    return 1")).loops[0].ended is None
