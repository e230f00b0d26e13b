"""Gateway endpoints written into the template that declares the subnets, in the style that stands there."""

import json
import re
from typing import Final

from lambdalint.engine.text import Text
from lambdalint.errors import UnreadableInput
from lambdalint.model.changes import AddEndpoint
from lambdalint.model.document import Mapping, Node, Sequence
from lambdalint.model.finding import Edit
from lambdalint.readers.yaml import read_yaml

_IDS: Final = {"dynamodb": "DynamoDbEndpoint", "s3": "S3Endpoint"}
_RESOURCE: Final = re.compile(r'[ \t]*resource\s+"aws_subnet"')
_ADDRESS: Final = re.compile(r"(aws_\w+)\.([\w-]+)")


def endpoint_edit(text: Text, change: AddEndpoint) -> Edit | None:
    """The edit that declares the endpoint; ``None`` where the VPC or a table is declared elsewhere."""
    if text.path.endswith(".tf"):
        return _in_terraform(text, change)
    try:
        root = read_yaml(text.text, text.path)
    except UnreadableInput:
        return None
    resources = None if root is None else _around(root, change)
    name = _IDS.get(change.service)
    if resources is None or name is None or name in resources.items:
        return None
    if any(each not in resources.items for each in (change.vpc, *change.tables)):
        return None
    start = text.offset(change.at.line, change.at.column)
    if text.text.lstrip().startswith("{"):
        return text.edit(
            start, start, f"{json.dumps(name)}: {json.dumps(_declared(change))},\n{' ' * change.at.column}"
        )
    first = change.at.line
    if text.text[text.starts[first - 1] : start].strip():
        return None
    while first > 1 and text.text[text.starts[first - 2] :].lstrip(" ").startswith("#"):
        first -= 1
    rows = (
        f"{name}:",
        "  Type: AWS::EC2::VPCEndpoint",
        "  Properties:",
        f"    VpcId: !Ref {change.vpc}",
        f"    ServiceName: !Sub com.amazonaws.${{AWS::Region}}.{change.service}",
        f"    RouteTableIds: [{', '.join(f'!Ref {each}' for each in change.tables)}]",
    )
    start = text.starts[first - 1]
    return text.edit(start, start, "".join(f"{' ' * change.at.column}{row}\n" for row in rows))


def _declared(change: AddEndpoint) -> dict[str, object]:
    return {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "VpcId": {"Ref": change.vpc},
            "ServiceName": {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{change.service}"},
            "RouteTableIds": [{"Ref": each} for each in change.tables],
        },
    }


def _around(node: Node, change: AddEndpoint) -> Mapping | None:
    """The mapping that has a key where the subnet's name stands."""
    match node:
        case Mapping(items, keys):
            if change.at in keys.values():
                return node
            inner = list(items.values())
        case Sequence(listed):
            inner = list(listed)
        case _:
            return None
    return next((found for each in inner if (found := _around(each, change)) is not None), None)


def _in_terraform(text: Text, change: AddEndpoint) -> Edit | None:
    if not _RESOURCE.match(text.text, text.starts[change.at.line - 1]):
        return None
    if not all(_is_one(text.text, each) for each in (change.vpc, *change.tables)):
        return None
    if re.search(rf'"aws_vpc_endpoint(_service)?"\s+"{change.service}"', text.text):
        return None
    tables = ", ".join(f"{each}.id" for each in change.tables)
    code = f"""

data "aws_vpc_endpoint_service" "{change.service}" {{
  service      = "{change.service}"
  service_type = "Gateway"
}}

resource "aws_vpc_endpoint" "{change.service}" {{
  vpc_id          = {change.vpc}.id
  service_name    = data.aws_vpc_endpoint_service.{change.service}.service_name
  route_table_ids = [{tables}]
}}"""
    end = len(text.text.rstrip())
    return text.edit(end, end, code)


def _is_one(text: str, address: str) -> bool:
    """Whether *address* is that of a resource which *text* declares, and not of several."""
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        return False
    block = re.search(rf'^resource\s+"{parts[1]}"\s+"{parts[2]}"\s*\{{(.*?)^\}}', text, re.MULTILINE | re.DOTALL)
    return block is not None and re.search(r"^\s*(count|for_each)\s*=", block[1], re.MULTILINE) is None
