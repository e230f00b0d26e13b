"""Read operations, waiters and results off botocore's models, and write ``lambdalint/aws/sdk*.json`` anew.

python -m benchmarks.sdk_tables
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[1] / "lambdalint" / "aws"

#: The services that the code of functions calls.
SERVICES: Final = """
acm apigateway apigatewayv2 appconfigdata application-autoscaling athena autoscaling backup batch bedrock
bedrock-agent bedrock-agent-runtime bedrock-runtime ce cloudformation cloudfront cloudtrail cloudwatch codebuild
codecommit codedeploy codepipeline cognito-identity cognito-idp comprehend config dms dynamodb ec2 ecr ecs efs eks
elasticache elbv2 emr events firehose glue guardduty iam iot iot-data kinesis kms lambda logs mediaconvert opensearch
organizations polly pricing rds rds-data redshift redshift-data rekognition resourcegroupstaggingapi route53 s3
sagemaker sagemaker-runtime scheduler secretsmanager securityhub servicediscovery ses sesv2 sns sqs ssm stepfunctions
sts textract transcribe translate wafv2
"""

_BATCH: Final = re.compile(r"batch|PutRecords|PutEvents|DeleteObjects")
_UNPROCESSED: Final = re.compile(r"unprocessed\w*", re.IGNORECASE)
_FAILED: Final = re.compile(r"unprocessed\w*|failed\w*|failures|errors|errorentries", re.IGNORECASE)
_READS: Final = re.compile(r"(?:Batch)?(?:Get|Describe|Check|List)")
_MAX_DEPTH: Final = 4


def tables() -> tuple[dict[str, Any], dict[str, Any]]:
    """What is to be said of the operations, and which parts of their results ``json`` cannot write."""
    import botocore.session

    session = botocore.session.get_session()
    paginated, batches, waiters, states, undumpable = {}, {}, {}, {}, {}
    for service in SERVICES.split():
        model = session.get_service_model(service)
        paginated[service] = dict(_paginated(session, service, model))
        batches[service] = dict(_batches(model))
        waiters[service] = dict(_waiters(session, service))
        states[service] = dict(_states(session, service))
        undumpable[service] = dict(_undumpable(model))
    said = {"source": f"botocore {version('botocore')}", "as_of": datetime.now(UTC).date().isoformat()}
    operations = {
        **said,
        "paginated": _filled(paginated),
        "batches": _filled(batches),
        "waiters": _filled(waiters),
        "states": _filled(states),
    }
    return operations, {**said, "undumpable": _filled(undumpable)}


def _filled(found: Mapping[str, Any]) -> dict[str, Any]:
    return {service: each for service, each in found.items() if each}


def _loaded(session: Any, service: str, kind: str) -> dict[str, Any]:
    from botocore.exceptions import UnknownServiceError

    try:
        found: dict[str, Any] = session.get_component("data_loader").load_service_model(service, kind)
    except UnknownServiceError:
        return {}
    return found


def _snake(name: str) -> str:
    from botocore import xform_name

    return str(xform_name(name))


def _paginated(session: Any, service: str, model: Any) -> Iterator[tuple[str, str]]:
    """By operation the names of its tokens, of its limit and of the lists in its result, separated by bars."""
    for name, row in sorted(_loaded(session, service, "paginators-1").get("pagination", {}).items()):
        output = model.operation_model(name).output_shape
        members = output.members if output is not None else {}
        lists = [each for each in _heads(row.get("result_key", ())) if each in members]
        lists = [each for each in lists if members[each].type_name in ("list", "map", "structure")]
        tokens = [*_heads(row["input_token"]), *_heads(row["output_token"]), *_heads(row.get("more_results", ()))]
        tokens = [each for each in dict.fromkeys(tokens) if each not in lists]
        if lists:
            yield _snake(name), "|".join((" ".join(tokens), row.get("limit_key", ""), " ".join(lists)))


def _heads(expressions: Any) -> list[str]:
    """The members of a result that expressions of JMESPath begin with."""
    found = []
    for expression in [expressions] if isinstance(expressions, str) else expressions:
        found += [re.split(r"[.\[]", each.strip())[0] for each in expression.split("||")]
    return list(dict.fromkeys(found))


def _batches(model: Any) -> Iterator[tuple[str, str]]:
    """By operation on many things the members of its result that tell of those which failed.

    A read that leaves something out shows it, unless what is left out was merely not processed.
    """
    for name in model.operation_names:
        output = model.operation_model(name).output_shape
        if output is None or not _BATCH.search(name.replace("Batch", "batch")):
            continue
        pattern = _UNPROCESSED if _READS.match(name) else _FAILED
        failed = [each for each in output.members if pattern.fullmatch(each)]
        if failed:
            yield _snake(name), " ".join(failed)


def _waiters(session: Any, service: str) -> Iterator[tuple[str, list[int]]]:
    """By waiter the seconds between two attempts and how many there are."""
    for name, row in sorted(_loaded(session, service, "waiters-2").get("waiters", {}).items()):
        yield _snake(name), [row["delay"], row["maxAttempts"]]


def _states(session: Any, service: str) -> Iterator[tuple[str, str]]:
    """By waiter its operation, and the one value that ends it with where that stands in the answer."""
    for name, row in sorted(_loaded(session, service, "waiters-2").get("waiters", {}).items()):
        good = [each for each in row["acceptors"] if each["state"] == "success"]
        if len(good) == 1 and good[0]["matcher"] in ("path", "pathAll") and isinstance(good[0]["expected"], str):
            path = good[0]["argument"]
            if re.fullmatch(r"\w+(\[\])?(\.\w+(\[\])?)*", path):
                yield _snake(name), "|".join((_snake(row["operation"]), path, good[0]["expected"]))


def _undumpable(model: Any) -> Iterator[tuple[str, str]]:
    """By operation the members of its result that hold times, or bytes that are always there."""
    for name in model.operation_names:
        output = model.operation_model(name).output_shape
        members = output.members.items() if output is not None else ()
        found = [each for each, shape in members if shape.type_name == "blob" or _has_time(shape, ())]
        if found:
            yield _snake(name), " ".join(found)


def _has_time(shape: Any, around: tuple[str, ...]) -> bool:
    if shape.name in around or len(around) > _MAX_DEPTH:
        return False
    match shape.type_name:
        case "timestamp":
            return True
        case "list":
            return _has_time(shape.member, (*around, shape.name))
        case "map":
            return _has_time(shape.value, (*around, shape.name))
        case "structure":
            is_union = getattr(shape, "is_tagged_union", False)
            return not is_union and any(_has_time(each, (*around, shape.name)) for each in shape.members.values())
        case _:
            return False


def main() -> None:
    """Write both tables."""
    for name, found in zip(("sdk", "sdk_times"), tables(), strict=True):
        lines = []
        for key, value in found.items():
            if isinstance(value, str):
                lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
            else:
                rows = [f"  {json.dumps(service)}: {json.dumps(each)}" for service, each in value.items()]
                lines.append(f"{json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n}")
        (FOLDER / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
