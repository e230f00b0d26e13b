"""What code knows of the end of its invocation."""

from lambdalint.facts.expressions import EventPath
from lambdalint.facts.path_calls import PathCalls


def knows_deadline(calls: PathCalls) -> bool:
    """Whether the context is asked for the time that is left, or the code runs in steps that are resumed."""
    return any(
        call.call.receiver == EventPath(context=True) or (call.name or "").startswith("aws_durable_execution")
        for call in calls.calls
    )
