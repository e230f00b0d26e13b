"""Which functions of a template a value names."""

from collections.abc import Mapping
from typing import Final

from lambdalint.join.properties import reference_of, references
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Property

FUNCTIONS: Final = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_OTHER_NAMES: Final = ("AWS::Lambda::Alias", "AWS::Lambda::Version")


def function_of(value: Property | None, resources: Mapping[str, Resource]) -> str | None:
    """The one function that *value* is the name or the ARN of, directly or through an alias or a version."""
    found = functions_in(value, resources)
    if not found and isinstance(value, Known) and isinstance(value.value, str):
        found = _named(value.value, resources)
    return found.pop() if len(found) == 1 else None


def functions_in(value: Property | None, resources: Mapping[str, Resource]) -> set[str]:
    """The functions that are referred to anywhere in *value*."""
    names: set[str] = set()
    for reference in references(value):
        resource = resources.get(reference.resource)
        if resource and resource.type in _OTHER_NAMES:
            target = reference_of(resource.properties.get("FunctionName"))
            resource = resources.get(target.resource) if target else None
        if resource and resource.type in FUNCTIONS:
            names.add(resource.name)
    return names


def _named(text: str, resources: Mapping[str, Resource]) -> set[str]:
    """The functions that are given the name in *text*, which is a name or an ARN with an alias perhaps."""
    name = text.partition(":function:")[2] or text
    name = name.partition(":")[0]
    return {
        resource.name
        for resource in resources.values()
        if resource.type in FUNCTIONS
        and isinstance(given := resource.properties.get("FunctionName"), Known)
        and given.value == name
    }
