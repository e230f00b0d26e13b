"""What a handler returns as ``batchItemFailures`` counts only if the mapping asks for it.

Without ``ReportBatchItemFailures`` in the mapping's FunctionResponseTypes a normal return means that the whole batch is
done: the records that the handler names as failed are deleted from the queue, or passed over in the stream.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from lambdalint.facts.batches import Batches
from lambdalint.rule import (
    Applicability,
    Dialect,
    Fix,
    Function,
    PerModule,
    Problem,
    Problems,
    Related,
    SetProperty,
    Severity,
    Trigger,
    TriggerKind,
    rule,
)
from lambdalint_rules.calls.mappings import DECLARED, REPORTING, STREAM, TEMPLATE, declares_failures

APP = """\
def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            work(record["body"])
        except Exception:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}

def work(body): ...
"""
POWERTOOLS = """\
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.KinesisDataStreams)

def handler(event, context):
    return process_partial_response(event=event, record_handler=work, processor=processor, context=context)

def work(record): ...
"""
QUIET = """\
def handler(event, context):
    for record in event["Records"]:
        print(record["body"])
    return {"statusCode": 200}
"""
RAISING = """\
def handler(event, context):
    for record in event["Records"]:
        work(record["body"])
    return {"batchItemFailures": []}

def work(body): ...
"""
MARKED = TEMPLATE.replace("Job:\n", "Job:  # finding\n")
MARKED_STREAM = STREAM.replace("Mapping:\n", "Mapping:  # finding\n")


@rule(
    "LE003",
    "undeclared-batch-failures",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {"template.yaml": MARKED, "src/app.py": APP},
        {"template.yaml": MARKED_STREAM, "src/app.py": POWERTOOLS},
    ),
    good=(
        {"template.yaml": DECLARED, "src/app.py": APP},
        {"template.yaml": TEMPLATE, "src/app.py": QUIET},
        {"template.yaml": TEMPLATE, "src/app.py": RAISING},
        {"template.yaml": DECLARED.replace("[ReportBatchItemFailures]", "!Ref Types"), "src/app.py": APP},
        {"template.yaml": STREAM.replace("arn:aws:kinesis", "arn:aws:mq"), "src/app.py": APP},
    ),
)
def check(trigger: Trigger, function: Function, batches: PerModule[Batches]) -> Problems:
    if trigger.kind not in REPORTING or declares_failures(trigger) is not False or function.target.scope_path is None:
        return
    module = batches.get(function.target.scope_path)
    for scope, span in module.reported if module else ():
        if scope == function.target.scope:
            lost = "deleted" if trigger.kind is TriggerKind.SQS else "passed over"
            yield Problem(
                trigger.span,
                f"{function.name} returns batchItemFailures; {trigger.name} does not ask for them, "
                f"so failed records are {lost}",
                related=(Related(span, "the failures are returned here"),),
                hint="let the mapping's response types hold ReportBatchItemFailures",
                fix=_asking(trigger, function.dialect),
            )
            return


def _asking(trigger: Trigger, dialect: Dialect) -> Fix:
    """The fix that lets the mapping ask for single failures, as its template says so."""
    if dialect is Dialect.SERVERLESS:
        change = SetProperty(trigger.span, ("functionResponseType",), "ReportBatchItemFailures")
    else:
        keys = ("Properties", "FunctionResponseTypes")
        change = SetProperty(trigger.span, keys, ("ReportBatchItemFailures",), attribute="function_response_types")
    return Fix("ask for ReportBatchItemFailures", Applicability.UNSAFE, changes=(change,))
