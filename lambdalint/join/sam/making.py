"""Resources that the SAM transform makes of others."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha1
from typing import Final

from lambdalint.aws.sam import managed_policy_arn
from lambdalint.join.intrinsics import Evaluator
from lambdalint.join.texts import made
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node
from lambdalint.model.function import Trigger
from lambdalint.model.places import Span
from lambdalint.model.template import Resource, Template
from lambdalint.model.values import Known, Properties, Property, Unknown

ROLE: Final = "AWS::IAM::Role"
PERMISSION: Final = "AWS::Lambda::Permission"
QUEUE: Final = "AWS::SQS::Queue"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a resource is made of: the place and the name that somebody wrote, and the condition it depends on."""

    span: Span
    extent: Span
    label: str
    condition: str | None = None


class Making:
    """What becomes of one template, while it becomes it."""

    def __init__(self, template: Template, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.resources: dict[str, Resource] = dict(template.resources)
        self.triggers: list[Trigger] = []
        self.implicit: dict[str, Origin] = {}

    @property
    def scope(self) -> str:
        """What goes before the names of this template's resources."""
        return self.evaluator.outside.scope

    def node(self, name: str, *keys: str) -> Node | None:
        """What is written at *keys* of the resource *name*."""
        found: Node | None = self.evaluator.resources.items.get(name.removeprefix(self.scope))
        for key in keys:
            found = found.items.get(key) if isinstance(found, Document) else None
        return found

    def reference(self, name: str, span: Span, attribute: str | None = None) -> Unknown:
        """A reference to the resource *name*."""
        return self.evaluator.reference(name.removeprefix(self.scope), span, attribute)

    def made(self, value: object, span: Span, own: Mapping[str, Property | None] | None = None) -> Property:
        """Plain data as a property, the names in its texts being those of *own* or of the template."""
        names = dict(own or {})
        return made(value, lambda text, at: self.evaluator.text(text, at, names), span)

    def add(
        self,
        origin: Origin,
        name: str,
        kind: str,
        properties: Mapping[str, object],
        own: Mapping[str, Property | None] | None = None,
    ) -> Resource:
        """A new resource; properties that are ``None`` are absent."""
        span = origin.span
        content: Properties = {
            key: self.made(value, span, own) for key, value in properties.items() if value is not None
        }
        resource = Resource(name, kind, content, span, origin.extent, origin.condition, {}, origin.label)
        self.resources[name] = resource
        return resource

    def retyped(self, resource: Resource, kind: str, properties: Mapping[str, Property | None]) -> Resource:
        """*resource* as one of CloudFormation's."""
        known = {key: value for key, value in properties.items() if value is not None}
        found = replace(resource, type=kind, properties=known)
        self.resources[resource.name] = found
        return found


@dataclass(slots=True)
class RoleDraft:
    """An execution role that is being put together."""

    name: str
    managed: list[Property] = field(default_factory=list)
    policies: list[Property] = field(default_factory=list)
    _said: set[Hashable] = field(default_factory=set)

    def attach(self, policy: str | Property, span: Span) -> None:
        """Add a managed policy, by name or ARN, unless it is there."""
        arn: Property = Known(managed_policy_arn(policy), span, stated=False) if isinstance(policy, str) else policy
        if self._is_new(arn):
            self.managed.append(arn)

    def allow(self, making: Making, name: str, statements: list[dict[str, object]], span: Span) -> None:
        """Add an inline policy, unless one says the same."""
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
        if self._is_new(making.made(document, span)):
            self.policies.append(making.made({"PolicyName": name, "PolicyDocument": document}, span))

    def _is_new(self, said: Property) -> bool:
        content = _content(said)
        new = content not in self._said
        self._said.add(content)
        return new


def is_same(one: Property | None, other: Property | None) -> bool:
    """Whether both say the same, wherever they say it."""
    return _content(one) == _content(other)


def _content(value: Property | None) -> Hashable:
    """What *value* says, without the places."""
    match value:
        case Known(Mapping() as items):
            return frozenset((key, _content(item)) for key, item in items.items())
        case Known(tuple() as items):
            return tuple(map(_content, items))
        case Known(plain):
            return (type(plain), plain)
        case Unknown(expression=expression, refers=reference):
            return (Unknown, expression, reference)
    return None


def trust(service: str) -> dict[str, object]:
    """The document that lets a *service* assume a role."""
    statement = {"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": [service]}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def digest(text: str) -> str:
    """What SAM appends to a name so that it differs with *text*."""
    return sha1(text.encode(errors="replace"), usedforsecurity=False).hexdigest()[:10] if text else ""
