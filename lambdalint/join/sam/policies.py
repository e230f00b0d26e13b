"""The ``Policies`` of SAM: managed policies by name, documents, and policy templates.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-templates.html
"""

from collections.abc import Mapping
from dataclasses import replace

from lambdalint.aws.sam import managed_policy_arn, policy_statements
from lambdalint.join.properties import items_of, properties_of
from lambdalint.join.sam.making import Making, RoleDraft
from lambdalint.model.values import Known, Property, Unknown


def add_policies(role: RoleDraft, written: Property | None, making: Making) -> None:
    """Add what the property ``Policies`` says to *role*."""
    if isinstance(written, Unknown):
        _add(role, written, 0, making)
    for number, policy in enumerate(items_of(written)):
        _add(role, policy, number, making)


def _add(role: RoleDraft, policy: Property, number: int, making: Making) -> None:
    name = f"{role.name.removeprefix(making.scope)}Policy{number}"
    converted = _converted(policy, name, making)
    worlds = converted.choices if isinstance(converted, Unknown) and converted.choices else (converted,)
    if any(properties_of(world) for world in worlds):
        role.policies.append(converted)
    else:
        role.attach(converted, policy.span)


def _converted(policy: Property | None, name: str, making: Making) -> Property:
    """*policy* as IAM has it: the ARN of a managed one, or a named document."""
    match policy:
        case Known(str() as managed):
            return replace(policy, value=managed_policy_arn(managed))
        case Known(Mapping() as content):
            document = policy if "Statement" in content else _expanded(policy, making)
            return Known({"PolicyName": Known(name, policy.span, False), "PolicyDocument": document}, policy.span)
        case Unknown(choices=choices) if choices:
            found = tuple(None if each is None else _converted(each, name, making) for each in choices)
            return replace(policy, choices=found)
        case Unknown() | Known():
            return policy
    raise AssertionError("an absent policy is not converted")


def _expanded(policy: Known[Mapping[str, Property]], making: Making) -> Property:
    """The document that a policy template stands for; a template that nobody knows is unknown."""
    if len(policy.value) == 1:
        ((template, parameters),) = policy.value.items()
        statements = policy_statements(template)
        if statements is not None:
            return making.made({"Statement": statements}, policy.span, properties_of(parameters))
    return Unknown(" ".join(policy.value), policy.span)
