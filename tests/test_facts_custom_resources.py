import pytest

from lambdalint.facts.custom_resources import CustomResources, Ending
from tests.code_facts import fact

HEAD = """\
import boto3, cfnresponse
ssm = boto3.client("ssm")
def work(): ...
def deliver(url): ...
def handler(event, context):
"""
SEND = "cfnresponse.send(event, context, 'SUCCESS', {})"


def ending(*lines: str) -> Ending:
    text = HEAD + "".join(f"  {line}\n" for line in lines)
    return fact(CustomResources, text).endings["handler"]


@pytest.mark.parametrize(
    "lines",
    [
        (SEND,),
        ("try:", "  work()", "finally:", f"  {SEND}"),
        ("try:", "  work()", "except:", "  print(1)", SEND),
        ("try:", "  work()", f"  {SEND}", "except Exception:", f"  {SEND}", "  raise"),
        (SEND, "work()", "return 1"),
        ("if event['RequestType'] == 'Delete':", f"  {SEND}", "  return", SEND),
        ("with lock:", f"  {SEND}"),
        ("match event['RequestType']:", "  case 'Delete':", f"    {SEND}", "  case _:", f"    {SEND}"),
        ("somebody.answers(event)",),
        ("deliver(event['ResponseURL'])",),
        ("try:", "  work()", f"  {SEND}", "except Exception:", "  tell(event)"),
    ],
)
def test_an_answer_on_every_way_is_enough(lines: tuple[str, ...]) -> None:
    assert ending(*lines) == Ending()


@pytest.mark.parametrize(
    ("lines", "unanswered", "returns", "falls_off"),
    [
        (("work()", SEND), ["work"], 0, False),
        (("ssm.put_parameter()", SEND), ["put_parameter"], 0, False),
        (("try:", "  work()", "except ValueError:", "  pass", SEND), ["work"], 0, False),
        (("if event['x']:", "  raise ValueError", SEND), ["raise"], 0, False),
        (("if event['x']:", "  return", SEND), [], 1, False),
        (("try:", "  work()", f"  {SEND}", "except Exception:", "  print(event)"), [], 0, True),
        (("if event['x']:", f"  {SEND}"), [], 0, True),
        (("print(event)",), [], 0, True),
    ],
)
def test_ways_without_an_answer_are_told(
    lines: tuple[str, ...], unanswered: list[str], returns: int, falls_off: bool
) -> None:
    found = ending(*lines)
    assert [name for name, _ in found.unanswered] == unanswered
    assert len(found.returns) == returns
    assert found.falls_off is falls_off
