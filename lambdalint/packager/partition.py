"""Which sets of functions get a layer of their own, so that most is shared and nobody has more than may be.

A function never gets what it does not need.  So a layer is named by the functions that have it: two layers of the same
functions are better one, and what the same functions need goes the same way.  What is left to choose is a family of
sets; given that, each need goes into disjoint sets of the family within its own users, those that save most.

Sets of functions are integers, with one bit for each.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

#: Up to so many functions all families are tried.
EXACT_FUNCTIONS: Final = 4
_MAX_INTERSECTIONS: Final = 40
_MAX_SEARCHED: Final = 12


@dataclass(frozen=True, slots=True)
class Sharing:
    """What is asked: bytes by the set of their users, how many layers each function may have, what one has to save."""

    needs: Mapping[int, int]
    slots: Sequence[int]
    worth: int
    _packed: dict[tuple[int, tuple[int, ...]], tuple[int, ...]] = field(default_factory=dict)

    def layers(self) -> tuple[int, ...]:
        """The sets of functions that get a layer, ascending.

        Nothing saves more, for up to four functions that need anything, and for more where *worth* is 0 and the slots
        suffice for a layer of each need; else it is where giving up one more layer no longer helps.
        """
        busy = sum(1 << place for place in _bits(_union(self.needs)) if self.slots[place] > 0)
        if busy.bit_count() <= EXACT_FUNCTIONS:
            return max(self._families(busy), key=self._rank)
        return self._lessened()

    def of(self, users: int, layers: Sequence[int]) -> tuple[int, ...]:
        """Those of *layers* that what *users* need goes into."""
        inside = tuple(layer for layer in layers if layer & users == layer)
        key = (users, inside)
        if key not in self._packed:
            self._packed[key] = _disjoint(inside)
        return self._packed[key]

    def saved(self, layers: Sequence[int]) -> int:
        """The bytes that are not shipped several times, less what the layers have to be worth."""
        saved = sum(size * _saved_copies(self.of(users, layers)) for users, size in self.needs.items())
        return saved - self.worth * len(layers)

    def _rank(self, layers: Sequence[int]) -> tuple[int, int, list[int]]:
        return self.saved(layers), -len(layers), [-layer for layer in layers]

    def _families(self, busy: int) -> Iterator[tuple[int, ...]]:
        """Every family of sets of *busy* functions that nobody's slots forbid."""
        sets = [each for each in range(busy + 1) if each & busy == each and each.bit_count() > 1]

        def extended(family: tuple[int, ...], start: int) -> Iterator[tuple[int, ...]]:
            yield family
            for place in range(start, len(sets)):
                longer = (*family, sets[place])
                if self._crowded(longer) is None:
                    yield from extended(longer, place + 1)

        return extended((), 0)

    def _crowded(self, layers: Iterable[int]) -> int | None:
        """The function that has most layers more than it may."""
        over = [-count for count in self.slots]
        for layer in layers:
            for place in _bits(layer):
                over[place] += 1
        worst = max(range(len(over)), key=over.__getitem__, default=0)
        return worst if over and over[worst] > 0 else None

    def _lessened(self) -> tuple[int, ...]:
        """A layer for each need, and for what two have in common, less whatever is too much or saves nothing."""
        family = set(self.needs)
        both = {first & second for first, second in combinations(sorted(family), 2)} - family
        if len(family) + len(both) <= _MAX_INTERSECTIONS:
            family |= both
        layers = _sorted(family)
        while True:
            place = self._crowded(layers)
            user = 0 if place is None else 1 << place
            less = [
                (self._lost(layers, fewer, layer), fewer)
                for layer in layers
                if layer & user == user
                for fewer in {_without(layers, layer), _without(layers, layer, layer & ~user if user else 0)}
            ]
            lost, fewer = min(less, default=(1, ()))
            if place is None and lost > 0:
                return layers
            layers = fewer

    def _lost(self, layers: tuple[int, ...], fewer: tuple[int, ...], layer: int) -> int:
        """What it costs to have *fewer* layers, in which *layer* is missing, or has become smaller."""
        lost = sum(
            size * (_saved_copies(self.of(users, layers)) - _saved_copies(self.of(users, fewer)))
            for users, size in self.needs.items()
            if users & layer == layer
        )
        return lost - self.worth * (len(layers) - len(fewer))


def _without(layers: Iterable[int], layer: int, smaller: int = 0) -> tuple[int, ...]:
    """*layers* with *smaller* in the place of *layer*."""
    return _sorted(smaller if each == layer else each for each in layers)


def _sorted(layers: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({layer for layer in layers if layer.bit_count() > 1}))


def _disjoint(layers: Sequence[int]) -> tuple[int, ...]:
    """Disjoint ones of *layers* that save most copies, the fewest of them; the largest first where there are many."""
    ordered = sorted(layers, key=lambda layer: (-layer.bit_count(), layer))
    if len(ordered) > _MAX_SEARCHED:
        found: list[int] = []
        for layer in ordered:
            if not layer & _union(found):
                found.append(layer)
        return tuple(found)

    def best(rest: Sequence[int]) -> tuple[int, ...]:
        if not rest:
            return ()
        first, others = rest[0], rest[1:]
        taken = (first, *best([layer for layer in others if not layer & first]))
        return max(taken, best(others), key=lambda chosen: (_saved_copies(chosen), -len(chosen)))

    return best(ordered)


def _saved_copies(layers: Iterable[int]) -> int:
    return sum(layer.bit_count() - 1 for layer in layers)


def _union(sets: Iterable[int]) -> int:
    whole = 0
    for each in sets:
        whole |= each
    return whole


def _bits(number: int) -> Iterator[int]:
    return (place for place in range(number.bit_length()) if number >> place & 1)
