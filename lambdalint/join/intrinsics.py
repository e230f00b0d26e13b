"""CloudFormation's intrinsic functions, evaluated as far as the template alone allows.

A parameter has its default; what has none is unknown.  A condition that depends on a parameter is not decided: both
branches are kept as choices, and the value is known when they agree.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.model.document import Mapping, Node, Scalar, Sequence
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property, Reference, Unknown

#: More worlds than this of nested conditions are not told apart.
MAX_CHOICES: Final = 16
#: Evaluated nodes a template; a real one of CloudFormation's 1 MB has some 60,000.
MAX_STEPS: Final = 1_000_000
_MAX_SPELLED: Final = 400

_SUBSTITUTE = re.compile(r"\$\{(!?)([^}]*)\}")
#: A dynamic reference (``{{resolve:ssm:…}}``), or a placeholder of a tool that fills templates in.
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LIST_TYPES = ("CommaDelimitedList", "List<")

#: What stands for ``AWS::NoValue``: the property is as if it had not been written.
ABSENT: Final = None


class Evaluator:
    """Evaluates the nodes of one template."""

    def __init__(self, template: Mapping) -> None:
        self._template = template  # values are remembered by the identity of their nodes, which must live as long
        self._parameters = _section(template, "Parameters")
        self._mappings = _section(template, "Mappings")
        self._conditions = _section(template, "Conditions")
        self._resources = _section(template, "Resources")
        self._known: dict[int, Property | None] = {}
        self._deciding: set[str] = set()
        self._steps = 0

    def value(self, node: Node) -> Property | None:
        """What *node* says; ``None`` for ``AWS::NoValue``."""
        key = id(node)
        if key not in self._known:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise UnreadableInput(
                    f"the template has more than {MAX_STEPS:,} values",
                    path=node.span.path,
                    line=node.span.line,
                    column=node.span.column,
                )
            self._known[key] = self._value(node)
        return self._known[key]

    def condition(self, name: str) -> bool | None:
        """Whether a condition holds; ``None`` when the template alone does not decide it."""
        node = self._conditions.items.get(name)
        if node is None or name in self._deciding:
            return None
        self._deciding.add(name)
        try:
            return self._decided(node)
        finally:
            self._deciding.discard(name)

    def _value(self, node: Node) -> Property | None:
        intrinsic = _intrinsic(node)
        if intrinsic:
            name, argument = intrinsic
            evaluate = _FUNCTIONS.get(name)
            return evaluate(self, argument, node.span) if evaluate else _unknown(f"Fn::{name}", node.span)
        if isinstance(node, Scalar):
            return _unknown(node.text, node.span) if _PLACEHOLDER.search(node.text) else Known(node.value, node.span)
        if isinstance(node, Sequence):
            items = (self.value(item) for item in node.items)
            return Known(tuple(item for item in items if item is not None), node.span)
        properties = {name: self.value(item) for name, item in node.items.items()}
        return Known({name: value for name, value in properties.items() if value is not None}, node.span)

    def _ref(self, argument: Node, span: Span) -> Property | None:
        name = _text(argument)
        if name == "AWS::NoValue":
            return ABSENT
        parameter = self._parameters.items.get(name)
        if isinstance(parameter, Mapping):
            return self._default(name, parameter, span)
        if name in self._resources.items:
            return Unknown(f"!Ref {name}", span, Reference(name))
        return _unknown(f"!Ref {name}", span)

    def _default(self, name: str, parameter: Mapping, span: Span) -> Property:
        default = parameter.items.get("Default")
        kind = _text(parameter.items.get("Type"))
        if not isinstance(default, Scalar) or kind.startswith("AWS::SSM::"):
            return _unknown(f"!Ref {name}", span)
        value: Any = default.value
        if kind == "String" and value is not None:
            value = default.text
        elif kind == "Number" and isinstance(value, str):
            value = _number(value)
        elif kind.startswith(_LIST_TYPES):
            parts = [part.strip() for part in default.text.split(",") if part.strip()]
            value = tuple(Known(part, default.span, parameter=name) for part in parts)
        return Known(value, default.span, parameter=name)

    def _get_att(self, argument: Node, span: Span) -> Property:
        if isinstance(argument, Sequence):
            resource, *attribute = (_text(part) for part in argument.items) if argument.items else ("",)
            return _attribute(resource, ".".join(attribute), span)
        resource, _, name = _text(argument).partition(".")
        return _attribute(resource, name, span)

    def _sub(self, argument: Node, span: Span) -> Property | None:
        own: dict[str, Property | None] = {}
        template = argument
        if isinstance(argument, Sequence) and argument.items:
            template = argument.items[0]
            if len(argument.items) > 1 and isinstance(argument.items[1], Mapping):
                own = {name: self.value(node) for name, node in argument.items[1].items.items()}
        text = _text(template)
        if _PLACEHOLDER.search(text):
            return _unknown(f"!Sub {text}", span)
        parts: list[Property] = []
        end = 0
        for match in _SUBSTITUTE.finditer(text):
            parts.append(Known(text[end : match.start()], span))
            end = match.end()
            if match[1]:
                parts.append(Known(f"${{{match[2]}}}", span))
                continue
            name = match[2].strip()
            found = own[name] if name in own else self._named(name, span)
            parts.append(found if found is not None else Known("", span))
        parts.append(Known(text[end:], span))
        return _joined("", parts, f"!Sub {text}", span)

    def _named(self, name: str, span: Span) -> Property | None:
        if "." in name:
            resource, _, attribute = name.partition(".")
            return _attribute(resource, attribute, span)
        return self._ref(Scalar(name, name, span), span)

    def _join(self, argument: Node, span: Span) -> Property | None:
        if not isinstance(argument, Sequence) or len(argument.items) != 2:
            return _unknown("Fn::Join", span)
        separator, listed = _text(argument.items[0]), self.value(argument.items[1])
        if not isinstance(listed, Known) or not isinstance(listed.value, tuple):
            return _unknown("Fn::Join", span)
        spelled = separator.join(_spelled(part) for part in listed.value)
        return _joined(separator, list(listed.value), f"!Join {spelled[:_MAX_SPELLED]}", span)

    def _if(self, argument: Node, span: Span) -> Property | None:
        if not isinstance(argument, Sequence) or len(argument.items) != 3:
            return _unknown("Fn::If", span)
        name = _text(argument.items[0])
        holds = self.condition(name)
        if holds is not None:
            return self.value(argument.items[1 if holds else 2])
        return chosen([self.value(item) for item in argument.items[1:]], f"!If {name}", span)

    def _find_in_map(self, argument: Node, span: Span) -> Property | None:
        if not isinstance(argument, Sequence) or len(argument.items) < 3:
            return _unknown("Fn::FindInMap", span)
        found: Node | None = self._mappings
        for item in argument.items[:3]:
            key = self.value(item)
            if not isinstance(key, Known) or not isinstance(found, Mapping):
                return _unknown("Fn::FindInMap", span)
            found = found.items.get(str(key.value))
        return self.value(found) if found is not None else _unknown("Fn::FindInMap", span)

    def _select(self, argument: Node, span: Span) -> Property | None:
        if not isinstance(argument, Sequence) or len(argument.items) != 2:
            return _unknown("Fn::Select", span)
        index, listed = self.value(argument.items[0]), self.value(argument.items[1])
        if isinstance(index, Known) and isinstance(listed, Known) and isinstance(listed.value, tuple):
            position = _number(index.value)
            if isinstance(position, int) and 0 <= position < len(listed.value):
                picked: Property = listed.value[position]
                return picked
        return _unknown("Fn::Select", span)

    def _split(self, argument: Node, span: Span) -> Property | None:
        if isinstance(argument, Sequence) and len(argument.items) == 2:
            separator, text = _text(argument.items[0]), self.value(argument.items[1])
            if separator and isinstance(text, Known) and isinstance(text.value, str):
                return Known(tuple(Known(part, text.span) for part in text.value.split(separator)), span)
        return _unknown("Fn::Split", span)

    def _base64(self, argument: Node, span: Span) -> Property | None:
        return _unknown("Fn::Base64", span)

    def _decided(self, node: Node) -> bool | None:
        intrinsic = _intrinsic(node)
        if not intrinsic:
            return None
        name, argument = intrinsic
        parts = argument.items if isinstance(argument, Sequence) else (argument,)
        if name == "Condition":
            return self.condition(_text(argument))
        if name == "Not":
            held = self._decided(parts[0]) if parts else None
            return None if held is None else not held
        if name in ("And", "Or"):
            held_parts = [self._decided(part) for part in parts]
            decisive = name == "Or"
            if decisive in held_parts:
                return decisive
            return None if None in held_parts else not decisive
        if name == "Equals" and len(parts) == 2:
            left, right = (self.value(part) for part in parts)
            if isinstance(left, Known) and isinstance(right, Known) and not (left.parameter or right.parameter):
                return str(left.value) == str(right.value)
        return None


def chosen(choices: "list[Property | None]", expression: str, span: Span) -> Property | None:
    """One value out of several worlds: known, or absent, when all agree; else unknown with its choices."""
    worlds: list[Property | None] = []
    for choice in choices:
        worlds += choice.choices if isinstance(choice, Unknown) and choice.choices else (choice,)
    first = worlds[0]
    if all(world is None for world in worlds):
        return ABSENT
    if isinstance(first, Known) and all(isinstance(world, Known) and world.value == first.value for world in worlds):
        return first
    if (
        isinstance(first, Unknown)
        and first.refers
        and all(isinstance(world, Unknown) and world.refers == first.refers for world in worlds)
    ):
        return first
    return Unknown(expression, span, choices=tuple(worlds) if len(worlds) <= MAX_CHOICES else ())


def _joined(separator: str, parts: list[Property], expression: str, span: Span) -> Property:
    meaning = [part for part in parts if not (isinstance(part, Known) and part.value == "")]
    if len(meaning) == 1 and isinstance(meaning[0], Unknown) and not separator:
        return replace(meaning[0], span=span)
    worlds = [_worlds(part) for part in parts]
    if any(world is None for world in worlds):
        return Unknown(expression, span, mentions=tuple(_mentioned(parts)))
    choices = [world for world in worlds if world is not None]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MAX_CHOICES:
        return Unknown(expression, span)
    parameter = next((part.parameter for part in parts if isinstance(part, Known) and part.parameter), None)
    texts = [separator.join(each) for each in product(*choices)]
    if len(texts) == 1:
        return Known(texts[0], span, parameter=parameter)
    return Unknown(expression, span, choices=tuple(Known(text, span, parameter=parameter) for text in texts))


def _spelled(part: Property) -> str:
    """*part* as ``Fn::Sub`` would write it."""
    return f"${{{part.expression.removeprefix('!Ref ')}}}" if isinstance(part, Unknown) else str(part.value)


def _mentioned(parts: list[Property]) -> Iterator[Reference]:
    for part in parts:
        if isinstance(part, Unknown):
            if part.refers:
                yield part.refers
            yield from part.mentions


def _worlds(part: Property) -> list[str] | None:
    values = part.choices if isinstance(part, Unknown) and part.choices else (part,)
    texts = [_as_text(value.value) for value in values if isinstance(value, Known)]
    known = [text for text in texts if text is not None]
    return known if len(known) == len(values) else None


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _attribute(resource: str, attribute: str, span: Span) -> Unknown:
    return Unknown(f"!GetAtt {resource}.{attribute}", span, Reference(resource, attribute))


def _unknown(expression: str, span: Span) -> Unknown:
    return Unknown(expression, span)


def _section(template: Mapping, name: str) -> Mapping:
    section = template.items.get(name)
    return section if isinstance(section, Mapping) else Mapping({}, {}, template.span)


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _number(value: object) -> object:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return value
    return value


def _intrinsic(node: Node) -> tuple[str, Node] | None:
    """The name of the function that *node* calls, without ``Fn::``, and its argument; ``None`` for plain data."""
    if node.tag:
        name = node.tag.removeprefix("!").removeprefix("Fn::")
        return (name, node) if node.tag.startswith("!") and name else None
    if isinstance(node, Mapping) and len(node.items) == 1:
        (key, argument), *_ = node.items.items()
        if key.startswith("Fn::"):
            return key.removeprefix("Fn::"), argument
        if key in ("Ref", "Condition") and isinstance(argument, Scalar):
            return key, argument
    return None


_FUNCTIONS: dict[str, Callable[[Evaluator, Node, Span], Property | None]] = {
    "Ref": Evaluator._ref,
    "GetAtt": Evaluator._get_att,
    "Sub": Evaluator._sub,
    "Join": Evaluator._join,
    "If": Evaluator._if,
    "FindInMap": Evaluator._find_in_map,
    "Select": Evaluator._select,
    "Split": Evaluator._split,
    "Base64": Evaluator._base64,
}
