"""Terraform's expressions, evaluated as far as the names in them are known.

A conditional that rests on the default of a variable of the root module is not decided: whoever applies the
configuration may give another value.  Both branches are kept as choices, as for CloudFormation's conditions, the one
that the default gives first.  A value that comes from elsewhere in the project decides.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from lambdalint.errors import UnreadableInput
from lambdalint.join.terraform_functions import Asked, called, file_text, pieced
from lambdalint.join.terraform_values import (
    HiddenError,
    Instances,
    Invalid,
    TooMuchError,
    Work,
    WrongError,
    chosen,
    integer_in,
    lifted,
    mentions,
    number_in,
    parameter_of,
    resting_on,
    same,
    text_in,
    truth_in,
)
from lambdalint.model.hcl import (
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    ListOf,
    Literal,
    ObjectOf,
    Parenthesised,
    Part,
    Splat,
    TextFor,
    TextIf,
    TextTemplate,
    Traversal,
    Unary,
    Variable,
)
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property, Reference, Unknown
from lambdalint.readers.hcl import read_template
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree

#: Evaluations within one another, from one local value to the next included; each takes a few Python frames.
MAX_DEPTH: Final = 120
_MAX_SPELLED: Final = 200

#: The address of a module as a whole: its outputs are whatever it likes.
_MODULE: Final = re.compile(r"(?:^|\.)module\.[\w-]+(?:\[[^\]]*\])?$")

Step = str | Splat | Expression


class Names(Protocol):
    """A module's names."""

    def named(self, name: str, steps: Sequence[Step], span: Span) -> tuple[Property, int]:
        """What *name* with the *steps* after it means, and how many of them that takes."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names in an expression mean: those of ``for`` and of the instance first, then the module's."""

    module: Names | None
    names: Mapping[str, Property] = field(default_factory=dict)

    def having(self, names: Mapping[str, Property]) -> "Scope":
        """This scope with more *names*."""
        return Scope(self.module, {**self.names, **names})


class Expressions:
    """Evaluates expressions.

    *folder* is the root module's.  *objects* are the instances of resources and modules by address, each with what
    gives an attribute of it, ``None`` for one that is not known before it is made.
    """

    def __init__(self, tree: Tree, folder: str, work: Work) -> None:
        self.tree, self.folder, self.work = tree, folder, work
        self.objects: dict[str, Callable[[str], Property | None]] = {}
        self.depth = 0
        self._lines: dict[str, list[str]] = {}

    def value(self, expression: Expression, scope: Scope) -> Property:
        """What *expression* says in *scope*."""
        work = self.work
        work.left -= 1
        if work.left < 0 or self.depth >= MAX_DEPTH:
            return self.refused(expression.span)
        self.depth += 1
        try:
            return _EVALUATE[type(expression)](self, expression, scope)
        except HiddenError:
            return Unknown(self.words(expression.span), expression.span)
        except WrongError:
            return Invalid(self.words(expression.span), expression.span)
        except TooMuchError as bound:
            work.tell(bound.message, expression.span)
            return Unknown(self.words(expression.span), expression.span)
        finally:
            self.depth -= 1

    @contextmanager
    def deeper(self, levels: int) -> Iterator[bool]:
        """Count *levels* more, for what takes more frames than one evaluation does; whether they may be taken."""
        self.depth += levels
        try:
            yield self.depth < MAX_DEPTH
        finally:
            self.depth -= levels

    def refused(self, span: Span) -> Property:
        """What stands for a value that takes too many steps, or rests on others too deep."""
        try:
            self.work.spend(0)
        except TooMuchError as bound:
            self.work.tell(bound.message, span)
        else:
            self.work.tell(f"values here rest on others more than {MAX_DEPTH} levels deep", span)
        return Unknown(self.words(span), span)

    def words(self, span: Span) -> str:
        """What is written at *span*, on one line."""
        lines = self._lines.get(span.path)
        if lines is None:
            try:
                text = decoded(self.tree.read(span.path), span.path)
            except UnreadableInput:
                text = ""
            lines = self._lines[span.path] = text.split("\n")
        if span.line > len(lines):
            return ""
        if span.line == span.end_line:
            return lines[span.line - 1][span.column : span.end_column][:_MAX_SPELLED]
        first, *between = lines[span.line - 1 : min(span.end_line, span.line + 20)]
        return " ".join(" ".join((first[span.column :], *between)).split())[:_MAX_SPELLED]

    def asked(self, span: Span) -> Asked:
        return Asked(span, self.words(span), self.work, self.tree, self.folder)

    def unknown(self, span: Span, values: Sequence[Property | None] = ()) -> Unknown:
        """A value that rests on *values* that are not known."""
        return Unknown(self.words(span), span, mentions=mentions(values))

    def invalid(self, span: Span) -> Invalid:
        return Invalid(self.words(span), span)

    def lifted(
        self, values: Sequence[Property], result: Callable[[Sequence[Property]], Property], span: Span
    ) -> Property:
        """*result* of *values* in every world that their choices make; it rests on the defaults that they rest on."""

        def resting(world: Sequence[Property]) -> Property:
            try:
                return resting_on(result(world), parameter_of(world))
            except HiddenError:
                return self.unknown(span, world)
            except WrongError:
                return self.invalid(span)

        return lifted(values, resting, lambda: self.words(span), span)

    # Plain values

    def _literal(self, expression: Literal, scope: Scope) -> Property:
        return Known(expression.value, expression.span)

    def _inner(self, expression: Parenthesised, scope: Scope) -> Property:
        return self.value(expression.inner, scope)

    def _list(self, expression: ListOf, scope: Scope) -> Property:
        items: list[Property] = []
        for item in expression.items:
            value = self.value(item, scope)
            if isinstance(value, Invalid):
                return value
            items.append(value)
        return self.work.listed(items, expression.span)

    def _object(self, expression: ObjectOf, scope: Scope) -> Property:
        items: dict[str, Property] = {}
        hidden: list[Property] = []
        for key, item in expression.items:
            value = self.value(item, scope)
            if isinstance(value, Invalid):
                return value
            name = key.value if isinstance(key, Literal) and isinstance(key.value, str) else None
            if name is None:
                named = self.value(key, scope)
                if isinstance(named, Unknown):
                    hidden += (named, value)
                    continue
                name = text_in(named)
            items[name] = value
        if hidden:
            return self.unknown(expression.span, [*hidden, *items.values()])
        return self.work.mapped(items, expression.span)

    # Text

    def _template(self, expression: TextTemplate, scope: Scope) -> Property:
        parts = expression.parts
        if len(parts) == 1 and not isinstance(parts[0], TextIf | TextFor):
            return self.value(parts[0], scope)
        pieces: list[Property] = []
        for part in parts:
            piece = self._piece(part, scope)
            if isinstance(piece, Invalid):
                return piece
            pieces.append(piece)
        span = expression.span
        return self.lifted(pieces, lambda world: pieced(list(world), self.asked(span)), span)

    def _piece(self, part: Part, scope: Scope) -> Property:
        if isinstance(part, TextIf):
            return self._branch(part.condition, part.then, part.otherwise, part.span, scope)
        if not isinstance(part, TextFor):
            return self.value(part, scope)
        collection = self.value(part.collection, scope)
        span = part.span

        def text(world: Sequence[Property]) -> Property:
            pairs = self.pairs(world[0])
            if pairs is None:
                return self.unknown(span, world)
            bodies = [self.value(part.body, scope.having(_named(part, key, item))) for key, item in pairs]
            return pieced(bodies, self.asked(span))

        return self.lifted([collection], text, span)

    # Choices and operators

    def _conditional(self, expression: Conditional, scope: Scope) -> Property:
        return self._branch(expression.condition, expression.then, expression.otherwise, expression.span, scope)

    def _branch(
        self, condition: Expression, then: Expression, otherwise: Expression, span: Span, scope: Scope
    ) -> Property:
        decided = self.value(condition, scope)
        if isinstance(decided, Invalid):
            return decided
        if isinstance(decided, Known):
            first, second = (then, otherwise) if truth_in(decided) else (otherwise, then)
            if not decided.parameter:
                return self.value(first, scope)
            return chosen([self.value(first, scope), self.value(second, scope)], self.words(span), span, leaning=True)
        worlds = [self.value(then, scope), self.value(otherwise, scope)]
        if decided.choices:
            return self.lifted([decided], lambda world: self._decided(world[0], worlds, span), span)
        return chosen(worlds, self.words(span), span)

    def _decided(self, condition: Property, worlds: Sequence[Property], span: Span) -> Property:
        if isinstance(condition, Unknown):
            return chosen(worlds, self.words(span), span)
        return worlds[0 if truth_in(condition) else 1]

    def _unary(self, expression: Unary, scope: Scope) -> Property:
        span = expression.span

        def result(world: Sequence[Property]) -> Property:
            if expression.operator == "!":
                return Known(not truth_in(world[0]), span)
            return self.work.number(-number_in(world[0]), span)

        return self.lifted([self.value(expression.operand, scope)], result, span)

    def _binary(self, expression: Binary, scope: Scope) -> Property:
        operator, span = expression.operator, expression.span
        left = self.value(expression.left, scope)
        if operator in ("&&", "||") and isinstance(left, Known) and truth_in(left) is (operator == "||"):
            return Known(truth_in(left), span, parameter=left.parameter)
        right = self.value(expression.right, scope)
        return self.lifted([left, right], lambda world: self._combined(operator, world[0], world[1], span), span)

    def _combined(self, operator: str, left: Property, right: Property, span: Span) -> Property:
        if isinstance(left, Invalid) or isinstance(right, Invalid):
            return self.invalid(span)
        if operator in ("==", "!="):
            self.work.spend(min(self.work.weight(left), self.work.weight(right)))
            equal = False if _is_given(left, right) or _is_given(right, left) else same(left, right)
            return self.unknown(span, (left, right)) if equal is None else Known(equal is (operator == "=="), span)
        if operator in ("&&", "||"):
            decisive = operator == "||"
            for side in (left, right):
                if isinstance(side, Known) and truth_in(side) is decisive:
                    return Known(decisive, span)
            return Known(truth_in(left) and truth_in(right) if operator == "&&" else False, span)
        one, other = number_in(left), number_in(right)
        if operator in _COMPARISONS:
            return Known(_COMPARISONS[operator](one, other), span)
        if operator in ("/", "%") and other == 0:
            raise WrongError
        return self.work.number(_ARITHMETIC[operator](one, other), span)

    # Collections

    def _for(self, expression: For, scope: Scope) -> Property:
        collection = self.value(expression.collection, scope)
        if isinstance(collection, Known):
            return resting_on(self._gathered(expression, collection, scope), collection.parameter)
        return self.lifted([collection], lambda world: self._gathered(expression, world[0], scope), expression.span)

    def _gathered(self, expression: For, collection: Property, scope: Scope) -> Property:
        span = expression.span
        pairs = self.pairs(collection)
        if pairs is None:
            # One round with what nobody knows says at least which resources it is about.
            item = replace(collection, choices=()) if isinstance(collection, Unknown) else collection
            inner = scope.having(_named(expression, self.unknown(span), _one_of(item)))
            return self.unknown(span, (collection, self.value(expression.result, inner)))
        listed: list[Property] = []
        grouped: dict[str, list[Property]] = {}
        parameter: str | None = None
        for key, item in pairs:
            inner = scope.having(_named(expression, key, item))
            if expression.condition is not None:
                condition = self.value(expression.condition, inner)
                if isinstance(condition, Unknown):
                    return condition if isinstance(condition, Invalid) else self.unknown(span, (collection, condition))
                parameter = parameter or condition.parameter
                if not truth_in(condition):
                    continue
            result = self.value(expression.result, inner)
            if isinstance(result, Invalid):
                return result
            if expression.result_key is None:
                listed.append(result)
                continue
            name = self.value(expression.result_key, inner)
            if isinstance(name, Unknown):
                return name if isinstance(name, Invalid) else self.unknown(span, (collection, name, result))
            parameter = parameter or name.parameter
            grouped.setdefault(text_in(name), []).append(result)
        made: Property
        if expression.result_key is None:
            made = self.work.listed(listed, span)
        elif expression.groups:
            made = self.work.mapped({key: self.work.listed(items, span) for key, items in grouped.items()}, span)
        elif any(len(items) > 1 for items in grouped.values()):
            raise WrongError
        else:
            made = self.work.mapped({key: items[0] for key, items in grouped.items()}, span)
        return resting_on(made, parameter)

    def pairs(self, collection: Property) -> "list[tuple[Property, Property]] | None":
        """Keys and items in the order in which Terraform goes through them; ``None`` when they are not known.

        Raises:
            WrongError: it is no collection.
        """
        if isinstance(collection, Unknown):
            if isinstance(collection, Invalid):
                raise WrongError
            return None
        found = collection.value
        if isinstance(found, dict):
            return [(Known(key, collection.span), found[key]) for key in sorted(found)]
        if isinstance(found, tuple):
            return [(Known(number, collection.span), item) for number, item in enumerate(found)]
        raise WrongError

    # Calls

    def _call(self, expression: Call, scope: Scope) -> Property:
        name, span = expression.name, expression.span
        if name in ("try", "can"):
            return self._tried(expression, scope)
        if name == "templatefile":
            return self._template_file(expression, scope)
        arguments = [self.value(argument, scope) for argument in expression.arguments]
        if expression.expands and arguments:
            *arguments, last = arguments
            if isinstance(last, Invalid):
                return last
            if isinstance(last, Unknown):
                return self.lifted(
                    [last], lambda world: self._called(name, [*arguments, *_spread(world[0])], span), span
                )
            arguments += _spread(last)
            self.work.spend(len(arguments))
        return self._called(name, arguments, span)

    def _called(self, name: str, arguments: Sequence[Property], span: Span) -> Property:
        for argument in arguments:
            if isinstance(argument, Invalid):
                return argument
        asked = self.asked(span)
        return self.lifted(arguments, lambda world: called(name, asked, world), span)

    def _tried(self, expression: Call, scope: Scope) -> Property:
        found: Property = self.invalid(expression.span)
        for argument in expression.arguments:
            found = self.value(argument, scope)
            if expression.name == "can":
                if isinstance(found, Unknown) and not isinstance(found, Invalid) and not found.refers:
                    return self.unknown(expression.span, (found,))
                return Known(not isinstance(found, Invalid), expression.span)
            if not isinstance(found, Invalid):
                return found
        return found

    def _template_file(self, expression: Call, scope: Scope) -> Property:
        span = expression.span
        path, names = (self.value(argument, scope) for argument in expression.arguments)
        if isinstance(names, Unknown):
            return self.unknown(span, (path, names))
        try:
            text = file_text(self.asked(span), path)
            template = read_template(text, text.path)
        except UnreadableInput:
            return self.unknown(span, (path, names))
        if not isinstance(names.value, dict):
            raise WrongError
        found = self.value(template, Scope(None, names.value))
        return Known(found.value, span, parameter=found.parameter) if isinstance(found, Known) else found

    # Steps into values

    def _variable(self, expression: Variable, scope: Scope) -> Property:
        return self._started(expression, (), scope, expression.span)[0]

    def _traversal(self, expression: Traversal, scope: Scope) -> Property:
        start, steps, span = expression.start, expression.steps, expression.span
        if isinstance(start, Variable):
            value, taken = self._started(start, steps, scope, span)
            return self.stepped(value, steps[taken:], scope, span) if taken < len(steps) else value
        return self.stepped(self.value(start, scope), steps, scope, span)

    def _started(self, start: Variable, steps: Sequence[Step], scope: Scope, span: Span) -> tuple[Property, int]:
        found = scope.names.get(start.name)
        if found is not None:
            return found, 0
        if scope.module is None:
            return self.invalid(span), len(steps)
        return scope.module.named(start.name, steps, span)

    def stepped(self, value: Property, steps: Sequence[Step], scope: Scope, span: Span) -> Property:
        """*value* after all *steps*."""
        for number, step in enumerate(steps):
            if isinstance(step, Splat):
                return self._splat(value, step, steps[number + 1 :], scope, span)
            if isinstance(step, str):
                value = self._attribute(value, step, span)
            else:
                key = self.value(step, scope)
                value = self.lifted([value, key], lambda world: self._index(world[0], world[1], span), span)
            if isinstance(value, Invalid):
                return value
        return value

    def _attribute(self, value: Property, name: str, span: Span) -> Property:
        if isinstance(value, Known):
            found = value.value.get(name) if isinstance(value.value, dict) else None
            return self.invalid(span) if found is None else found
        if value.choices:
            return self.lifted([value], lambda world: self._attribute(world[0], name, span), span)
        reference = value.refers
        if reference is None:
            return self.unknown(span, (value,))
        if reference.attribute is not None:
            return _referring(Reference(reference.resource, f"{reference.attribute}.{name}"), span)
        stated = self.objects.get(reference.resource)
        known = stated(name) if stated else None
        return _referring(Reference(reference.resource, name), span) if known is None else known

    def _index(self, value: Property, key: Property, span: Span) -> Property:
        if isinstance(key, Invalid):
            return key
        if isinstance(value, Known):
            return self._item(value, key, span)
        if isinstance(value, Instances):
            return Unknown(value.expression, span, refers=value.refers)
        reference = value.refers
        if reference is None:
            return self.unknown(span, (value, key))
        if reference.attribute is None and isinstance(key, Known) and isinstance(key.value, str):
            return self._attribute(value, key.value, span)
        if reference.attribute is None or not isinstance(key, Known):
            return value if reference.attribute is None else self.unknown(span, (value, key))
        return _referring(Reference(reference.resource, f"{reference.attribute}{spelled_key(key.value)}"), span)

    def _item(self, value: "Known[Any]", key: Property, span: Span) -> Property:
        items = value.value
        if not isinstance(items, dict | tuple):
            raise WrongError
        if isinstance(key, Unknown):
            # One of them it is.
            return chosen(list(items.values() if isinstance(items, dict) else items), self.words(span), span)
        if isinstance(items, dict):
            found: Property | None = items.get(text_in(key))
            if found is None:
                raise WrongError
            return found
        number = integer_in(key)
        if not 0 <= number < len(items):
            raise WrongError
        item: Property = items[number]
        return item

    def _splat(self, value: Property, splat: Splat, steps: Sequence[Step], scope: Scope, span: Span) -> Property:
        own = len(steps)
        if not splat.full:
            own = next((number for number, step in enumerate(steps) if not isinstance(step, str)), own)
        with self.deeper(3) as may:
            if not may:
                return self.refused(span)
            found = self.lifted([value], lambda world: self._each(world[0], steps[:own], scope, span), span)
            return self.stepped(found, steps[own:], scope, span)

    def _each(self, value: Property, steps: Sequence[Step], scope: Scope, span: Span) -> Property:
        items: Sequence[Property]
        if isinstance(value, Invalid):
            return value
        if isinstance(value, Instances):
            one = Unknown(value.expression, span, refers=value.refers)
            return self.unknown(span, (self.stepped(one, steps, scope, span),))
        if isinstance(value, Unknown):
            if value.refers is None or value.refers.attribute is not None:
                return self.unknown(span, (value,)) if steps else value
            items = (value,)
        elif value.value is None:
            items = ()
        else:
            items = value.value if isinstance(value.value, tuple) else (value,)
        found = [self.stepped(item, steps, scope, span) for item in items]
        refused = next((item for item in found if isinstance(item, Invalid)), None)
        return refused or self.work.listed(found, span)


def spelled_key(key: object) -> str:
    """The key of an instance as Terraform writes it in an address."""
    if isinstance(key, int):
        return f"[{key}]"
    escaped = str(key).replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'


def _referring(reference: Reference, span: Span) -> Unknown:
    return Unknown(f"{reference.resource}.{reference.attribute}", span, refers=reference)


def _is_given(value: Property, other: Property) -> bool:
    """Whether *value* is what every resource has, and hence not the ``null`` that *other* is."""
    if not isinstance(value, Unknown) or not isinstance(other, Known) or other.value is not None:
        return False
    reference = value.refers
    return reference is not None and reference.attribute in ("arn", "id") and not _MODULE.search(reference.resource)


def _named(loop: For | TextFor, key: Property, item: Property) -> dict[str, Property]:
    names = {loop.value: item}
    if loop.key is not None:
        names[loop.key] = key
    return names


def _one_of(collection: Property) -> Property:
    """An item of a collection that is not known."""
    if isinstance(collection, Instances):
        return Unknown(collection.expression, collection.span, refers=collection.refers)
    return Unknown(f"{collection.expression}[*]" if isinstance(collection, Unknown) else "", collection.span)


def _spread(value: Property) -> tuple[Property, ...]:
    if isinstance(value, Known) and isinstance(value.value, tuple):
        return value.value
    raise WrongError if isinstance(value, Known | Invalid) else HiddenError


def _modulo(one: int | float, other: int | float) -> int | float:
    """The remainder with the sign of the first, as in Go."""
    if isinstance(one, int) and isinstance(other, int):
        return (abs(one) % abs(other)) * (-1 if one < 0 else 1)
    return one - other * int(one / other)


def _quotient(one: int | float, other: int | float) -> int | float:
    if isinstance(one, int) and isinstance(other, int) and one % other == 0:
        return one // other
    return one / other


_COMPARISONS: Final[Mapping[str, Callable[[int | float, int | float], bool]]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_ARITHMETIC: Final[Mapping[str, Callable[[int | float, int | float], int | float]]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": _quotient,
    "%": _modulo,
}
_EVALUATE: Final[Mapping[type, Callable[[Expressions, Any, Scope], Property]]] = {
    Literal: Expressions._literal,
    TextTemplate: Expressions._template,
    ListOf: Expressions._list,
    ObjectOf: Expressions._object,
    Variable: Expressions._variable,
    Traversal: Expressions._traversal,
    Call: Expressions._call,
    Conditional: Expressions._conditional,
    Unary: Expressions._unary,
    Binary: Expressions._binary,
    For: Expressions._for,
    Parenthesised: Expressions._inner,
}
