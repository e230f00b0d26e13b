"""The faults: each is described once, and written in every language that can say it.

A rule joins with one entry: what is wrong, a project that has it, marked where it has to be found, and a healthy one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from lambdalint.testing import MARK
from lambdalint_rules.artifacts import image_samples
from lambdalint_rules.artifacts.metadata_samples import distribution
from lambdalint_rules.artifacts.samples import (
    archive,
    bytecode,
    changed,
    linux_library,
    macos_library,
    sized_archive,
    written,
)
from lambdalint_rules.artifacts.samples import member as zip_member
from tests.parity import samples
from tests.parity.project import (
    HANDLER,
    Batches,
    Bucket,
    Call,
    Daily,
    Distribution,
    Here,
    Layer,
    LayerPermission,
    Network,
    Of,
    Permission,
    Project,
    Queue,
    Stream,
    Table,
    Topic,
    Uploads,
)
from tests.parity.samples import healthy


@dataclass(frozen=True)
class Fault:
    """*rule* finds what is wrong with *bad* at the marked places; nothing is to be found in *good*.

    *inexpressible* says of a language why the fault cannot be written in it.
    """

    rule: str
    what: str
    bad: Project
    good: Project
    inexpressible: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule} {self.what}"


def project(code: str = "", **settings: Any) -> Project:
    """A project whose handler's module is *code*."""
    return Project(code={"app.py": code}, **settings) if code else Project(**settings)


def coded(rule: str, what: str, bad: str, good: str, **settings: Any) -> Fault:
    """A fault of the code alone."""
    return Fault(rule, what, project(bad, **settings), project(good, **settings))


def variables(rule: str, what: str, bad: Mapping[str, Any], good: Mapping[str, Any]) -> Fault:
    """A fault of the environment alone."""
    return Fault(rule, what, Project(env=bad), Project(env=good))


def compiled(rule: str, what: str, bad: Project, good: Project) -> Fault:
    """A fault in a compiled module that lies beside the code."""
    beside = {"app.py": samples.NATIVE}
    return Fault(
        rule, what, replace(bad, code={**beside, **bad.code}, member=True), replace(good, code={**beside, **good.code})
    )


def layers(*names: str) -> tuple[str, ...]:
    """The ARNs of layers in somebody's account."""
    return tuple(f"arn:aws:lambda:eu-central-1:111122223333:layer:{name}:3" for name in names)


def library(name: str, *, unpacked_mb: int) -> Any:
    """An archive that says to hold one file of that size, packed to a third."""
    return partial(sized_archive, {name: (unpacked_mb * _MB // 30, unpacked_mb * _MB)})


_MB: Final = 1024 * 1024
_FIVE: Final = layers("requests", "pandas", "pillow", "secrets", "metrics")
_TABLES: Final = Layer("tables", library("python/pandas/lib.so", unpacked_mb=63))
# In two parts, for scanners of this repository: it was never valid.
_STRIPE: Final = "sk_live_" + "9fKq2ZtXw7LmB4cRv8NyG3sD"

_NOWHERE: Final = Network()
_NAT: Final = Network(gateway="nat")
_PUBLIC: Final = Network(gateway="internet")

_JOBS: Final = (Queue("jobs"),)
_ORDERED: Final = (Queue("jobs", fifo=True),)
_CLICKS: Final = (Stream("clicks"),)
_ROWS: Final = (Table("rows"),)

#: For archives that hold no handler to look for.
_NODE: Final = "nodejs22.x"

#: An archive that says to have 90 MB and to be packed to so many.
_MODEL: Final = {mb: partial(sized_archive, {"model.bin": (mb * _MB, 90 * _MB)}) for mb in (49, 63)}

_CONFIGURATION: Final = (
    Fault("LC001", "deprecated runtime", Project(runtime=Here("python3.9")), Project(runtime="python3.13")),
    Fault("LC002", "blocked runtime", Project(runtime=Here("python3.6")), Project(runtime="python3.13")),
    Fault("LC011", "too little memory", Project(memory=Here(64)), Project(memory=128)),
    Fault("LC011", "too much memory", Project(memory=Here(20480)), Project(memory=10240)),
    Fault("LC013", "timeout over 15 minutes", Project(timeout=Here(901)), Project(timeout=900)),
    Fault("LC014", "too little ephemeral storage", Project(tmp=Here(256)), Project(tmp=512)),
    Fault("LC014", "too much ephemeral storage", Project(tmp=Here(20480)), Project(tmp=10240)),
    variables("LC017", "reserved variable", {"AWS_REGION": Here("eu-west-1")}, {"REGION": "eu-west-1"}),
    coded("LC017", "reserved variable set by code", samples.ASSIGNED, samples.ASSIGNED_OWN),
    variables(
        "LC018",
        "too many variables",
        {"RULES": "x" * 1300, "CONFIG": Here("y" * 2900)},
        {"RULES": "x" * 1300, "CONFIG": "y" * 2700},
    ),
    Fault(
        "LY006",
        "layer without a version",
        Project(layers=(Here("arn:aws:lambda:eu-central-1:111122223333:layer:deps"),)),
        Project(layers=layers("deps")),
    ),
    Fault(
        "LY005",
        "layer of an unknown account",
        Project(layers=(Here("arn:aws:lambda:eu-central-1:444455556666:layer:deps:7"),)),
        Project(
            layers=("arn:aws:lambda:eu-central-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:7",)
        ),
    ),
    Fault("LY001", "six layers", Project(layers=(*_FIVE, *map(Here, layers("tracing")))), Project(layers=_FIVE)),
)

_DELIVERY: Final = (
    Fault(
        "LD010",
        "visibility timeout below the function's",
        Project(timeout=60, things=(Queue("jobs", Here(30)),), invoked_by=(Batches("jobs", 1),)),
        Project(timeout=60, things=(Queue("jobs", 360),), invoked_by=(Batches("jobs", 1),)),
    ),
    Fault(
        "LD010",
        "default visibility timeout below the function's",
        Project(timeout=31, things=(Queue("jobs", here=True),), invoked_by=(Batches("jobs", 1),)),
        Project(timeout=29, things=_JOBS, invoked_by=(Batches("jobs", 1),)),
    ),
    Fault(
        "LE003",
        "undeclared failures of a queue's batch",
        project(samples.FAILURES, things=_JOBS, invoked_by=(Batches("jobs", here=True),)),
        project(samples.FAILURES, things=_JOBS, invoked_by=(Batches("jobs", reports=True),)),
    ),
    Fault(
        "LE003",
        "undeclared failures of a stream's batch",
        project(samples.STREAM_FAILURES, things=_CLICKS, invoked_by=(Batches("clicks", here=True),)),
        project(samples.STREAM_FAILURES, things=_CLICKS, invoked_by=(Batches("clicks", reports=True),)),
    ),
    Fault(
        "LE004",
        "whole batch of a queue",
        project(samples.LOOP, things=_JOBS, invoked_by=(Batches("jobs", here=True),)),
        project(samples.LOOP, things=_JOBS, invoked_by=(Batches("jobs", 1),)),
    ),
    Fault(
        "LE004",
        "whole batch of a table's stream",
        project(samples.LOOP, things=_ROWS, invoked_by=(Batches("rows", here=True),)),
        project(samples.LOOP, things=_ROWS, invoked_by=(Batches("rows", bisects=True),)),
    ),
)

_ERRORS: Final = (
    Fault(
        "LE001",
        "failure of a message that is only logged",
        project(samples.LOGGED, things=_JOBS, invoked_by=(Batches("jobs", 1),)),
        project(samples.LOOP, things=_JOBS, invoked_by=(Batches("jobs", 1),)),
    ),
    Fault(
        "LE002",
        "failures that are not returned",
        project(samples.NOT_REPORTED, things=_JOBS, invoked_by=(Batches("jobs", reports=True),)),
        project(samples.FAILURES, things=_JOBS, invoked_by=(Batches("jobs", reports=True),)),
    ),
    coded(
        "LE005",
        "failed record under another of its keys",
        samples.FAILURES.replace('record["messageId"]})', 'record["receiptHandle"]})  # finding'),
        samples.FAILURES,
        things=_JOBS,
        invoked_by=(Batches("jobs", reports=True),),
    ),
    Fault(
        "LE006",
        "nothing but the first record",
        project(samples.FIRST_RECORD, things=_JOBS, invoked_by=(Batches("jobs"),)),
        project(healthy(samples.FIRST_RECORD), things=_JOBS, invoked_by=(Batches("jobs", 1),)),
    ),
    Fault(
        "LE007",
        "order of a FIFO queue lost",
        project(samples.OUT_OF_ORDER, things=_ORDERED, invoked_by=(Batches("jobs", reports=True),)),
        project(healthy(samples.OUT_OF_ORDER), things=_JOBS, invoked_by=(Batches("jobs", reports=True),)),
    ),
    Fault(
        "LE008",
        "message deleted by hand",
        project(samples.DELETING, things=_JOBS, invoked_by=(Batches("jobs", 1),)),
        project(samples.LOOP, things=_JOBS, invoked_by=(Batches("jobs", 1),)),
    ),
    coded(
        "LE014",
        "object written to the bucket that triggers",
        samples.WRITES_BACK,
        samples.WRITES_ELSEWHERE,
        things=(Bucket("pictures"),),
        invoked_by=(Uploads("pictures"),),
    ),
    coded(
        "LE010",
        "failure answered with 200",
        samples.FINE,
        samples.NOT_FINE,
        invoked_by=(Call("rest"),),
    ),
    coded(
        "LE011",
        "text of an exception in the answer",
        samples.TELLING,
        samples.NOT_FINE,
        invoked_by=(Call("http"),),
    ),
    coded("LE013", "id of a custom resource left out", samples.WITHOUT_ID, samples.WITH_ID),
    coded("LE016", "job that is never reported", samples.JOB, samples.JOB_REPORTED),
    Fault(
        "LE009",
        "mail that may be sent twice",
        project(samples.MAILING, things=_JOBS, invoked_by=(Batches("jobs", 1),)),
        project(samples.LOOP, things=_JOBS, invoked_by=(Batches("jobs", 1),)),
    ),
    coded("LE012", "custom resource that may stay silent", samples.SILENT, samples.ANSWERING),
)

_NETWORK: Final = (
    Fault(
        "LN001",
        "internet from a subnet that leads nowhere",
        project(samples.CALLING, network=_NOWHERE),
        project(healthy(samples.CALLING), network=_NAT),
    ),
    Fault(
        "LN001",
        "internet from a public subnet",
        project(samples.CALLING, network=_PUBLIC),
        project(healthy(samples.CALLING)),
    ),
    Fault(
        "LN001",
        "internet through a route that covers a part of it",
        project(samples.CALLING, network=replace(_NAT, destination="10.1.0.0/16")),
        project(healthy(samples.CALLING), network=_NAT),
    ),
    Fault(
        "LN002",
        "DynamoDB without a gateway endpoint",
        project(samples.STORING, network=_NOWHERE),
        project(healthy(samples.STORING), network=Network(endpoints=("dynamodb",))),
    ),
    Fault(
        "LN002",
        "Secrets Manager without an interface endpoint",
        project(samples.SECRET, network=Network(endpoints=("s3", "dynamodb"))),
        project(samples.SECRET_AT_IMPORT, network=Network(endpoints=("secretsmanager",))),
    ),
    Fault("LN003", "function in a public subnet", Project(network=replace(_PUBLIC, here=True)), Project(network=_NAT)),
)

_ACCESS: Final = (
    Fault(
        "LA001",
        "anybody may invoke",
        Project(things=(Permission(Here("*")),)),
        Project(things=(Permission("s3.amazonaws.com", "111122223333"),)),
    ),
    variables("LK001", "token in a variable", {"STRIPE": Here(_STRIPE)}, {"STRIPE_SECRET_NAME": "prod/stripe"}),
    variables(
        "LK001",
        "password in an address",
        {"DB": Here("postgres://orders:hX7-qp2Zt9w@db.internal/o")},
        {"DB": "postgres://db.internal/o"},
    ),
    variables(
        "LK002",
        "literal password",
        {"DB_PASSWORD": Here("h4mst3r-Wheel!")},
        {"DB_PASSWORD_PARAMETER": "/prod/orders/db-password-2"},
    ),
)

_HANDLER: Final = (
    Fault("LH001", "no such name", Project(handler=Here("app.main")), Project()),
    Fault("LH001", "no such module", Project(handler=Here("orders.handler")), Project()),
    Fault(
        "LH002",
        "module built into Python",
        Project(handler=Here("time.handler"), code={"time.py": samples.AWS_REQUEST_ID}),
        Project(handler="timer.handler", code={"timer.py": samples.AWS_REQUEST_ID}),
    ),
    Fault(
        "LH003",
        "handler with one argument",
        project("def handler(event): ...\n", handler=Here("app.handler")),
        Project(),
    ),
    coded("LH004", "coroutine function", samples.DEFERRED, samples.AWAITED),
    coded("LH005", "a date is returned", samples.DATE, samples.DATE_TEXT),
    replace(
        coded("LH005", "a set is returned by code in the template", samples.SET, samples.LIST, inline=True),
        inexpressible={
            "terraform": "no argument of aws_lambda_function takes code",
            "serverless": "functions are packed from files",
        },
    ),
    coded("LH006", "exit in the handler", samples.EXITS, samples.RAISES),
    coded("LH007", "two handlers of one name", samples.TWO_HANDLERS, samples.LIGHT_IMPORT),
    coded("LH008", "events sent at import", samples.SENT_AT_IMPORT, samples.LIGHT_IMPORT),
    coded("LH009", "attribute that the context lacks", samples.REQUEST_ID, samples.AWS_REQUEST_ID),
    coded("LI001", "client made in the handler", samples.CLIENT_EACH_TIME, samples.CLIENT_ONCE),
    coded("LI002", "heavy import for nothing", samples.HEAVY_IMPORT, samples.LIGHT_IMPORT),
    coded("LI003", "heavy import for some events", samples.NEEDED_BY_SOME, samples.IMPORTED_THERE),
    coded("LI004", "slow fetching at import", samples.FETCHED_AT_IMPORT, samples.LIGHT_IMPORT),
    coded("LI005", "too many heavy imports", samples.MANY_IMPORTS, samples.LIGHT_IMPORT),
    coded("LI006", "secret fetched for every event", samples.SECRET, samples.SECRET_AT_IMPORT),
    Fault(
        "LI007",
        "file parsed for every event",
        Project(code={"app.py": samples.PARSED_EACH_TIME, "routes.json": "{}"}),
        Project(code={"app.py": samples.PARSED_ONCE, "routes.json": "{}"}),
    ),
    coded("LI008", "mock imported", samples.TEST_IMPORT, samples.LIGHT_IMPORT),
    coded("LI010", "exception swallowed at import", samples.SWALLOWED_AT_IMPORT, samples.RAISED_AT_IMPORT),
    coded("LS001", "event kept in a global", samples.KEPT_EVENT, samples.PASSED_EVENT),
    coded("LS002", "list that only grows", samples.GROWING_LIST, samples.LOCAL_LIST),
    coded("LS003", "date of the import", samples.FROZEN_DATE, samples.DATE_OF_NOW),
    coded("LS004", "cache without a bound", samples.ENDLESS_CACHE, samples.BOUNDED_CACHE),
    coded("LS005", "thread that nobody waits for", samples.STARTED_THREAD, samples.JOINED_THREAD),
    coded("LS006", "pool of processes", samples.PROCESS_POOL, samples.THREAD_POOL),
    coded("LS007", "client of another event loop", samples.CLIENT_OF_A_LOOP, samples.CLIENT_IN_THE_LOOP),
    coded("LS008", "variable set from the event", samples.SET_VARIABLE, samples.READ_VARIABLE),
    coded("LS009", "working directory changed", samples.MOVED, samples.NOT_MOVED),
    coded("LS010", "flush at the exit", samples.FLUSH_AT_EXIT, samples.FLUSH_IN_TIME),
    coded("LS011", "connection that is never checked", samples.IDLE_CONNECTION, samples.CHECKED_CONNECTION),
    coded("LF001", "file written beside the code", samples.BESIDE_THE_CODE, samples.TEMPORARY),
    coded("LF002", "fixed name in /tmp", samples.FIXED_NAME, samples.TEMPORARY),
    coded("LF003", "file left in /tmp", samples.LEFT_BEHIND, samples.TEMPORARY),
    coded("LF004", "library that writes to the home directory", samples.HOME_CACHE, samples.TMP_CACHE),
    coded("LF005", "file that is not packaged", samples.MISSING_FILE, samples.NO_FILE),
    Fault(
        "LF006",
        "file beside the module by its bare name",
        Project(
            handler="shop.app.handler",
            code={"shop/__init__.py": "", "shop/app.py": samples.BY_BARE_NAME, "shop/schema.json": "{}"},
        ),
        Project(
            handler="shop.app.handler",
            code={"shop/__init__.py": "", "shop/app.py": samples.BESIDE_ITSELF, "shop/schema.json": "{}"},
        ),
    ),
    coded("LF007", "object of unknown size", samples.UNKNOWN_SIZE, samples.KNOWN_SIZE),
    coded("LF008", "file system that is not mounted", samples.NOT_MOUNTED, samples.IN_TMP),
)

_CALLS: Final = (
    coded("LT001", "HTTP call without a timeout", samples.PATIENT, samples.IMPATIENT),
    coded("LT001", "the same in a daily job", samples.PATIENT, samples.IMPATIENT, invoked_by=(Daily(),)),
    coded("LT002", "client more patient than the function", samples.TOO_PATIENT, samples.IMPATIENT, timeout=10),
    coded(
        "LT003",
        "the SDK's own timeouts behind an API",
        samples.DEFAULT_TIMEOUTS,
        samples.OWN_TIMEOUTS,
        invoked_by=(Call("http"),),
    ),
    coded("LT004", "waiter more patient than the function", samples.LONG_WAIT, samples.SHORT_WAIT),
    coded("LT005", "polling", samples.POLLING, samples.ASKING_ONCE),
    coded("LT006", "function that waits for another", samples.CHAINED, samples.UNCHAINED, timeout=60),
    coded("LT007", "connection without a timeout", samples.ENDLESS_CONNECT, samples.LIMITED_CONNECT),
    coded(
        "LT010",
        "message for each message",
        samples.SENT_ONE_BY_ONE,
        samples.SENT_TOGETHER,
        things=_JOBS,
        invoked_by=(Batches("jobs", 10, reports=True),),
    ),
    coded(
        "LV001",
        "key of another payload",
        samples.OLD_PAYLOAD,
        samples.NEW_PAYLOAD,
        invoked_by=(Call("http"),),
    ),
    coded(
        "LV001",
        "key of an upload in a message",
        samples.UPLOAD_KEY,
        samples.MESSAGE_KEY,
        things=_JOBS,
        invoked_by=(Batches("jobs", 1),),
    ),
    coded("LV004", "query that may be missing", samples.NO_QUERY, samples.ANY_QUERY, invoked_by=(Call("rest"),)),
    coded("LV005", "header with capitals", samples.CAPITAL_HEADER, samples.SMALL_HEADER, invoked_by=(Call("http"),)),
    coded(
        "LV003",
        "data of a stream taken as it is",
        samples.ENCODED_DATA,
        samples.DECODED_DATA,
        things=_CLICKS,
        invoked_by=(Batches("clicks", 1),),
    ),
    coded("LV008", "result that Firehose does not know", samples.UNTOLD_RESULT, samples.TOLD_RESULT),
    Fault(
        "LV009",
        "envelope of a topic taken for the message",
        project(samples.BARE_BODY, things=(*_JOBS, Topic("sold", "jobs")), invoked_by=(Batches("jobs", 1),)),
        project(
            healthy(samples.BARE_BODY),
            things=(*_JOBS, Topic("sold", "jobs", raw=True)),
            invoked_by=(Batches("jobs", 1),),
        ),
    ),
    coded("LV010", "float for DynamoDB", samples.FLOAT_STORED, samples.DECIMAL_STORED),
    coded("LV011", "item of a table as JSON", samples.ITEM_DUMPED, samples.ITEM_DUMPED_AS_TEXT),
    coded("LT008", "first page taken for all", samples.FIRST_PAGE, samples.EVERY_PAGE),
    coded("LT009", "failures of a batch ignored", samples.UNCHECKED_BATCH, samples.CHECKED_BATCH),
    coded(
        "LV002",
        "key of an upload taken as it is",
        samples.ENCODED_KEY,
        samples.DECODED_KEY,
        things=(Bucket("pictures"),),
        invoked_by=(Uploads("pictures"),),
    ),
    coded(
        "LV007",
        "body that is no text, for a REST API",
        samples.BODY_OF_DATA,
        samples.BODY_OF_TEXT,
        invoked_by=(Call("rest"),),
    ),
    coded(
        "LV007",
        "body that is no text, for an HTTP API",
        samples.BODY_OF_DATA,
        samples.BODY_OF_TEXT,
        invoked_by=(Call("http"),),
    ),
)

_JOINS: Final = (
    coded(
        "LX001",
        "variable that is not declared",
        samples.READS_TABLE,
        samples.READS_TABLE_NAME,
        env={"TABLE_NAME": "orders"},
    ),
    Fault(
        "LX003",
        "ARN of a bucket where its name is wanted",
        project(samples.STORING_OBJECT, env={"PICTURES": Here(Of("pictures", "arn"))}, things=(Bucket("pictures"),)),
        project(samples.STORING_OBJECT, env={"PICTURES": Of("pictures", "name")}, things=(Bucket("pictures"),)),
    ),
    Fault(
        "LX003",
        "ARN of a queue where its URL is wanted",
        project(samples.SENDING, env={"JOBS": Here(Of("jobs", "arn"))}, things=_JOBS),
        project(samples.SENDING, env={"JOBS": Of("jobs", "url")}, things=_JOBS),
    ),
    Fault(
        "LX003",
        "name of a topic where its ARN is wanted",
        project(samples.PUBLISHING, env={"DONE": Here(Of("done", "name"))}, things=(Topic("done"),)),
        project(samples.PUBLISHING, env={"DONE": Of("done", "arn")}, things=(Topic("done"),)),
    ),
    Fault(
        "LR001",
        "syntax newer than the runtime",
        project(samples.MATCHING, runtime="python3.9"),
        project(healthy(samples.MATCHING), runtime="python3.13"),
    ),
)


def archived(rule: str, what: str, bad: Any, good: Any, *, member: bool = False, **settings: Any) -> Fault:
    """A fault of an archive of a Python function, found where it is named or, as a *member*, in it."""
    return Fault(
        rule,
        what,
        Project(archive=bad, archive_here=not member, member=member, **settings),
        Project(archive=good, **settings),
    )


_APP: Final = {"app.py": HANDLER.encode()}
_START: Final = {**_APP, "start": b'#!/bin/sh\nexec "$@"\n'}
_PACKED: Final = partial(archive, _APP)
_IMPORTING: Final = {"app.py": b"import random, rates\n\n" + HANDLER.encode()}
_RATES: Final = {
    "rates/__init__.py": b"import random\n",
    "rates-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: rates\nVersion: 1.0\n",
    "rates-1.0.dist-info/RECORD": b"rates/__init__.py,,\nrates-1.0.dist-info/RECORD,,\n",
}
_CACHED: Final = "__pycache__/app.cpython-313.pyc"
_LARGE_MODULE: Final = {"app.py": b"import tables\n\n" + HANDLER.encode(), "tables.py": b"x = 1\n" * 100_000}
_UNBUILT: Final = {"app.py": "import rates\n\n" + HANDLER, "requirements.txt": "rates==1.0\n"}
_TWO_HALVES: Final = {
    "app.py": b"import prices, more_prices\n\n" + HANDLER.encode(),
    "invoices.py": b"import letters, more_letters\n\n" + HANDLER.encode(),
    **dict.fromkeys(("prices.py", "more_prices.py", "letters.py", "more_letters.py"), b"x = 1\n" * 250_000),
}


def installed(name: str, version: str, metadata: str = "", root: str = "") -> dict[str, bytes]:
    """The files of a distribution, and of a handler that imports it."""
    files = distribution(name, version, metadata=metadata, root=root)
    app = {} if root else {"app.py": f"import {name}\n\n{HANDLER}"}
    return {path: content.encode() for path, content in {**files, **app}.items()}


_RATES_1: Final = installed("rates", "1.0")
_RATES_APP: Final = {"app.py": _RATES_1["app.py"]}


def rates_layer(root: str, **settings: Any) -> Layer:
    """A layer of one distribution, installed below *root*."""
    files = {path: text for path, text in installed("rates", "2.0", root=root).items() if path != "app.py"}
    return Layer("deps", partial(archive, files), **settings)


_ARTIFACTS: Final = (
    archived("LZ001", "archive packed by Windows Explorer", partial(changed, _APP, "app.py", method=9), _PACKED),
    archived("LZ001", "archive that is cut short", lambda: archive(_APP)[:-40], _PACKED),
    archived("LZ001", "pointer of Git LFS", lambda: b"version https://git-lfs.github.com/spec/v1\n", _PACKED),
    archived(
        "LZ002",
        "one name twice",
        lambda: written([(zip_member("app.py"), b"handler = 1\n"), (zip_member("app.py"), HANDLER.encode())]),
        lambda: written([(zip_member("app.py"), HANDLER.encode()), (zip_member("app.py"), HANDLER.encode())]),
        member=True,
    ),
    archived(
        "LZ003",
        "names with backslashes",
        partial(archive, {**_APP, "lib\\rates.py": b""}),
        partial(archive, {**_APP, "lib/rates.py": b""}),
        member=True,
    ),
    archived(
        "LZ004",
        "file that only its owner may read",
        lambda: written([(zip_member("app.py", 0o100600), HANDLER.encode())]),
        _PACKED,
        member=True,
    ),
    archived(
        "LZ004",
        "wrapper that may not be executed",
        partial(archive, _START),
        partial(archive, _START, executable=("start",)),
        member=True,
        env={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/start"},
    ),
    archived(
        "LZ005",
        "entry that unpacks to 400 times its size",
        partial(sized_archive, {"core": (50_000, 20 * _MB)}),
        partial(sized_archive, {"core": (500_000, 20 * _MB)}),
        runtime=_NODE,
    ),
    archived("LZ006", "package in a folder", partial(archive, {"orders/app.py": HANDLER.encode()}), _PACKED),
    archived("LZ007", "archive without files", partial(archive, {}), _PACKED),
    Fault(
        "LZ008",
        "large archive at the edge",
        Project(runtime=_NODE, archive=_MODEL[63], archive_here=True, things=(Distribution(),)),
        Project(runtime=_NODE, archive=_MODEL[49], things=(Distribution(),)),
    ),
    Fault(
        "LZ009",
        "function and layer over 250 MB",
        Project(runtime=_NODE, archive=library("lib.so", unpacked_mb=200), archive_here=True, things=(_TABLES,)),
        Project(runtime=_NODE, archive=library("lib.so", unpacked_mb=120), things=(_TABLES,)),
    ),
    Fault(
        "LZ010",
        "package of 213 MB",
        Project(runtime=_NODE, archive=library("lib.so", unpacked_mb=213), archive_here=True),
        Project(runtime=_NODE, archive=library("lib.so", unpacked_mb=190)),
    ),
    archived(
        "LZ011",
        "module in the place of the standard library's",
        partial(archive, {**_IMPORTING, **_RATES, "random.py": b""}),
        partial(archive, {**_IMPORTING, **_RATES}),
        member=True,
    ),
    archived(
        "LZ012",
        "editable installation",
        partial(archive, {**_IMPORTING, "__editable__.rates.pth": b"/home/ann/rates/src\n"}),
        partial(archive, {**_IMPORTING, **_RATES}),
        member=True,
    ),
    archived("LZ013", "history of Git", partial(archive, {**_APP, ".git/HEAD": b"ref: x\n"}), _PACKED, member=True),
    Fault(
        "LZ014",
        "folder without what it requires",
        Project(code=_UNBUILT, archive_here=True),
        Project(code={**_UNBUILT, "rates/__init__.py": ""}),
        inexpressible={"sam": "sam build installs the requirements"},
    ),
    compiled(
        "LZ015",
        "module for another system",
        Project(code={"fast.cpython-313-darwin.so": macos_library("arm64")}),
        Project(code={"fast.cpython-313-x86_64-linux-gnu.so": linux_library()}),
    ),
    compiled(
        "LZ015",
        "module for another architecture",
        Project(code={"fast.so": linux_library("x86_64")}, architecture="arm64"),
        Project(code={"fast.so": linux_library("arm64")}, architecture="arm64"),
    ),
    compiled(
        "LZ016",
        "module for a newer C library",
        Project(code={"fast.so": linux_library(versions={"libc.so.6": ("GLIBC_2.28",)})}, runtime="python3.11"),
        Project(code={"fast.so": linux_library(versions={"libc.so.6": ("GLIBC_2.28",)})}, runtime="python3.13"),
    ),
    compiled(
        "LZ017",
        "module for another Python",
        Project(code={"fast.cpython-311-x86_64-linux-gnu.so": linux_library()}),
        Project(code={"fast.cpython-313-x86_64-linux-gnu.so": linux_library()}),
    ),
    compiled(
        "LZ018",
        "module that needs a library of a desktop",
        Project(code={"fast.so": linux_library(needed=("libGL.so.1",))}),
        Project(code={"fast.so": linux_library(needed=("libc.so.6",))}),
    ),
    archived(
        "LZ019",
        "distribution without METADATA",
        partial(archive, {path: text for path, text in _RATES_1.items() if not path.endswith("/METADATA")}),
        partial(archive, _RATES_1),
        member=True,
    ),
    archived(
        "LZ020",
        "two versions side by side",
        partial(archive, {**_RATES_1, **installed("rates", "2.0")}),
        partial(archive, _RATES_1),
        member=True,
    ),
    archived(
        "LZ021",
        "requirement that is not met",
        partial(archive, installed("rates", "1.0", metadata="Requires-Dist: money>=2\n") | installed("money", "1.0")),
        partial(archive, installed("rates", "1.0", metadata="Requires-Dist: money>=2\n") | installed("money", "2.0")),
        member=True,
    ),
    archived(
        "LZ022",
        "SDK in parts",
        partial(archive, installed("boto3", "1.40.2")),
        partial(
            archive, installed("boto3", "1.40.2") | installed("botocore", "1.40.2") | installed("s3transfer", "0.14")
        ),
        member=True,
    ),
    archived(
        "LZ024",
        "bytecode that carries a time",
        lambda: archive({**_APP, _CACHED: bytecode((3, 13), time=1_700_000_000)}),
        lambda: archive({**_APP, _CACHED: bytecode((3, 13), _APP["app.py"])}),
        member=True,
    ),
    archived(
        "LZ025",
        "bytecode of another source",
        lambda: archive({**_APP, _CACHED: bytecode((3, 13), b"old")}),
        lambda: archive({**_APP, _CACHED: bytecode((3, 13), _APP["app.py"])}),
        member=True,
    ),
    archived(
        "LZ026",
        "large module without bytecode",
        lambda: archive(_LARGE_MODULE),
        lambda: archive(
            {**_LARGE_MODULE, "__pycache__/tables.cpython-313.pyc": bytecode((3, 13), _LARGE_MODULE["tables.py"])}
        ),
        member=True,
        memory=128,
    ),
    Fault(
        "LY002",
        "modules at the root of a layer",
        Project(archive=partial(archive, _RATES_APP), member=True, things=(rates_layer(""),)),
        Project(archive=partial(archive, _RATES_APP), things=(rates_layer("python/"),)),
    ),
    Fault(
        "LY003",
        "layer for another Python",
        Project(
            archive=partial(archive, _RATES_APP),
            member=True,
            things=(rates_layer("python/lib/python3.9/site-packages/"),),
        ),
        Project(archive=partial(archive, _RATES_APP), things=(rates_layer("python/lib/python3.13/site-packages/"),)),
    ),
    Fault(
        "LY004",
        "layer that says another Python",
        Project(
            archive=partial(archive, _RATES_APP),
            things=(rates_layer("python/", runtimes=("python3.11", "python3.12"), here=True),),
        ),
        Project(
            archive=partial(archive, _RATES_APP),
            things=(rates_layer("python/", runtimes=("python3.12", "python3.13")),),
        ),
    ),
    Fault(
        "LY007",
        "layer for everybody",
        Project(
            archive=partial(archive, _RATES_APP),
            things=(rates_layer("python/"), LayerPermission("deps", Here("*"))),
        ),
        Project(
            archive=partial(archive, _RATES_APP),
            things=(rates_layer("python/"), LayerPermission("deps", "111122223333")),
        ),
    ),
    Fault(
        "LY008",
        "two versions in function and layer",
        Project(archive=partial(archive, _RATES_1), archive_here=True, things=(rates_layer("python/"),)),
        Project(archive=partial(archive, _RATES_APP), things=(rates_layer("python/"),)),
    ),
    Fault(
        "LU005",
        "two functions that use half of a bundle each",
        Project(archive=lambda: archive(_TWO_HALVES), archive_here=True, sibling="invoices.handler"),
        Project(archive=lambda: archive({path: _TWO_HALVES[path] for path in ("app.py", "prices.py")})),
    ),
    archived(
        "LU006",
        "large package",
        lambda: sized_archive({"lib.so": (6 * _MB, 20 * _MB)}),
        lambda: sized_archive({"lib.so": (4 * _MB, 20 * _MB)}),
        runtime=_NODE,
    ),
)


def built(rule: str, what: str, bad: str, good: str, base: str = image_samples.AWS_BASE, **settings: Any) -> Fault:
    """A fault of a Dockerfile: of what is done on *base*, or of all of it."""
    return Fault(rule, what, Project(dockerfile=base + bad, **settings), Project(dockerfile=base + good, **settings))


def imaged(rule: str, what: str, bad: Any, good: Any) -> Fault:
    """A fault of an image that a template names as an archive."""
    unnamed = dict.fromkeys(("cdk", "terraform", "serverless"), "it names no archive of an image")
    return Fault(rule, what, Project(image=bad, archive_here=True), Project(image=good), inexpressible=unnamed)


_IMAGE: Final = image_samples.image
_RUN: Final = 'COPY app.py ./\nCMD ["app.handler"]\n'
_SLIM: Final = "FROM python:3.13-slim\nCOPY . .\n"
_PRIVATE: Final = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/orders"
_IMAGES: Final = (
    imaged("LO001", "index of two images", partial(image_samples.index, "linux/amd64", "linux/arm64"), _IMAGE),
    imaged("LO002", "image for another architecture", partial(image_samples.image, architecture="arm64"), _IMAGE),
    built(
        "LO002",
        "base for another architecture",
        f"{MARK}\nFROM public.ecr.aws/lambda/python:3.13-arm64\n{_RUN}",
        f"FROM public.ecr.aws/lambda/python:3.13-x86_64\n{_RUN}",
        base="",
    ),
    imaged(
        "LO003",
        "layer that the history does not know",
        partial(image_samples.image, history=[{"created_by": "x"}]),
        _IMAGE,
    ),
    built(
        "LO004",
        "variable that hides the libraries of the runtime",
        f"{MARK}\nENV LD_LIBRARY_PATH=/app/lib\n{_RUN}",
        f"ENV LD_LIBRARY_PATH=/app/lib:$LD_LIBRARY_PATH\n{_RUN}",
    ),
    built(
        "LO005",
        "file that only its owner may read",
        f'{MARK}\nCOPY --chmod=600 app.py ./\nCMD ["app.handler"]\n',
        'COPY --chmod=644 app.py ./\nCMD ["app.handler"]\n',
    ),
    built(
        "LO006",
        "web server that Lambda does not know",
        f'{MARK}\n{_SLIM}CMD ["uvicorn", "app:app"]\n',
        f'{_SLIM}RUN pip install awslambdaric\nCMD ["python", "-m", "awslambdaric", "app.handler"]\n',
        base="",
    ),
    built("LO007", "command for a shell", f"COPY app.py ./\n{MARK}\nCMD app.handler\n", _RUN),
    built(
        "LO008",
        "base of a runtime without support",
        f"{MARK}\nFROM public.ecr.aws/lambda/python:3.9\n{_RUN}",
        f"FROM public.ecr.aws/lambda/python:3.14\n{_RUN}",
        base="",
    ),
    built(
        "LO009",
        "base by a tag",
        f"{MARK}\nFROM public.ecr.aws/lambda/python:3.13\n{_RUN}",
        f"FROM public.ecr.aws/lambda/python:3.13@sha256:{'a' * 64}\n{_RUN}",
        base="",
    ),
    imaged(
        "LO010",
        "settings of more than 16 KB",
        partial(image_samples.image, settings={"Labels": {f"org.example.{each}": "x" * 200 for each in range(100)}}),
        _IMAGE,
    ),
    built("LO011", "user that Lambda does not take", f"{_RUN}{MARK}\nUSER app\n", _RUN),
    Fault(
        "LO012",
        "image of the public gallery",
        Project(image_uri=Here("public.ecr.aws/lambda/python:3.13")),
        Project(image_uri=f"{_PRIVATE}:1"),
    ),
)

FAULTS: Final = (
    *_CONFIGURATION,
    *_DELIVERY,
    *_ERRORS,
    *_NETWORK,
    *_ACCESS,
    *_HANDLER,
    *_CALLS,
    *_JOINS,
    *_ARTIFACTS,
    *_IMAGES,
)
