"""Where code sleeps, and what for."""

import pytest

from lambdalint.facts.sleeps import Sleep, Sleeps
from tests.code_facts import fact

BEFORE = "import boto3, time\nglue = boto3.client('glue')\n"


def sleep(body: str) -> Sleep:
    """The one sleep of a function that holds *body*."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    (found,) = fact(Sleeps, f"{BEFORE}def f(name, names):\n{lines}\n").sleeps
    return found


@pytest.mark.parametrize(
    ("body", "seconds", "repeats"),
    [
        ("time.sleep(3)", 3, 1),
        ("for _ in range(10): time.sleep(0.5)", 0.5, 10),
        ("for _ in range(2, 10, 2):\n    for each in ('a', 'b'): time.sleep(2 * 60)", 120, 8),
        ("for each in names: time.sleep(1)", 1, None),
        ("while True: time.sleep(1)", 1, None),
        ("time.sleep(name)", None, 1),
    ],
)
def test_naps_are_counted(body: str, seconds: float | None, repeats: int | None) -> None:
    found = sleep(body)
    assert (found.seconds, found.repeats) == (seconds, repeats)


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("while glue.get_job(JobName=name): time.sleep(1)", "get_job"),
        ("for _ in range(9):\n    if glue.get_job(JobName=name): break\n    time.sleep(1)", "get_job"),
        ("while True:\n    glue.get_job(JobName=name)\n    time.sleep(1)", None),
        ("for each in names:\n    if glue.get_job(JobName=each): break\n    time.sleep(1)", None),
        ("while True:\n    if glue.start_job_run(JobName=name): break\n    time.sleep(1)", None),
    ],
)
def test_a_loop_polls_when_the_same_answer_ends_it(body: str, asks: str | None) -> None:
    assert sleep(body).asks == asks


def test_sleeping_after_a_failure_is_no_polling() -> None:
    found = sleep("while True:\n    try:\n        return glue.get_job(JobName=name)\n    except E: time.sleep(1)")
    assert found.retries
