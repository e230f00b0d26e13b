"""Which function makes which change of the structure of Python code."""

from lambdalint.engine.failure_edits import exception_hidden, failures_answered
from lambdalint.engine.module_edits import loaded_once
from lambdalint.engine.python_text import Code
from lambdalint.engine.record_edits import failures_collected, records_handled
from lambdalint.engine.statement_edits import (
    absent_read,
    cache_bounded,
    call_dropped,
    default_in_body,
    event_returned,
    import_moved,
    moved_into_function,
    paginated,
)
from lambdalint.engine.temporary_edits import temporary_used
from lambdalint.engine.waiter_edits import awaited_by_waiter
from lambdalint.model.changes import (
    AnswerFailures,
    AwaitByWaiter,
    BoundCache,
    Change,
    CollectFailures,
    DefaultInBody,
    DropCall,
    HandleRecords,
    HideException,
    LoadOnce,
    MoveImport,
    MoveIntoFunction,
    Paginate,
    ReadAbsent,
    ReturnEvent,
    UseTemporary,
)
from lambdalint.model.finding import Edit


def restructured(code: Code, change: Change) -> list[Edit] | None:
    """The edits that make *change*; ``None`` where the code is not as it has to be for that."""
    match change:
        case ReadAbsent():
            return absent_read(code, change)
        case ReturnEvent():
            return event_returned(code, change)
        case DropCall():
            return call_dropped(code, change)
        case MoveImport():
            return import_moved(code, change)
        case MoveIntoFunction():
            return moved_into_function(code, change)
        case DefaultInBody():
            return default_in_body(code, change)
        case BoundCache():
            return cache_bounded(code, change)
        case Paginate():
            return paginated(code, change)
        case UseTemporary():
            return temporary_used(code, change)
        case HandleRecords():
            return records_handled(code, change)
        case CollectFailures():
            return failures_collected(code, change)
        case HideException():
            return exception_hidden(code, change)
        case AnswerFailures():
            return failures_answered(code, change)
        case LoadOnce():
            return loaded_once(code, change)
        case AwaitByWaiter():
            return awaited_by_waiter(code, change)
        case _:
            return None
