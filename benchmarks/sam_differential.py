"""Compare how lambdalint reads SAM with what AWS's own transform makes of it.

    python -m benchmarks.sam_differential PATH [--show REASON]

PATH is a template, or a folder of them such as ``tests/translator/input`` of aws/serverless-application-model.  Each is
read twice: by lambdalint as SAM, and as the CloudFormation that aws-sam-translator makes of it.  Functions with their
properties, event source mappings, permissions, roles with their policies, and triggers are compared; what differs is
grouped by its reason.  Exits with 1 when a difference has none.
"""

import argparse
import json
import logging
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from lambdalint.errors import LambdalintError
from lambdalint.join.cloudformation import Declared
from lambdalint.join.inputs import Inputs
from lambdalint.join.roles import Roles
from lambdalint.join.stacks import declare_document
from lambdalint.model.document import Mapping as Document
from lambdalint.model.role import Role
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Property, Unknown
from lambdalint.readers.json import read_json
from lambdalint.readers.tree import MemoryTree
from lambdalint.readers.yaml import read_yaml

#: Values that the project's own tests give to parameters.
PARAMETERS: Final = {"param1": "value1", "param2": "value2"}
REGION: Final = "eu-central-1"

#: Types whose resources are compared property by property.
COMPARED: Final = {
    "AWS::Lambda::Function": "function",
    "AWS::Lambda::EventSourceMapping": "mapping",
    "AWS::Lambda::Permission": "permission",
    "AWS::Lambda::Alias": "alias",
    "AWS::Lambda::Url": "url",
    "AWS::Lambda::EventInvokeConfig": "invoke config",
}

#: Resources whose logical names end in a digest of their content.
_DIGESTED: Final = ("AWS::Lambda::Version", "AWS::Lambda::LayerVersion", "AWS::ApiGateway::Deployment")
_DIGEST: Final = re.compile(r"[0-9a-f]{10}$")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same: *ours* or *theirs* is ``None`` where one side has none."""

    template: str
    kind: str
    name: str
    path: str
    ours: Any
    theirs: Any

    def __str__(self) -> str:
        where = f"{self.template}: {self.kind} {self.name}{f' {self.path}' if self.path else ''}"
        return f"{where}\n    ours   {_short(self.ours)}\n    theirs {_short(self.theirs)}"


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) < 300 else f"{text[:300]}…"


class Refused(Exception):
    """The translator does not take the template."""


def translated(text: str) -> dict[str, Any]:
    """What AWS's transform makes of a template.

    Raises:
        Refused: it does not take it.
    """
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    logging.disable(logging.WARNING)

    class Policies:
        def load(self) -> dict[str, str]:
            return {}

    application = "samtranslator.plugins.application.serverless_app_plugin.ServerlessAppPlugin._sar_service_call"
    with (
        patch.dict(os.environ, {"AWS_DEFAULT_REGION": REGION}),
        patch(application, lambda *_: {"Status": "ACTIVE", "TemplateUrl": "https://example.com/template"}),
    ):
        try:
            found: dict[str, Any] = transform(yaml_parse(text), dict(PARAMETERS), Policies())
        except InvalidDocumentException as error:
            raise Refused(error.message) from error
        except Exception as error:  # the translator has no other word for templates that nobody could deploy
            raise Refused(repr(error)) from error
    return found


def declared_sam(text: str, name: str) -> Declared:
    """What lambdalint reads in a SAM template."""
    document = read_json(text, name) if text.lstrip()[:1] == "{" else read_yaml(text, name)
    assert isinstance(document, Document)
    return declare_document(document, name, MemoryTree({}), Inputs(PARAMETERS))


def declared_cloudformation(template: Mapping[str, Any], name: str) -> Declared:
    """What lambdalint reads in CloudFormation."""
    document = read_json(json.dumps(template, default=str), name)
    assert isinstance(document, Document)
    return declare_document(document, name, MemoryTree({}), Inputs(PARAMETERS))


def differences(text: str, name: str) -> list[Difference]:
    """What lambdalint reads in a SAM template, against what it reads in the translation.

    Raises:
        Refused: the translator does not take the template.
        LambdalintError: lambdalint does not.
    """
    theirs = _View.of(declared_cloudformation(translated(text), name))
    ours = _View.of(declared_sam(text, name))
    return [
        Difference(name, kind, each, path, one, other)
        for kind in sorted(ours.things.keys() | theirs.things.keys())
        for each, path, one, other in _compared(kind, ours.things.get(kind, {}), theirs.things.get(kind, {}))
    ]


def _compared(kind: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            yield name, "", ours.get(name), theirs.get(name)
            continue
        one, other = ours[name], theirs[name]
        if kind == "triggers" and one != other:
            yield name, "", one, other
            continue
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) != other.get(key):
                yield name, key, one.get(key), other.get(key)


@dataclass(frozen=True, slots=True)
class _View:
    """What is compared, by kind and logical name, as plain data."""

    things: dict[str, dict[str, dict[str, Any]]]

    @staticmethod
    def of(declared: Declared) -> "_View":
        resources = declared.template.resources
        names = dict(_undigested(resources))
        things: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        roles = Roles(resources)
        for resource in resources.values():
            name = names.get(resource.name, resource.name)
            if resource.type in COMPARED:
                properties = {key: _plain(value, names) for key, value in resource.properties.items()}
                things[COMPARED[resource.type]][name] = {**properties, "Condition": resource.condition}
            elif resource.type == "AWS::IAM::Role":
                role = roles.of(Unknown("", resource.span, None, tuple(_itself(resource))))
                if isinstance(role, Role):
                    things["role"][name] = _role(role, names)
        for function in declared.functions:
            found = Counter(each.kind.value for each in declared.triggers if each.function == function.name)
            things["triggers"][function.name] = dict(found)
        return _View(things)


def _itself(resource: Resource) -> Iterator[Any]:
    from lambdalint.model.values import Reference

    yield Reference(resource.name, "Arn")


def _role(role: Role, names: Mapping[str, str]) -> dict[str, Any]:
    statements = sorted(
        json.dumps(
            [
                _plain(each.effect, names),
                sorted(str(_plain(action, names)) for action in each.actions),
                sorted(str(_plain(item, names)) for item in each.resources),
                _plain(each.conditions, names),
            ],
            sort_keys=True,
            default=str,
        )
        for each in role.statements
    )
    return {
        "managed": sorted(str(_plain(each, names)) for each in role.managed),
        "statements": statements,
        "boundary": _plain(role.boundary, names),
        "trust": [_plain(each.principals, names) for each in role.trust or ()],
    }


def _undigested(resources: Mapping[str, Resource]) -> Iterator[tuple[str, str]]:
    for resource in resources.values():
        if resource.type in _DIGESTED and resource.label is None:
            found = _plain(resource.get("FunctionName"), {})
            if resource.type == "AWS::Lambda::Version" and isinstance(found, str):
                yield resource.name, f"{found.removeprefix('→')}Version"
            else:
                yield resource.name, _DIGEST.sub("", resource.name)


def _plain(value: Property | None, names: Mapping[str, str]) -> Any:
    """A property as plain data: a reference is an arrow and a name."""
    match value:
        case Known(Mapping() as items):
            return {key: _plain(item, names) for key, item in items.items()}
        case Known(tuple() as items):
            return [_plain(item, names) for item in items]
        case Known(plain):
            return plain
        case Unknown(refers=reference) if reference is not None:
            name = names.get(reference.resource, reference.resource)
            return f"→{name}.{reference.attribute}" if reference.attribute else f"→{name}"
        case Unknown(choices=choices) if choices:
            return {"choices": sorted((_plain(each, names) for each in choices), key=str)}
        case Unknown(expression=expression):
            for digested, name in names.items():
                expression = expression.replace(digested, name)
            return expression
    return None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something may differ, and how to tell."""

    text: str
    holds: Callable[[Difference], bool]


_APIS: Final = ("rest-api", "http-api")


def _is_unlisted_policy(found: Difference) -> bool:
    def arns(names: list[str]) -> list[str]:
        return sorted(name if ":" in name else f"arn:aws:iam::aws:policy/{name}" for name in names)

    return found.kind == "role" and found.path == "managed" and arns(found.ours) == arns(found.theirs)


def _only_of_apis(found: Difference) -> bool:
    if found.kind != "triggers" or not isinstance(found.ours, dict) or not isinstance(found.theirs, dict):
        return False
    more = {kind: count - found.theirs.get(kind, 0) for kind, count in found.ours.items()}
    fewer = found.theirs.keys() - found.ours.keys()
    return not fewer and all(count >= 0 if kind in _APIS else count == 0 for kind, count in more.items())


def _is_hidden_source(found: Difference) -> bool:
    if found.kind != "triggers" or not isinstance(found.ours, dict) or not isinstance(found.theirs, dict):
        return False
    same = all(found.ours.get(kind, 0) == found.theirs.get(kind, 0) for kind in _APIS)
    fewer = found.theirs.get("other", 0) - found.ours.get("other", 0)
    return same and fewer > 0 and sum(found.ours.values()) == sum(found.theirs.values())


def _is_stage_variable(found: Difference) -> bool:
    if found.kind != "triggers" or not isinstance(found.ours, dict) or not isinstance(found.theirs, dict):
        return False
    rest = {kind: count for kind, count in found.theirs.items() if kind != "other"}
    return "other" not in found.ours and _only_of_apis(replace(found, theirs=rest))


def _is_http_event_of_rest_api(found: Difference) -> bool:
    return found.kind == "triggers" and (found.ours, found.theirs) == ({"http-api": 2}, {"rest-api": 2})


#: Differences that are meant.
REASONS: Final[tuple[Reason, ...]] = (
    Reason(
        "a managed policy that the translator does not list: its ARN is looked up on deployment, we take the usual one",
        _is_unlisted_policy,
    ),
    Reason(
        "an event says that an API calls the function; the API's definition is elsewhere or says nothing of the path, "
        "or a condition that never holds takes the path away",
        _only_of_apis,
    ),
    Reason("the ARN of the source does not show what it is; the event's type does", _is_hidden_source),
    Reason("a stage variable names the function, which plain CloudFormation does not explain", _is_stage_variable),
    Reason("an event for an HTTP API names a REST API", _is_http_event_of_rest_api),
)


def reason_of(difference: Difference) -> str | None:
    """Why it differs; ``None`` when nobody knows."""
    return next((reason.text for reason in REASONS if reason.holds(difference)), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--show", metavar="TEXT", help="show the differences whose reason has this in it")
    options = parser.parse_args()
    paths = sorted(options.path.glob("*.y*ml")) if options.path.is_dir() else [options.path]
    counts: Counter[str] = Counter()
    grouped: dict[str, list[Difference]] = defaultdict(list)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        try:
            found = differences(text, path.name)
        except Refused:
            counts["templates that the translator refuses"] += 1
            continue
        except LambdalintError as error:
            counts["templates that lambdalint refuses"] += 1
            print(f"{path.name}: {error.message}")
            continue
        counts["templates compared"] += 1
        counts["templates without a difference"] += not found
        for difference in found:
            grouped[reason_of(difference) or ""].append(difference)
    for name, count in counts.items():
        print(f"{count:6,} {name}")
    for reason, found in sorted(grouped.items(), key=lambda item: -len(item[1])):
        print(f"{len(found):6,} {reason or 'differences without a reason'}")
        if not reason or (options.show and options.show in reason):
            for difference in found:
                print(f"  {difference}")
    return 1 if grouped.get("") else 0


if __name__ == "__main__":
    sys.exit(main())
