"""Which sets of functions get a layer, against all the ways there are."""

from collections.abc import Iterator
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from lambdalint.packager.partition import Sharing


def partitions(places: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """All ways in which a need may come to its users: sets of users with a copy for each; alone is in the package."""
    if not places:
        yield ()
        return
    first, rest = places[0], places[1:]
    for others in range(1 << len(rest)):
        together = [place for at, place in enumerate(rest) if others >> at & 1]
        left = tuple(place for place in rest if place not in together)
        for more in partitions(left):
            yield (sum(1 << place for place in (first, *together)), *more)


def best(needs: dict[int, int], slots: list[int], worth: int) -> int:
    """The most that can be saved, found by trying everything."""
    most = 0
    ways = [list(partitions(tuple(place for place in range(4) if users >> place & 1))) for users in needs]
    for chosen in product(*ways):
        layers = {users for way in chosen for users in way if users.bit_count() > 1}
        if any(sum(layer >> place & 1 for layer in layers) > slot for place, slot in enumerate(slots)):
            continue
        saved = sum(
            size * sum(users.bit_count() - 1 for users in way) for size, way in zip(needs.values(), chosen, strict=True)
        )
        most = max(most, saved - worth * len(layers))
    return most


SHARED_BY_FOUR = st.integers(1, 15).filter(lambda users: users.bit_count() > 1)
NEEDS = st.dictionaries(SHARED_BY_FOUR, st.integers(1, 100), max_size=6)


@given(NEEDS, st.lists(st.integers(0, 5), min_size=4, max_size=4), st.integers(0, 60))
def test_of_four_functions_nothing_else_saves_more(needs: dict[int, int], slots: list[int], worth: int) -> None:
    sharing = Sharing(needs, slots, worth)
    layers = sharing.layers()
    assert all(sum(layer >> place & 1 for layer in layers) <= slot for place, slot in enumerate(slots))
    assert sharing.saved(layers) == best(needs, slots, worth)


@given(
    st.dictionaries(st.integers(3, 1023).filter(lambda users: users.bit_count() > 1), st.integers(1, 100), max_size=9)
)
def test_of_many_functions_all_is_shared_where_the_slots_allow_it(needs: dict[int, int]) -> None:
    assert Sharing(needs, [9] * 10, 0).layers() == tuple(sorted(needs))


@given(
    st.dictionaries(st.integers(3, 4095).filter(lambda users: users.bit_count() > 1), st.integers(1, 100), max_size=12),
    st.lists(st.integers(0, 5), min_size=12, max_size=12),
    st.integers(0, 60),
)
def test_nobody_has_more_layers_than_may_be_and_none_costs_more_than_it_saves(
    needs: dict[int, int], slots: list[int], worth: int
) -> None:
    sharing = Sharing(needs, slots, worth)
    layers = sharing.layers()
    assert all(sum(layer >> place & 1 for layer in layers) <= slot for place, slot in enumerate(slots))
    assert sharing.saved(layers) >= 0
    for users in needs:
        taken = sharing.of(users, layers)
        assert all(layer & users == layer for layer in taken)
        assert sum(taken).bit_count() == sum(layer.bit_count() for layer in taken)
