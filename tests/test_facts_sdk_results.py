"""What becomes of the results of SDK calls."""

import pytest

from lambdalint.facts.sdk_results import SdkResult, SdkResults
from tests.code_facts import fact


def result(body: str) -> SdkResult:
    """The one result of a function that holds *body*, the call being ``get()``."""
    call = "s3.list_objects_v2(Bucket='b')"
    lines = "\n".join(f"    {line}" for line in body.replace("get()", call).splitlines())
    found = fact(SdkResults, f"import boto3\ns3 = boto3.client('s3')\ndef f(keep):\n{lines}\n").results
    assert len(found) == 1
    return next(iter(found.values()))


@pytest.mark.parametrize(
    "body",
    [
        "for each in get()['Contents']: print(each)",
        "r = get()\nreturn [each for each in r.get('Contents', [])]",
        "r = get()\nfound = r['Contents'] or []\nreturn sorted(found)",
        "r = get()\nreturn {'all': r['Contents']}",
        "return list((get() or {}).get('Contents').copy())",
    ],
)
def test_a_list_is_used(body: str) -> None:
    found = result(body)
    assert found.used == {"Contents"}
    assert not found.escapes


@pytest.mark.parametrize(
    "body",
    [
        "return get()['Contents'][0]",
        "if 'Contents' in get(): return True",
        "r = get()\nif len(r['Contents']) > 1: return True",
        "r = get()\nfor each in r['Contents'][:5]: print(each)",
        "if get()['Contents']: return True",
    ],
)
def test_a_list_is_only_asked_for_a_part(body: str) -> None:
    found = result(body)
    assert found.read == {"Contents"}
    assert not found.used
    assert not found.escapes


@pytest.mark.parametrize(
    "body", ["return get()", "keep(get())", "keep.all = get()", "yield get()", "a, b = get(), 1", "keep.append(get())"]
)
def test_a_result_escapes(body: str) -> None:
    assert result(body).escapes


@pytest.mark.parametrize("body", ["print(get())", "r = get()\nkeep.logger.info(f'got {r}')", "print(str(get()))"])
def test_a_result_is_logged(body: str) -> None:
    found = result(body)
    assert found.logged
    assert not found.escapes
