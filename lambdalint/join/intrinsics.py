"""CloudFormation's intrinsic functions, evaluated as far as the template alone allows.

A parameter has its default, or what it is given from outside; what has neither is unknown.  A condition that depends
on a parameter which somebody else may set is not decided: both branches are kept as choices, and the value is known
when they agree.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Listed
from dataclasses import replace
from typing import Any, Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.loops import FOR_EACH, Copies, TooManyNodes, filled_text
from lambdalint.join.outside import Outside
from lambdalint.join.parameters import typed
from lambdalint.join.texts import ABSENT, chosen, hidden, interpolated, joined_text, spelled, spelled_call
from lambdalint.join.value_functions import FUNCTIONS, SEVERAL
from lambdalint.model.document import Mapping, Node, Scalar, Sequence
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property, Reference, Unknown

__all__ = ["ABSENT", "MAX_STEPS", "Evaluator", "chosen", "intrinsic"]

#: Evaluated nodes a template; a real one of CloudFormation's 1 MB has some 60,000.
MAX_STEPS: Final = 1_000_000
#: Conditions that lead to conditions.
_MAX_HOPS: Final = 40
#: Conditions inside conditions, and files that include files.
_MAX_DEPTH: Final = 100
#: Values within values, wherever they lead: a document nests 100 levels, and Python's stack holds some more.
_MAX_OPEN: Final = 120
_MAX_SPELLED: Final = 400

_INCLUDE: Final = "Fn::Transform"


class Evaluator:
    """Evaluates the nodes of one template.

    *names* are of resources that a transform makes: what the template calls them (``Orders.Alias``) and their logical
    names.
    """

    def __init__(self, template: Mapping, outside: Outside | None = None) -> None:
        self.outside = outside or Outside()
        self.names: dict[str, str] = {}
        self._copies = Copies()
        self._known: dict[int, Property | None] = {}
        self._kept: list[Node] = []  # values are remembered by the identity of their nodes, which must live as long
        self._open: set[int] = set()
        self._deciding: set[str] = set()
        self._decisions: dict[str, bool | None] = {}
        self._steps = 0
        self._depth = 0
        # A loop or an include in a section may refer to the sections before it.
        self._parameters = self._mappings = self._conditions = _EMPTY
        self.document = self.opened(template)
        self._parameters = self.section("Parameters")
        self._mappings = self.section("Mappings")
        self._conditions = self.section("Conditions")
        self.resources = self.section("Resources")

    def section(self, name: str) -> Mapping:
        """A top-level part of the template with its loops and includes carried out; empty when there is none."""
        section = self.document.items.get(name)
        return self.opened(section) if isinstance(section, Mapping) else _EMPTY

    def value(self, node: Node) -> Property | None:
        """What *node* says; ``None`` for ``AWS::NoValue``."""
        if type(node) is Scalar and not node.tag:
            text = node.text
            return Unknown(text, node.span) if _has_placeholder(text) else Known(node.value, node.span)
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
            if key in self._open or len(self._open) > _MAX_OPEN:
                return Unknown("a value that leads to itself", node.span)
            self._kept.append(node)
            self._open.add(key)
            self._known[key] = self._value(node)
            self._open.discard(key)
        return self._known[key]

    def condition(self, name: str) -> bool | None:
        """Whether a condition holds; ``None`` when the template alone does not decide it."""
        if name not in self._decisions:
            node = self._conditions.items.get(name)
            if node is None or name in self._deciding or len(self._deciding) > _MAX_HOPS:
                return None
            self._deciding.add(name)
            self._decisions[name] = self._decided(node)
            self._deciding.discard(name)
        return self._decisions[name]

    def text(self, template: str, span: Span, own: "dict[str, Property | None] | None" = None) -> Property:
        """*template* with its ``${NAME}`` replaced, as ``Fn::Sub`` does; *own* are names that it brings along."""
        own = own or {}
        return interpolated(template, lambda name: own[name] if name in own else self._named(name, span), span)

    def reference(self, name: str, span: Span, attribute: str | None = None) -> Unknown:
        """A reference to a resource of this template."""
        expression = f"!Ref {name}" if attribute is None else f"!GetAtt {name}.{attribute}"
        return Unknown(expression, span, Reference(self.outside.scope + name, attribute))

    def opened(self, node: Mapping) -> Mapping:
        """*node* with the loops and includes among its keys carried out, as far as that can be."""
        if not any(key[:4] == "Fn::" and (key == _INCLUDE or key.startswith(FOR_EACH)) for key in node.items):
            return node
        items: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        for name, item, span in self._unrolled(node, {}):
            items[name] = item
            keys[name] = span
        found = Mapping(items, keys, node.span, node.tag)
        self._kept.append(found)
        return found

    def _unrolled(self, node: Mapping, values: dict[str, str]) -> Iterator[tuple[str, Node, Span]]:
        for key, item in node.items.items():
            span = node.keys[key]
            if key == _INCLUDE:
                yield from self._included(key, item, span)
            elif key.startswith(FOR_EACH):
                yield from self._looped(key, item, span, values)
            elif values:
                yield filled_text(key, values), self._copies.filled(item, values), span
            else:
                yield key, item, span

    def _looped(self, key: str, loop: Node, span: Span, values: dict[str, str]) -> Iterator[tuple[str, Node, Span]]:
        if not isinstance(loop, Sequence) or len(loop.items) != 3 or not isinstance(body := loop.items[2], Mapping):
            yield key, loop, span
            return
        name = _text(loop.items[0])
        try:
            listed = self._copies.filled(loop.items[1], values) if values else loop.items[1]
            items = self.value(listed)
            if not isinstance(items, Known) or not isinstance(items.value, tuple):
                self.outside.said.notes.append(f"{span.path}:{span.line}: {key} loops over what is not known here")
                return
            for each in items.value:
                if isinstance(each, Known):
                    yield from self._unrolled(body, {**values, name: str(each.value)})
        except TooManyNodes:
            note = f"{span.path}:{span.line}: {key} makes more than can be looked at; the rest of it was left out"
            self.outside.said.notes.append(note)

    def _included(self, key: str, macro: Node, span: Span) -> Iterator[tuple[str, Node, Span]]:
        found = self._file(macro)
        if not isinstance(found, Mapping):
            yield key, macro, span
        elif self._depth >= _MAX_DEPTH:
            self.outside.said.notes.append(f"{span.path}:{span.line}: files include one another too deeply")
            yield key, macro, span
        else:
            self._depth += 1
            yield from self._unrolled(found, {})
            self._depth -= 1

    def _file(self, macro: Node) -> Node | None:
        """What ``AWS::Include`` puts in the place of *macro*; ``None`` for other macros and files elsewhere."""
        if not isinstance(macro, Mapping) or _text(macro.items.get("Name")) != "AWS::Include":
            return None
        parameters = macro.items.get("Parameters")
        location = parameters.items.get("Location") if isinstance(parameters, Mapping) else None
        where = self.value(location) if location is not None else None
        if not isinstance(where, Known) or not isinstance(where.value, str):
            return None
        return self.outside.included(where.value, where.span)

    def _value(self, node: Node) -> Property | None:
        called = intrinsic(node)
        if called:
            name, argument = called
            if node.tag:
                argument = replace(node, tag="")  # a tag is the function that the node is the argument of
            evaluate = _OWN.get(name)
            return evaluate(self, argument, node.span) if evaluate else self._function(name, argument, node.span)
        if isinstance(node, Scalar):
            hides = _has_placeholder(node.text)
            return Unknown(node.text, node.span) if hides else Known(node.value, node.span)
        if isinstance(node, Sequence):
            items = [self.value(item) for item in node.items]
            return Known(tuple([item for item in items if item is not None]), node.span)
        node = self.opened(node)
        if _INCLUDE in node.items:
            return Unknown(_INCLUDE, node.span)
        properties = {}
        for name, item in node.items.items():
            value = self.value(item)
            if value is not None:
                properties[name] = value
        return Known(properties, node.span)

    def _function(self, name: str, argument: Node, span: Span) -> Property | None:
        """A function whose arguments are evaluated first and are all it needs."""
        parts = argument.items if name in SEVERAL and isinstance(argument, Sequence) else (argument,)
        values = [self.value(part) for part in parts]
        evaluate = FUNCTIONS.get(name)
        found = evaluate(values, span) if evaluate else None
        shown = next((_shown(value) for value in values if value is not None), "")
        expression = f"Fn::{name}" if evaluate or len(values) != 1 else f"!{name} {shown}"[:_MAX_SPELLED]
        return found or hidden(expression.rstrip(), values, span)

    def _ref(self, argument: Node, span: Span) -> Property | None:
        name = _text(argument)
        if name == "AWS::NoValue":
            return ABSENT
        declaration = self._parameters.items.get(name)
        if isinstance(declaration, Mapping):
            return self._parameter(name, declaration, span)
        if name.startswith("AWS::") or not name:
            return self.outside.given(name) or Unknown(f"!Ref {name}", span)
        return self.reference(self.names.get(name, name), span)

    def _parameter(self, name: str, declaration: Mapping, span: Span) -> Property:
        given = self.outside.given(name)
        default = declaration.items.get("Default")
        if given is None and isinstance(default, Scalar):
            given = Known(None if default.value is None else default.text, default.span, parameter=name)
        kind = _text(declaration.items.get("Type"))
        if given is None or kind.startswith("AWS::SSM::"):
            return Unknown(f"!Ref {name}", span)
        return typed(given, kind)

    def _get_att(self, argument: Node, span: Span) -> Property | None:
        if isinstance(argument, Sequence):
            values = [self.value(part) for part in argument.items]
            parts = [str(value.value) if isinstance(value, Known) else "" for value in values]
            if not all(parts):
                return hidden("Fn::GetAtt", values, span)
            return self._attribute(".".join(parts), span)
        return self._attribute(_text(argument), span)

    def _attribute(self, path: str, span: Span) -> Property | None:
        resource, _, attribute = path.partition(".")
        output = attribute.removeprefix("Outputs.")
        if output != attribute and (found := self.outside.output(resource, output)) is not None:
            return found
        name, _, rest = attribute.partition(".")
        made = self.names.get(f"{resource}.{name}")
        return self.reference(made, span, rest or None) if made else self.reference(resource, span, attribute)

    def _sub(self, argument: Node, span: Span) -> Property | None:
        own: dict[str, Property | None] = {}
        template = argument
        if isinstance(argument, Sequence) and argument.items:
            template = argument.items[0]
            if len(argument.items) > 1 and isinstance(argument.items[1], Mapping):
                own = {name: self.value(node) for name, node in argument.items[1].items.items()}
        text = _text(template)
        return Unknown(f"!Sub {text}", span) if _has_placeholder(text) else self.text(text, span, own)

    def _named(self, name: str, span: Span) -> Property | None:
        return self._attribute(name, span) if "." in name else self._ref(Scalar(name, name, span), span)

    def _join(self, argument: Node, span: Span) -> Property | None:
        if not isinstance(argument, Sequence) or len(argument.items) != 2:
            return Unknown("Fn::Join", span)
        separator, listed = _text(argument.items[0]), self.value(argument.items[1])
        if not isinstance(listed, Known) or not isinstance(listed.value, tuple):
            return hidden("Fn::Join", [listed], span)
        return joined_text(separator, list(listed.value), spelled_call("!Join", separator, listed.value), span)

    def _if(self, argument: Node, span: Span) -> Property | None:
        if not isinstance(argument, Sequence) or len(argument.items) != 3:
            return Unknown("Fn::If", span)
        name = _text(argument.items[0])
        holds = self.condition(name)
        if holds is not None:
            return self.value(argument.items[1 if holds else 2])
        return chosen([self.value(item) for item in argument.items[1:]], f"!If {name}", span)

    def _find_in_map(self, argument: Node, span: Span) -> Property | None:
        if not isinstance(argument, Sequence) or len(argument.items) < 3:
            return Unknown("Fn::FindInMap", span)
        keys = [self.value(item) for item in argument.items[:3]]
        worlds: list[Property | None] = []
        default = None
        if len(argument.items) > 3 and isinstance(options := argument.items[3], Mapping):
            default = options.items.get("DefaultValue")
        found = list(self._looked_up(self._mappings, keys))
        worlds += [self.value(node) for node in found]
        if default is not None and (not found or not all(isinstance(key, Known) for key in keys)):
            worlds.append(self.value(default))
        parameter = next((key.parameter for key in keys if isinstance(key, Known) and key.parameter), None)
        result = chosen(worlds, "Fn::FindInMap", span) if worlds else hidden("Fn::FindInMap", keys, span)
        if isinstance(result, Known) and parameter and result.parameter is None:
            return replace(result, parameter=parameter)
        return result

    def _looked_up(self, found: Node | None, keys: "Listed[Property | None]") -> Iterator[Node]:
        """The values at *keys*; all those of a level whose key is hidden, but for the map itself."""
        if not keys:
            if found is not None:
                yield found
            return
        key, *rest = keys
        if not isinstance(found, Mapping):
            return
        if isinstance(key, Known):
            yield from self._looked_up(found.items.get(str(key.value)), rest)
        elif len(rest) < 2:
            for item in found.items.values():
                yield from self._looked_up(item, rest)

    def _condition_value(self, argument: Node, span: Span) -> Property | None:
        return Unknown(f"!Condition {_text(argument)}", span)

    def _transform(self, argument: Node, span: Span) -> Property | None:
        found = self._file(argument)
        return Unknown(_INCLUDE, span) if found is None else self.value(found)

    def _decided(self, node: Node) -> bool | None:
        called = intrinsic(node)
        if not called or self._depth >= _MAX_DEPTH:
            return None
        self._depth += 1
        held = self._held(*called)
        self._depth -= 1
        return held

    def _held(self, name: str, argument: Node) -> bool | None:
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
                return _condition_text(left) == _condition_text(right)
        return None


def intrinsic(node: Node) -> tuple[str, Node] | None:
    """The name of the function that *node* calls, without ``Fn::``, and its argument; ``None`` for plain data."""
    if node.tag:
        name = node.tag.removeprefix("!").removeprefix("Fn::")
        return (name, node) if node.tag.startswith("!") and name else None
    if isinstance(node, Mapping) and len(node.items) == 1:
        (key, argument), *_ = node.items.items()
        if key.startswith("Fn::") and not key.startswith(FOR_EACH):
            return key.removeprefix("Fn::"), argument
        if key in ("Ref", "Condition") and isinstance(argument, Scalar):
            return key, argument
    return None


def _shown(value: Property) -> str:
    listed = value.value if isinstance(value, Known) and isinstance(value.value, tuple) else (value,)
    return ", ".join(spelled(item) for item in listed)


def _condition_text(value: Known[Any]) -> str:
    return str(value.value).lower() if isinstance(value.value, bool) else str(value.value)


def _has_placeholder(text: str) -> bool:
    """Whether *text* holds a dynamic reference (``{{resolve:ssm:…}}``), or a placeholder of some other tool."""
    start = text.find("{{")
    return start >= 0 and text.find("}}", start + 2) >= 0


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


_EMPTY: Final = Mapping({}, {}, Span.whole(""))

#: The functions that need more than their arguments' values.
_OWN: Final[dict[str, Callable[[Evaluator, Node, Span], Property | None]]] = {
    "Ref": Evaluator._ref,
    "GetAtt": Evaluator._get_att,
    "Sub": Evaluator._sub,
    "Join": Evaluator._join,
    "If": Evaluator._if,
    "FindInMap": Evaluator._find_in_map,
    "Condition": Evaluator._condition_value,
    "Transform": Evaluator._transform,
}
