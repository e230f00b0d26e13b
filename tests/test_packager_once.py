"""Work that several ask for at the same time."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.packager.once import Once


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=4))
def test_each_key_is_made_once_and_everybody_gets_it(wanted: list[list[int]]) -> None:
    once, made = Once(), list[int]()

    def make(keys: list[int]) -> dict[int, str]:
        made.extend(keys)
        return {key: str(key) for key in keys}

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda keys: once.each("kind", keys, make), wanted))
    assert found == [{key: str(key) for key in keys} for keys in wanted]
    assert sorted(made) == sorted({key for keys in wanted for key in keys})


def test_another_s_fault_is_not_one_s_own() -> None:
    once, begun, waiting = Once(), Event(), Barrier(2, timeout=10)

    def failing(keys: Iterable[str]) -> dict[str, str]:
        begun.set()
        waiting.wait()
        raise ValueError("broken")

    def good(keys: Iterable[str]) -> dict[str, str]:
        return {key: key.upper() for key in keys}

    def other() -> dict[str, str]:
        begun.wait(10)
        waiting.wait()
        return once.each("kind", ["shared"], good)

    with ThreadPoolExecutor(2) as pool:
        faulty = pool.submit(once.each, "kind", ["shared", "broken"], failing)
        assert pool.submit(other).result() == {"shared": "SHARED"}
        with pytest.raises(ValueError, match="broken"):
            faulty.result()
    assert once.each("kind", ["broken"], good) == {"broken": "BROKEN"}
