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
from lambdalint.facts.semaphores import semaphore_needs
from lambdalint.rule import Function, Problem, Problems, Severity, rule
from lambdalint_rules.handler.samples import orders

_ERRORS: Final = {"a POSIX semaphore": "OSError 38", "shared memory": "there is no /dev/shm"}
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
from multiprocessing.shared_memory import SharedMemory
from tqdm.contrib.concurrent import process_map

lock = mp.Lock()  # finding
count = mp.Value("i", 0)  # finding

def handler(event, context):
    with mp.Pool(4) as pool:  # finding
        pool.map(work, event["orders"])
    with ProcessPoolExecutor() as executor:  # finding
        list(executor.map(work, event["orders"]))
    process_map(work, event["orders"])  # finding
    shared = SharedMemory(create=True, size=1024)  # finding
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
        needed = semaphore_needs().get(each.name or "")
        if needed is not None and each.call.span not in told and _fails(each):
            told.add(each.call.span)
            name = (each.name or "").replace("get_context().", "")
            yield Problem(
                each.call.span,
                f"{name} needs {needed}, which Lambda lacks: {_ERRORS[needed]}",
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
