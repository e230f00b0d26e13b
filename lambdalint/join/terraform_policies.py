"""``data "aws_iam_policy_document"``: the policy that it writes.

Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

from collections.abc import Iterator, Mapping
from typing import Final

from lambdalint.join.properties import items_of, properties_of, text_of
from lambdalint.join.terraform_text import structure_of
from lambdalint.model.terraform import TerraformResource
from lambdalint.model.values import Known, Properties, Property, Unknown

DOCUMENT: Final = "aws_iam_policy_document"

#: Argument → element of a statement.
_ELEMENTS: Final = {
    "sid": "Sid",
    "effect": "Effect",
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
_PRINCIPALS: Final = {"principals": "Principal", "not_principals": "NotPrincipal"}
#: Documents built upon documents, as deep as they are followed.
_MAX_DEPTH: Final = 8


def is_policy_document(resource: TerraformResource) -> bool:
    """Whether *resource* writes a policy."""
    return resource.mode == "data" and resource.type == DOCUMENT


def policy_of(resource: TerraformResource, others: Mapping[str, TerraformResource], depth: int = 0) -> Property:
    """The policy that *resource* writes, with those of *others* that it builds upon.

    It is unknown where a statement is, or one that it is built upon: nobody can then say what it does not allow.
    """
    statements: list[Property] = []
    for name in ("source_policy_documents", "override_policy_documents", "source_json", "override_json"):
        if (listed := resource.attributes.get(name)) is None:
            continue
        if isinstance(listed, Unknown) or depth > _MAX_DEPTH:
            return Unknown(f"{resource.address}.json", resource.span)
        for item in items_of(listed):
            inner = _built_upon(item, others, depth)
            if inner is None:
                return Unknown(f"{resource.address}.json", resource.span)
            statements += items_of(properties_of(inner).get("Statement"))
    own = resource.attributes.get("statement")
    if isinstance(own, Unknown):
        return Unknown(f"{resource.address}.json", own.span)
    statements += [Known(statement_of(properties_of(item)), item.span) for item in items_of(own)]
    version = resource.attributes.get("version") or Known("2012-10-17", resource.span, stated=False)
    return Known({"Version": version, "Statement": Known(tuple(statements), resource.span)}, resource.span)


def _built_upon(value: Property, others: Mapping[str, TerraformResource], depth: int) -> Property | None:
    if isinstance(value, Unknown) and value.refers:
        source = others.get(value.refers.resource)
        if source is not None and is_policy_document(source):
            inner = policy_of(source, others, depth + 1)
            return inner if isinstance(inner, Known) else None
    structure = structure_of(value)
    return structure if isinstance(structure, Known) else None


def statement_of(attributes: Properties) -> dict[str, Property]:
    """The statement that a block of a policy document makes."""
    found = {name: attributes[key] for key, name in _ELEMENTS.items() if key in attributes}
    if (span := next((value.span for value in attributes.values()), None)) is not None:
        found.setdefault("Effect", Known("Allow", span, stated=False))
    for key, name in _PRINCIPALS.items():
        if (principals := attributes.get(key)) is not None:
            found[name] = _principals(principals)
    if (conditions := attributes.get("condition")) is not None:
        found["Condition"] = _conditions(conditions)
    return found


def _principals(value: Property) -> Property:
    if isinstance(value, Unknown):
        return value
    kinds: dict[str, list[Property]] = {}
    for item in items_of(value):
        block = properties_of(item)
        kind = text_of(block.get("type"))
        identifiers = block.get("identifiers")
        if kind is None or identifiers is None:
            return Unknown("principals", item.span)
        if kind == "*":
            return Known("*", identifiers.span)
        kinds.setdefault(kind, []).extend(items_of(identifiers) or (identifiers,))
    made = {kind: Known(tuple(listed), listed[0].span) for kind, listed in kinds.items()}
    if isinstance(value.value, tuple) and not made:
        return Unknown("principals", value.span)
    return Known(made, value.span)


def _conditions(value: Property) -> Property:
    if isinstance(value, Unknown):
        return value
    tests: dict[str, dict[str, Property]] = {}
    for name, variable, values in _tests(value):
        tests.setdefault(name, {})[variable] = values
    return Known({name: Known(made, value.span) for name, made in tests.items()}, value.span)


def _tests(value: Property) -> Iterator[tuple[str, str, Property]]:
    for item in items_of(value):
        block = properties_of(item)
        test, variable, values = text_of(block.get("test")), text_of(block.get("variable")), block.get("values")
        if test and variable and values is not None:
            yield test, variable, values
        else:
            yield "…", "…", Unknown("condition", item.span)
