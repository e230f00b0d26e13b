"""An operation that answers in pages gives the first one, and nobody asks for the rest.

What is small in a test has one page.  Later the list ends early, without any error: keys are not deleted, users not
told, totals too low.

Source: https://docs.aws.amazon.com/boto3/latest/guide/paginators.html
"""

import re
from typing import Final

from lambdalint.aws.sdk import Paginated, paginated
from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import Literal
from lambdalint.facts.sdk_results import SdkResults
from lambdalint.rule import Applicability, Confidence, Fix, Module, Paginate, Problem, Problems, Severity, rule

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.13}
"""
BAD: Final = """\
import boto3

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    found = s3.list_objects_v2(Bucket="pictures", Prefix=event["prefix"])  # finding
    for each in found.get("Contents", []):
        print(each["Key"])
    return total(event)

def total(event):
    response = table.scan(Limit=500)  # finding
    items = response["Items"]
    return sum(item["total"] for item in items)
"""
GOOD: Final = """\
import boto3
from boto3.dynamodb.conditions import Key

s3 = boto3.client("s3")
logs = boto3.client("logs")
rds = boto3.client("rds")
iam = boto3.client("iam")
table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="pictures"):
        print(len(page["Contents"]))
    if s3.list_objects_v2(Bucket="pictures", Prefix=event["prefix"]).get("Contents"):
        print("there is something")
    latest = table.query(KeyConditionExpression=Key("id").eq(event["id"]), Limit=1)["Items"]
    newest = logs.describe_log_streams(logGroupName="orders")["logStreams"][0]
    for instance in rds.describe_db_instances(DBInstanceIdentifier=event["db"])["DBInstances"]:
        print(instance)
    for each in s3.list_objects_v2(Bucket="pictures")["Contents"][:10]:
        print(each)
    for group in iam.list_groups_for_user(UserName=event["user"])["Groups"]:
        print(group)
    return [*latest, newest, *everything()]

def everything():
    options, items = {}, []
    while True:
        response = table.scan(**options)
        items.extend(response["Items"])
        if "LastEvaluatedKey" not in response:
            return items
        options["ExclusiveStartKey"] = response["LastEvaluatedKey"]

def first_page():
    return s3.list_objects_v2(Bucket="pictures")
"""

#: What one page holds at most, where that is the same for all who ask.
#:
#: Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
#: Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
_PAGES: Final = {
    "list_objects": "1,000 keys",
    "list_objects_v2": "1,000 keys",
    "list_object_versions": "1,000 versions",
    "query": "1 MB",
    "scan": "1 MB",
}
_BY_CLIENT: Final = r"boto3\.(?:Session\(\)\.|session\.Session\(\)\.)?client\([\w-]+\)\.\w+"
_BY_TABLE: Final = r"boto3\.(?:Session\(\)\.|session\.Session\(\)\.)?resource\(dynamodb\)\.Table\(\)\.\w+"
#: A limit so low that nobody can have meant everything.
_FEW: Final = 10
#: What gives all, or nearly so, to those who do not ask for less; ``None`` for most operations of a service.
#:
#: Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
#: Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination
_GENEROUS: Final = frozenset(
    (
        ("ec2", None),
        ("s3", "list_buckets"),
        # Of these a user, group or role may have fewer than the 100 of a page.
        # Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        ("iam", "list_access_keys"),
        ("iam", "list_attached_group_policies"),
        ("iam", "list_attached_role_policies"),
        ("iam", "list_attached_user_policies"),
        ("iam", "list_groups_for_user"),
        ("iam", "list_mfa_devices"),
        ("iam", "list_policy_versions"),
        ("iam", "list_role_tags"),
        ("iam", "list_signing_certificates"),
        ("iam", "list_ssh_public_keys"),
        ("iam", "list_user_tags"),
    )
)


@rule(
    "LT008",
    "missing-pagination",
    severity=Severity.WARNING,
    fix="unsafe",
    since="0.1.0",
    covers=("sonar:S7622", "codeguru:missing-pagination"),
    bad={"template.yaml": TEMPLATE, "src/app.py": BAD},
    good={"template.yaml": TEMPLATE, "src/app.py": GOOD},
)
def check(module: Module, calls: Calls, results: SdkResults) -> Problems:
    if not results.results:
        return
    for call in calls.calls:
        result = results.results.get(call.lines)
        page = paginated(result.service, result.operation) if result else None
        if result is None or page is None or result.escapes:
            continue
        if not _GENEROUS.isdisjoint(((result.service, result.operation), (result.service, None))):
            continue
        lists = [each for each in page.lists if each in result.used]
        if not lists or result.read & page.tokens or call.may_have_more or _asks_for_less(call, page):
            continue
        operation = result.operation
        most = _PAGES.get(operation)
        size = f"at most {most}" if most else f"one page of {lists[0]}"
        yield Problem(
            call.span,
            f"{operation} returns {size}; the rest is never read",
            hint=f'go through client.get_paginator("{operation}").paginate(…), or ask again with the token',
            confidence=Confidence.MEDIUM if operation == "query" else None,
            fix=_paging(call, operation) if set(lists) == result.read else None,
        )


def _paging(call: Call, operation: str) -> Fix | None:
    """The fix that gets all pages, where code asks a client for nothing but what goes on with the next one."""
    by_client, by_table = (re.fullmatch(each, call.name or "") for each in (_BY_CLIENT, _BY_TABLE))
    if call.awaited or not (by_client or by_table):
        return None
    change = Paginate(call.span, operation, by_table=bool(by_table))
    return Fix("get all pages", Applicability.UNSAFE, changes=(change,))


def _asks_for_less(call: Call, page: Paginated) -> bool:
    """Whether the call wants one page: a later one, a short one, or things that it names."""
    if not page.tokens.isdisjoint(call.keywords):
        return True
    limit = call.keywords.get(page.limit)
    if limit is not None:
        value = limit.value if isinstance(limit, Literal) else None
        return not str(value).isdecimal() or int(str(value)) <= _FEW
    return any(_names_things(keyword, page) for keyword in call.keywords)


def _names_things(keyword: str, page: Paginated) -> bool:
    """Whether *keyword* picks single ones of what is listed: ``DBInstanceIdentifier`` of ``DBInstances``."""
    asked = keyword.lower()
    if asked in ("names", "ids", "arns", "name", "id", "arn"):
        return True
    things = (each.lower() for each in page.lists)
    singular = {each.removesuffix("list").removesuffix("summaries").removesuffix("s") for each in things}
    return any(each and asked.startswith(each) for each in singular)
