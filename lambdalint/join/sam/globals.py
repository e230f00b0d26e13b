"""SAM's merge of ``Globals`` into a resource.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
"""

from dataclasses import dataclass

from lambdalint.aws.sam import global_properties, pruned_globals, replaced_globals
from lambdalint.join.intrinsics import Evaluator, intrinsic
from lambdalint.model.document import Mapping, Node, Scalar, Sequence
from lambdalint.model.places import Span


@dataclass(frozen=True, slots=True)
class Globals:
    """What the section ``Globals`` of a template says."""

    sections: Mapping

    @staticmethod
    def of(evaluator: Evaluator) -> "Globals":
        """The globals of a template."""
        return Globals(evaluator.section("Globals"))

    def merged(self, resource: Mapping, kind: str) -> Mapping:
        """The properties of *resource*, an ``AWS::Serverless::KIND``, with the globals that hold for it."""
        own = resource.items.get("Properties")
        properties = own if isinstance(own, Mapping) else Mapping({}, {}, resource.span)
        section = self.sections.items.get(kind)
        if not isinstance(section, Mapping):
            return properties
        supported = global_properties(kind) - _ignored(resource.items.get("IgnoreGlobals"), global_properties(kind))
        named = [key for key in section.items if key in supported]
        if not named:
            return properties
        base = Mapping({key: section.items[key] for key in named}, section.keys, section.span)
        found = _Merge(replaced_globals(kind), pruned_globals(kind)).of(base, properties, "")
        return found if isinstance(found, Mapping) else properties


def _ignored(written: Node | None, all_of_them: frozenset[str]) -> frozenset[str]:
    if isinstance(written, Scalar) and written.text == "*":
        return all_of_them
    items = written.items if isinstance(written, Sequence) else ()
    return frozenset(item.text for item in items if isinstance(item, Scalar))


@dataclass(frozen=True, slots=True)
class _Merge:
    replaced: frozenset[str]
    pruned: frozenset[str]

    def of(self, base: Node, own: Node, path: str) -> Node:
        """Mappings merge and lists are appended to one another; anything else, and every function, is overridden."""
        if path in self.replaced or intrinsic(base) or intrinsic(own):
            return own
        if isinstance(base, Sequence) and isinstance(own, Sequence):
            return Sequence(base.items + own.items, own.span)
        if not isinstance(base, Mapping) or not isinstance(own, Mapping):
            return own
        names = own.items if path in self.pruned else dict.fromkeys((*base.items, *own.items))
        items: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        for name in names:
            theirs, ours = base.items.get(name), own.items.get(name)
            if theirs is not None and ours is not None:
                items[name] = self.of(theirs, ours, f"{path}.{name}".lstrip("."))
            elif (value := theirs if ours is None else ours) is not None:
                items[name] = value
            keys[name] = base.keys[name] if ours is None else own.keys[name]
        return Mapping(items, keys, own.span)
