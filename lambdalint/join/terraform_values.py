"""Terraform's values while they are worked out, and how much work may be done.

A value is ``Known`` or ``Unknown``; ``null`` is ``Known(None)``.  Lists, sets and tuples are tuples, maps and objects
are mappings.  What Terraform would refuse is ``Invalid``, which ``try`` recovers from and nothing else does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.inputs import Said
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property, Reference, Unknown

#: More worlds than this of nested conditions are not told apart; as for CloudFormation.
MAX_CHOICES: Final = 16
#: Steps for one root module.  100,000 lines of Terraform take some 300,000; these take about five seconds.
MAX_STEPS: Final = 3_000_000
#: Values within one value, counted as often as they stand in it, and how deep they lie.
MAX_WEIGHT: Final = 200_000
MAX_LEVELS: Final = 40
#: Characters of one text that is made rather than written.
MAX_TEXT: Final = 1_000_000
#: Text costs a step for so many characters.
_CHARACTERS_A_STEP: Final = 16
MAX_MENTIONS: Final = 64
_MAX_LOOKED_AT: Final = 2_000
#: Numbers in Terraform have 512 bits.
_MAX_NUMBER: Final = 2**512


@dataclass(frozen=True, slots=True)
class Invalid(Unknown):
    """What Terraform refuses to evaluate: an index out of range, an attribute that is not there."""


@dataclass(frozen=True, slots=True)
class Leaning(Unknown):
    """A choice in which the first is what the variables' defaults give."""


@dataclass(frozen=True, slots=True)
class Instances(Unknown):
    """All instances of a block when nobody knows how many there are; *refers* to the one that stands for them."""


class HiddenError(Exception):
    """A function needs a value that is not known."""


class WrongError(Exception):
    """A function is called in a way that Terraform refuses."""


class TooMuchError(Exception):
    """A bound was hit; *message* says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Work:
    """Makes values, and keeps count of how much was made."""

    def __init__(self, said: Said) -> None:
        self.left = MAX_STEPS
        self._said = said
        self._told: set[str] = set()
        # Weight and depth by identity; the collection is kept, so that no other gets its identity.
        self._weights: dict[int, tuple[int, int, object]] = {}

    def spend(self, steps: int) -> None:
        """Count *steps*.

        Raises:
            TooMuchError: there are none left.
        """
        self.left -= steps
        if self.left < 0:
            raise TooMuchError(f"evaluating this configuration takes more than {MAX_STEPS:,} steps")

    def tell(self, message: str, span: Span) -> None:
        """Say once that a bound was hit."""
        if message not in self._told:
            self._told.add(message)
            self._said.failures.append(UnreadableInput(message, path=span.path, line=span.line, column=span.column))

    def listed(self, items: Iterable[Property], span: Span) -> Known[Any]:
        """A list."""
        made = tuple(items)
        self._weigh(made, made)
        return Known(made, span)

    def mapped(self, items: dict[str, Property], span: Span) -> Known[Any]:
        """A map or an object; *items* must not change afterwards."""
        self._weigh(items, items.values())
        return Known(items, span)

    def text(self, text: str, span: Span) -> Known[Any]:
        """A text."""
        self.measure(len(text))
        return Known(text, span)

    def measure(self, characters: int) -> None:
        """Count the making of a text, before it is made where it might be large."""
        if characters > MAX_TEXT:
            raise TooMuchError(f"an expression makes a text of more than {MAX_TEXT:,} characters")
        self.spend(characters // _CHARACTERS_A_STEP)

    def number(self, number: int | float, span: Span) -> Known[Any]:
        """A number, whole where it is."""
        return Known(whole(_within_bounds(number)), span)

    def weight(self, value: Property) -> int:
        """How many values there are in *value*, itself included."""
        if isinstance(value, Known) and isinstance(value.value, tuple | dict):
            return self._weights.get(id(value.value), (1, 1, None))[0]
        return 1

    def _weigh(self, collection: object, items: Iterable[Property]) -> None:
        weight, levels, known = 1, 0, self._weights
        for item in items:
            inner = known.get(id(item.value)) if isinstance(item, Known) else None
            if inner is None:
                weight += 1
            else:
                weight += inner[0]
                levels = max(levels, inner[1])
        self.left -= min(64, weight)
        if weight > MAX_WEIGHT:
            raise TooMuchError(f"an expression makes more than {MAX_WEIGHT:,} values")
        if levels >= MAX_LEVELS:
            raise TooMuchError(f"an expression makes values that nest more than {MAX_LEVELS} levels deep")
        known[id(collection)] = (weight, levels + 1, collection)


def whole(number: int | float) -> int | float:
    """*number* as an integer where it is one: Terraform has one type of numbers."""
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number


def _within_bounds(number: int | float) -> int | float:
    if number != number or abs(number) > _MAX_NUMBER:
        raise WrongError
    return number


def text_in(value: Property) -> str:
    """*value* as text; numbers and truth values are converted."""
    found = _known(value)
    if isinstance(found, str):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int):
        return str(found)
    if isinstance(found, float):
        return _decimal(found)
    raise WrongError


def number_in(value: Property) -> int | float:
    """*value* as a number, which may be written as text."""
    found = _known(value)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return _within_bounds(found)
    if isinstance(found, str) and len(found) <= 400 and found.strip() == found and found[:1] in "+-.0123456789":
        try:
            return _within_bounds(whole(float(found)) if not found.lstrip("-").isdigit() else int(found))
        except (ValueError, OverflowError):
            pass
    raise WrongError


def integer_in(value: Property) -> int:
    """*value* as a whole number."""
    found = number_in(value)
    if isinstance(found, int):
        return found
    raise WrongError


def truth_in(value: Property) -> bool:
    """*value* as a truth value, which may be written as text."""
    found = _known(value)
    if isinstance(found, bool):
        return found
    if found in ("true", "false"):
        return bool(found == "true")
    raise WrongError


def items_in(value: Property) -> tuple[Property, ...]:
    """The items of a list."""
    found = _known(value)
    if isinstance(found, tuple):
        return found
    raise WrongError


def mapping_in(value: Property) -> dict[str, Property]:
    """The items of a map."""
    found = _known(value)
    if isinstance(found, dict):
        return found
    raise WrongError


def _known(value: Property) -> Any:
    if isinstance(value, Known):
        return value.value
    raise WrongError if isinstance(value, Invalid) else HiddenError


def _decimal(number: float) -> str:
    text = repr(number)
    if "e" not in text:
        return text
    return f"{number:f}".rstrip("0").rstrip(".") if abs(number) >= 1e-6 else text


def same(left: Property, right: Property) -> bool | None:
    """Whether two values are equal; ``None`` when that is not known."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        if isinstance(left, Unknown) and isinstance(right, Unknown) and left.refers and left.refers == right.refers:
            return True
        return None
    one, other = left.value, right.value
    if isinstance(one, tuple) and isinstance(other, tuple):
        if len(one) != len(other):
            return False
        return _all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return False
        return _all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, tuple | dict) or isinstance(other, tuple | dict):
        return False
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    unsure = False
    for verdict in verdicts:
        if verdict is False:
            return False
        unsure = unsure or verdict is None
    return None if unsure else True


def mentions(values: Iterable[Property | None]) -> tuple[Reference, ...]:
    """The references anywhere in *values*, each once, as far as one wants to look."""
    found: dict[Reference, None] = {}
    todo: list[Property | None] = list(values)
    todo.reverse()
    looked = 0
    while todo and looked < _MAX_LOOKED_AT and len(found) < MAX_MENTIONS:
        looked += 1
        value = todo.pop()
        if isinstance(value, Unknown):
            if value.refers:
                found[value.refers] = None
            found.update(dict.fromkeys(value.mentions))
            todo += value.choices
        elif isinstance(value, Known) and isinstance(value.value, tuple):
            todo += value.value[:_MAX_LOOKED_AT]
        elif isinstance(value, Known) and isinstance(value.value, Mapping):
            todo += list(value.value.values())[:_MAX_LOOKED_AT]
    return tuple(found)


def parameter_of(values: Iterable[Property]) -> str | None:
    """The variable whose default one of *values* is."""
    return next((value.parameter for value in values if isinstance(value, Known) and value.parameter), None)


def resting_on(value: Property, parameter: str | None) -> Property:
    """*value*, which holds only as long as *parameter* has its default."""
    if parameter is None or not isinstance(value, Known) or value.parameter:
        return value
    return replace(value, parameter=parameter)


def chosen(worlds: Sequence[Property], expression: str, span: Span, *, leaning: bool = False) -> Property:
    """One value out of several worlds, none of which is refused: known when all agree, else with its choices.

    *leaning* says that the first is what the defaults of variables give.
    """
    flat: list[Property] = []
    for world in worlds:
        if isinstance(world, Unknown) and world.choices:
            leaning = leaning and (bool(flat) or isinstance(world, Leaning))
            flat += [choice for choice in world.choices if choice is not None]
        elif not isinstance(world, Invalid):
            flat.append(world)
        elif not flat:
            leaning = False
    if not flat:
        return worlds[0] if worlds else Invalid(expression, span)
    first = flat[0]
    if all(same(first, other) for other in flat[1:]):
        return first
    if len(flat) > MAX_CHOICES:
        return Unknown(expression, span, mentions=mentions(flat))
    return (Leaning if leaning else Unknown)(expression, span, choices=tuple(flat))


def lifted(
    values: Sequence[Property],
    result: Callable[[Sequence[Property]], Property],
    expression: Callable[[], str],
    span: Span,
) -> Property:
    """*result* of *values* in every world that their choices make."""
    open_ones = [value for value in values if isinstance(value, Unknown) and value.choices]
    if not open_ones:
        return result(values)
    count = 1
    for value in open_ones:
        count *= len(value.choices)
    if count > MAX_CHOICES:
        return Unknown(expression(), span, mentions=mentions(values))
    worlds = product(*(_worlds(value) for value in values))
    leaning = all(isinstance(value, Leaning) for value in open_ones)
    return chosen([result(world) for world in worlds], expression(), span, leaning=leaning)


def _worlds(value: Property) -> tuple[Property, ...]:
    if isinstance(value, Unknown) and value.choices:
        return tuple(choice for choice in value.choices if choice is not None)
    return (value,)
