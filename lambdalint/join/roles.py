"""The execution roles that a template declares, put together from all resources that add to them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from lambdalint.join.properties import items_of, properties_of, reference_of, references, text_of
from lambdalint.model.role import Role, Statement
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Property, Unknown

ROLE: Final = "AWS::IAM::Role"
MANAGED_POLICY: Final = "AWS::IAM::ManagedPolicy"
#: Policies that name the roles they belong to.
_ATTACHED: Final = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", MANAGED_POLICY)


_AWS_POLICY: Final = re.compile(r"arn:\$\{AWS::Partition\}:iam::aws:policy/(?P<name>[^${}]+)")


class Roles:
    """The roles among *resources*."""

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self._resources = resources
        self._made: dict[str, Role] = {}
        self._names: dict[str, str] = {}
        for resource in resources.values():
            if resource.type == ROLE and (name := text_of(resource.get("RoleName"))):
                self._names[name] = resource.name
        self._attached: dict[str, list[Resource]] = {}
        self._loose = False  # a policy that belongs to nobody knows which role may belong to any
        for resource in resources.values():
            if resource.type in _ATTACHED:
                self._attach(resource)

    def of(self, value: Property | None) -> Role | Unknown | None:
        """The role that the property ``Role`` of a function names.

        ``Unknown`` where the project does not declare it, or a condition chooses between several.
        """
        if value is None:
            return None
        name = self._named(value)
        if name is None:
            return value if isinstance(value, Unknown) else Unknown(str(value.value), value.span)
        if name not in self._made:
            self._made[name] = self._role(self._resources[name])
        return self._made[name]

    def _named(self, value: Property) -> str | None:
        """The resource of the role whose ARN or name *value* is."""
        if isinstance(value, Known):
            return self._names.get(str(value.value).rpartition("/")[2])
        found = {each.resource for each in references(value) if self._is_role(each.resource)}
        return found.pop() if len(found) == 1 and not value.choices else None

    def _is_role(self, name: str) -> bool:
        resource = self._resources.get(name)
        return resource is not None and resource.type == ROLE

    def _attach(self, policy: Resource) -> None:
        listed = policy.get("RoleName" if policy.type == "AWS::IAM::RolePolicy" else "Roles")
        if isinstance(listed, Unknown) and not self._named(listed):
            self._loose = True
        for item in (listed,) if isinstance(listed, Unknown) else items_of(listed):
            name = self._named(item)
            if name is not None:
                self._attached.setdefault(name, []).append(policy)
            elif isinstance(item, Unknown) and not item.refers:
                self._loose = True

    def _role(self, resource: Resource) -> Role:
        statements: list[Statement] = []
        listed = resource.get("ManagedPolicyArns")
        managed = tuple(map(_in_any_partition, items_of(listed)))
        complete = not isinstance(listed, Unknown) and not self._loose
        for item in managed:
            own = self._policy(item)
            if own is not None:
                statements += _statements(own.get("PolicyDocument"), own.name, conditional=own.condition is not None)
            complete = complete and (own is not None or isinstance(item, Known))
        inline = resource.get("Policies")
        for item, conditional in _alternatives(inline):
            policy = properties_of(item)
            name = text_of(policy.get("PolicyName")) or ""
            statements += _statements(policy.get("PolicyDocument"), name, conditional=conditional)
        for policy_resource in self._attached.get(resource.name, ()):
            conditional = policy_resource.condition is not None and policy_resource.condition != resource.condition
            document = policy_resource.get("PolicyDocument")
            statements += _statements(document, policy_resource.name, conditional=conditional)
            complete = complete and _is_plain(document)
        trusted = resource.get("AssumeRolePolicyDocument")
        return Role(
            name=resource.name,
            span=resource.span,
            managed=managed,
            statements=tuple(statements),
            trust=tuple(_statements(trusted, "")) if isinstance(trusted, Known) else None,
            boundary=resource.get("PermissionsBoundary"),
            complete=complete and _is_plain(inline),
            generated=resource.label is not None,
        )

    def _policy(self, item: Property) -> Resource | None:
        reference = reference_of(item)
        resource = self._resources.get(reference.resource) if reference else None
        return resource if resource is not None and resource.type == MANAGED_POLICY else None


def _in_any_partition(arn: Property) -> Property:
    """An ARN of AWS's policies without the partition, which is all that a template leaves open in most of them."""
    text = arn.expression.partition(" ")[2] if isinstance(arn, Unknown) and not arn.choices else ""
    found = _AWS_POLICY.fullmatch(text)
    return Known(f"arn:aws:iam::aws:policy/{found['name']}", arn.span) if found else arn


def _is_plain(value: Property | None) -> bool:
    """Whether all statements in *value* can be read: those of every world, where a condition chooses."""
    if isinstance(value, Unknown):
        return bool(value.choices) and all(map(_is_plain, value.choices))
    items = items_of(value)
    for item in items:
        if isinstance(item, Unknown):
            if not _is_plain(item):
                return False
            continue
        content = properties_of(item)
        for key in ("PolicyDocument", "Statement"):
            if key in content and not _is_plain(content[key]):
                return False
    return True


def _alternatives(value: Property | None) -> Iterator[tuple[Property, bool]]:
    """The items of *value*, and of all that a condition may put there; with whether one does."""
    worlds = value.choices if isinstance(value, Unknown) else (value,)
    for world in worlds:
        for item in items_of(world):
            if isinstance(item, Unknown):
                for choice in item.choices:
                    for each in items_of(choice):
                        yield each, True
            else:
                yield item, isinstance(value, Unknown)


def _statements(document: Property | None, policy: str, *, conditional: bool = False) -> Iterator[Statement]:
    for chosen_document, differs in _alternatives(document):
        listed = properties_of(chosen_document).get("Statement")
        for item, varies in _alternatives(listed):
            parts = properties_of(item)
            if not parts:
                continue
            yield Statement(
                span=item.span,
                effect=parts.get("Effect"),
                actions=_several(parts.get("Action")),
                not_actions=_several(parts.get("NotAction")),
                resources=_several(parts.get("Resource")),
                not_resources=_several(parts.get("NotResource")),
                principals=parts.get("Principal"),
                not_principals=parts.get("NotPrincipal"),
                conditions=parts.get("Condition"),
                sid=parts.get("Sid"),
                conditional=conditional or differs or varies,
                policy=policy,
            )


def _several(value: Property | None) -> tuple[Property, ...]:
    return (value,) if isinstance(value, Unknown) else items_of(value)
