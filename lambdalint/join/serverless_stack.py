"""The CloudFormation stack that the Serverless Framework compiles a service to, while it is being compiled."""

import re
from collections.abc import Mapping as Keyed
from dataclasses import dataclass, field
from typing import Any

from lambdalint.aws.serverless import role
from lambdalint.join.serverless_nodes import at, attribute, block, is_intrinsic, known, nested, several, text, texts
from lambdalint.model.document import Mapping, Node, Scalar
from lambdalint.model.function import TriggerKind
from lambdalint.model.places import Span


@dataclass(frozen=True, slots=True)
class Service:
    """What a service says, with its variables replaced.

    *name* and *stage* are nodes, for they may be hidden.  *folder* is where the service is.
    """

    path: str
    folder: str
    span: Span
    name: Node | None
    stage: Scalar
    provider: Node | None
    package: Node | None
    custom: Node | None
    plugins: frozenset[str]

    def own_name(self, key: str) -> str | None:
        """The name that the framework gives a thing of the service; ``None`` when it is not known."""
        name, stage = text(self.name), text(self.stage)
        return f"{name}-{stage}-{key}" if name and stage else None


@dataclass(frozen=True, slots=True)
class Called:
    """A trigger that is no resource of the stack: *settings* are for the evaluator."""

    kind: TriggerKind
    name: str
    function: str
    span: Span
    settings: Mapping
    source: str | None = None


@dataclass(slots=True)
class Stack:
    """Resources by logical name, and what they are to the functions.

    *kinds* are of the resources that trigger a function, where the event says so; *statements* and *policies* are what
    roles get besides what the service says, by the role's name.
    """

    service: Service
    resources: dict[str, Node] = field(default_factory=dict)
    names: dict[str, Span] = field(default_factory=dict)
    kinds: dict[str, TriggerKind] = field(default_factory=dict)
    called: list[Called] = field(default_factory=list)
    statements: dict[str, list[Node]] = field(default_factory=dict)
    policies: dict[str, list[Node]] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=dict)

    def add(
        self,
        name: str,
        kind: str,
        properties: Keyed[str, Any],
        span: Span,
        extent: Span | None = None,
        condition: Node | None = None,
    ) -> str:
        """Declare a resource; the name that it got, for one that is there already keeps its own."""
        unique = name
        while unique in self.resources:
            self._taken[name] = self._taken.get(name, 1) + 1
            unique = f"{name}{self._taken[name]}"
        extent = extent or span
        parts: dict[str, Node | None] = {
            "Type": known(kind, span),
            "Properties": nested(extent, properties),
            "Condition": condition,
        }
        self.resources[unique] = block(extent, parts)
        self.names[unique] = span
        return unique

    def once(self, name: str, kind: str, properties: Keyed[str, Any], span: Span) -> str:
        """Declare a resource that several things of the service share."""
        return name if name in self.resources else self.add(name, kind, properties, span)

    def allow(self, role_name: str | None, actions: tuple[str, ...], resource: Node, span: Span) -> None:
        """Let the role of that name do *actions* on *resource*; roles from elsewhere are left alone."""
        if role_name is not None and actions:
            self.statements.setdefault(role_name, []).append(statement(actions, resource, span))


@dataclass(frozen=True, slots=True)
class Compiled:
    """One function of the service on its way into the stack.

    *logical* is its name there, *role* that of the role which the framework makes for it, if it does.
    """

    key: str
    span: Span
    node: Mapping
    logical: str
    role: str | None

    def arn(self, span: Span) -> Node:
        """The function's ARN."""
        return attribute(self.logical, "Arn", span)


def permit(
    stack: Stack,
    function: Compiled,
    what: str,
    span: Span,
    principal: str,
    source: Node | None,
    **more: Node | None,
) -> None:
    """Add the statement that lets a service call the function; *what* sets its name apart from others."""
    properties = {
        "FunctionName": function.arn(span),
        "Action": known("lambda:InvokeFunction", span),
        "Principal": known(principal, span),
        "SourceArn": source,
        **more,
    }
    stack.add(f"{normalized(function.key)}LambdaPermission{what}", "AWS::Lambda::Permission", properties, span)


def statement(actions: tuple[str, ...], resource: Node, span: Span) -> Mapping:
    """A statement of a policy that allows *actions* on *resource*."""
    parts: dict[str, Node | None] = {
        "Effect": known("Allow", span),
        "Action": texts(span, *actions),
        "Resource": several(span, resource),
    }
    return block(span, parts)


def normalized(name: str) -> str:
    """*name* as the framework writes it in the logical name of a resource."""
    return _upper(name.replace("-", "Dash").replace("_", "Underscore"))


def alphanumeric(name: str) -> str:
    """*name* reduced to letters and digits, as in the logical names of buckets, topics and queues."""
    return _upper(re.sub(r"[^0-9A-Za-z]", "", name))


def path_part(path: str) -> str:
    """The path of an API as in the logical names of its methods."""
    parts = (re.sub(r"\{(.*)\}", r"\1Var", part.capitalize().replace("-", "Dash")) for part in path.split("/"))
    return "".join(alphanumeric(part) for part in parts)


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def function_name(key: str) -> str:
    """The logical name of a function."""
    return f"{normalized(key)}LambdaFunction"


def stated_role(service: Service, function: Node) -> Node | None:
    """The role that a function is told to take; ``None`` when the framework makes one."""
    own = at(function, "role")
    if own is not None:
        return own
    for_all = at(service.provider, "iam", "role")
    if for_all is not None and (not isinstance(for_all, Mapping) or is_intrinsic(for_all)):
        return for_all
    return at(service.provider, "role")


def made_role(service: Service, function: Node, key: str) -> str | None:
    """The name of the role that the framework makes for a function; ``None`` when it takes one that is stated."""
    if stated_role(service, function) is not None:
        return None
    own = at(function, "iamRoleStatements") or at(function, "iam", "role")
    if own is not None or text(at(service.provider, "iam", "role", "mode")) == "perFunction":
        return f"{normalized(key)}{role('name')}"
    return str(role("name"))
