"""What the parameters of a module's functions are, as its own calls pass them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import (
    UNKNOWN,
    Attribute,
    CallOf,
    Collection,
    Either,
    EventPath,
    Expression,
    Item,
    Joined,
    Literal,
    Opaque,
    Parameter,
    walk,
)
from lambdalint.facts.symbols import Symbols

_MAX_DEPTH: Final = 3
_MAX_ALTERNATIVES: Final = 12


@dataclass(frozen=True, slots=True)
class Passed:
    """One call of a function: the *scope* that calls, and by parameter what it passes."""

    scope: str
    values: Mapping[str, Expression] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Arguments:
    """The calls of a module's functions within the module, by the qualified name of the ``def``."""

    passed: Mapping[str, tuple[Passed, ...]] = field(hash=False)

    @classmethod
    def of(cls, calls: Calls, symbols: Symbols) -> "Arguments":
        passed: dict[str, list[Passed]] = {}
        for call in calls.calls:
            definition = symbols.definitions.get(call.name[1:]) if call.name and call.name[0] == ":" else None
            if definition is not None and not call.skipped:
                bound = definition.is_method and "staticmethod" not in definition.decorators
                parameters = definition.parameters[1:] if bound else definition.parameters
                passed.setdefault(definition.scope, []).append(Passed(call.scope, _values(call, parameters)))
        return cls({scope: tuple(found) for scope, found in passed.items()})

    def alternatives(self, expression: Expression, scope: str) -> Iterator[Expression]:
        """What *expression*, which stands in *scope*, is with its parameters filled in, one for each way to call.

        The expression itself is the only answer where it has no parameters, or nobody is seen to pass them.
        """
        yield from islice(self._alternatives(expression, scope, 0), _MAX_ALTERNATIVES)

    def _alternatives(self, expression: Expression, scope: str, depth: int) -> Iterator[Expression]:
        wanted = {part.name for part in walk(expression) if isinstance(part, Parameter)}
        calls = self.passed.get(scope, ()) if wanted and depth < _MAX_DEPTH else ()
        told = [passed for passed in calls if not wanted.isdisjoint(passed.values)]
        if not told:
            yield expression
        for passed in told:
            yield from self._alternatives(filled(expression, passed.values), passed.scope, depth + 1)


def _values(call: Call, parameters: tuple[str, ...]) -> Mapping[str, Expression]:
    positional = () if call.has_star_args else call.args
    return {**dict(zip(parameters, positional, strict=False)), **call.keywords}


def filled(expression: Expression, values: Mapping[str, Expression]) -> Expression:
    """*expression* with parameters replaced by *values*, and looking into the event gone on with."""

    def inside(each: Expression) -> Expression:
        return filled(each, values)

    match expression:
        case Parameter(name):
            return values.get(name, UNKNOWN)
        case Item(of, key):
            inner, step = inside(of), None if key is None else inside(key)
            if isinstance(inner, EventPath):
                value = step.value if isinstance(step, Literal) else None
                return EventPath((*inner.keys, value if isinstance(value, str | int) else None), inner.context)
            return Item(inner, step)
        case Attribute(of, name):
            inner = inside(of)
            return (
                EventPath((*inner.keys, name), inner.context)
                if isinstance(inner, EventPath)
                else Attribute(inner, name)
            )
        case Joined(inner):
            return Joined(tuple(map(inside, inner)))
        case CallOf(name, args, keywords, receiver):
            return CallOf(
                name,
                tuple(map(inside, args)),
                {key: inside(each) for key, each in keywords.items()},
                None if receiver is None else inside(receiver),
            )
        case Collection(kind, items, keys, complete):
            return Collection(kind, tuple(map(inside, items)), tuple(map(inside, keys)), complete)
        case Either(options):
            return Either(tuple(map(inside, options)))
        case Opaque(inner, kind):
            return Opaque(tuple(map(inside, inner)), kind)
        case _:
            return expression
