"""Lambda has no POSIX semaphores: what of ``multiprocessing`` needs one fails with ``OSError: [Errno 38]``.

Pools, queues, locks and events do, and so do pools of threads that ``multiprocessing`` makes; there is no ``/dev/shm``
to make one in.  Processes, pipes, managers, raw values and the thread pools of ``concurrent.futures`` work.  On a
developer's machine all of them do.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from typing import Final

from lambdalint.facts.expressions import Literal
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.rule import Function, Problem, Problems, Severity, rule
from lambdalint_rules.handler.samples import orders

#: Read off CPython 3.11 with a semaphore that cannot be made.
_OF_A_CONTEXT: Final = (
    "Array",
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Event",
    "JoinableQueue",
    "Lock",
    "Pool",
    "Queue",
    "RLock",
    "Semaphore",
    "SimpleQueue",
    "Value",
)
_NEEDING: Final = frozenset(
    (
        *(f"multiprocessing.{name}" for name in _OF_A_CONTEXT),
        *(f"multiprocessing.get_context().{name}" for name in _OF_A_CONTEXT),
        "concurrent.futures.ProcessPoolExecutor",
        "concurrent.futures.process.ProcessPoolExecutor",
        "loky.ProcessPoolExecutor",
        "loky.get_reusable_executor",
        "multiprocessing.dummy.Pool",
        "multiprocessing.pool.Pool",
        "multiprocessing.pool.ThreadPool",
        "pandarallel.pandarallel.initialize",
    )
)
_CAUGHT: Final = frozenset(("BaseException", "Exception", "ImportError", "NotImplementedError", "OSError"))


@rule(
    "LS006",
    "multiprocessing-semaphore",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        orders("""\
import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import ThreadPool

lock = mp.Lock()  # finding
count = mp.Value("i", 0)  # finding

def handler(event, context):
    with mp.Pool(4) as pool:  # finding
        pool.map(work, event["orders"])
    with ProcessPoolExecutor() as executor:  # finding
        list(executor.map(work, event["orders"]))
    results = mp.get_context("spawn").Queue()  # finding
    return ThreadPool(4).map(work, results)  # finding

def work(order): ...
"""),
    ),
    good=(
        orders("""\
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Manager, Pipe, Pool, Process, Queue, RawValue, Value

lock = threading.Lock()
count = RawValue("i", 0)
total = Value("i", 0, lock=False)

def handler(event, context):
    ours, theirs = Pipe()
    process = Process(target=work, args=(theirs,))
    process.start()
    process.join()
    with ThreadPoolExecutor() as executor:
        list(executor.map(work, event["orders"]))
    try:
        pool = Pool(2)
    except OSError:
        pool = None
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        pool = Pool(8)
    return Manager().Queue()

def work(order): ...

def locally():
    return Queue()

if __name__ == "__main__":
    print(Pool(4), locally())
"""),
    ),
)
def check(function: Function, calls: PathCalls) -> Problems:
    told = set()
    for each in calls.calls:
        if each.name in _NEEDING and each.call.span not in told and _fails(each):
            told.add(each.call.span)
            yield Problem(
                each.call.span,
                f"{each.name.replace('get_context().', '')} needs a POSIX semaphore, which Lambda lacks: OSError 38",
                related=calls.way(each),
                hint="use concurrent.futures.ThreadPoolExecutor, or Process with Pipe",
            )


def _fails(each: PathCall) -> bool:
    return each.call.keywords.get("lock") != Literal(False) and not any(map(_deals_with, each.call.guards))


def _deals_with(guard: Guard) -> bool:
    """Whether the code expects the failure, or may be for another machine."""
    return guard.kind in (GuardKind.ENV, GuardKind.VERSION) or (
        guard.kind is GuardKind.TRY and not _CAUGHT.isdisjoint(guard.names)
    )
