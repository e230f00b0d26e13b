"""Starting an artifact: unpack it, find what runs it, let it answer, and say how that went."""

import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lambdalint.aws.environment import reserved_names
from lambdalint.aws.limits import limit
from lambdalint.errors import Refused, UsageError
from lambdalint.model.artifact import Artifact
from lambdalint.model.boot import Boot, Ending, Invocation, Isolation, Raised
from lambdalint.packager.boot.process import INIT_MAX_S, Course, Heard, Watch, mark, run
from lambdalint.packager.boot.runtime import client_version, runtime_folder
from lambdalint.packager.boot.runtime_api import RuntimeApi, Told
from lambdalint.packager.boot.sandbox import Folders, Sandbox, sandbox
from lambdalint.packager.boot.streams import Streams
from lambdalint.packager.boot.unpack import unpack
from lambdalint.packager.bytecode import Interpreter, interpreter
from lambdalint.packager.host import Host
from lambdalint.packager.target import Target, target

MAX_RESPONSE_CHARACTERS: Final = 4_000
_MAX_TRACE: Final = 60
_MAX_MESSAGE: Final = 4_000
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: A folder that does not exist, as on Lambda: nothing is found in it.
_HOME: Final = "/home/sbx_user1051"


@dataclass(frozen=True, slots=True)
class Sample:
    """An event to invoke the function with: its *name* for the reader, and what is sent."""

    name: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How to start *artifact*.

    *layers* are unpacked over each other into ``/opt``.  *environment* comes on top of what Lambda sets.  *timeout_s*
    is for each event.  The function may have *memory_mb*, ``None`` for as much as Lambda gives at most.  The others are
    budgets, ``None`` for none.
    """

    artifact: Artifact
    function: str
    handler: str
    runtime: str
    architecture: str | None = None
    layers: Sequence[Artifact] = ()
    events: Sequence[Sample] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 30
    memory_mb: int | None = None
    max_init_ms: int | None = None
    max_memory_mb: int | None = None


def booted(start: Start, host: Host) -> Boot:
    """What happens when *start* is done.

    Raises:
        UsageError: a variable of the environment is one that Lambda sets itself.
        Refused: there is no interpreter or runtime client for it, the machine is of another architecture, or the
            artifact cannot be unpacked.
    """
    _check(start.environment)
    wanted = target(start.runtime, start.architecture or _own_architecture() or "x86_64")
    _check_machine(start, wanted)
    python = interpreter(wanted.python, host.environment)
    if python is None:
        version = ".".join(map(str, wanted.python))
        raise Refused(f"no Python {version} is here to run {start.runtime} with", hint=f"`uv python install {version}`")
    with tempfile.TemporaryDirectory(prefix="lambdalint-", ignore_cleanup_errors=True) as name:
        scratch = Path(name).resolve()
        # What is to be seen by another user lies in folders that everybody gets through.
        scratch.chmod(0o755)
        folders = _folders(start, python, host, scratch)
        return _run(start, wanted, python, folders, scratch)


def _folders(start: Start, python: Interpreter, host: Host, scratch: Path) -> Folders:
    made = {each: scratch / each for each in ("task", "layers", "starter", "root", "tmp")}
    for place in made.values():
        place.mkdir(mode=0o755)
    made["tmp"].chmod(0o1777)
    unpack((start.artifact,), made["task"])
    unpack(start.layers, made["layers"])
    starter = made["starter"] / "inside.py"
    starter.write_bytes((Path(__file__).parent / "inside.py").read_bytes())
    return Folders(made["task"], made["layers"], runtime_folder(python, host, scratch), made["starter"])


def _run(start: Start, wanted: Target, python: Interpreter, here: Folders, scratch: Path) -> Boot:
    token = mark()
    with Streams(token.encode()) as streams:
        tell = streams.writers[2]
        box = sandbox(python, here, scratch / "root", tell)
        watch = Watch(streams, start.memory_mb or limit("memory", "max_mb"))
        bodies = [each.body for each in start.events]
        with RuntimeApi(bodies, watch.hear, start.function, start.timeout_s) as api:
            variables = _environment(start, wanted, box, api, scratch / "tmp")
            inside = [
                *(box.python, "-S", "-s", "-X", "importtime", str(box.folders.starter / "inside.py")),
                *(str(tell), "0" if box.has_root else "1", token, start.handler),
                *(str(box.folders.runtime), str(box.folders.layers)),
            ]
            course = run(
                box.command(inside, variables),
                {"PATH": os.defpath} if box.has_root else variables,
                box.popen,
                api=api,
                watch=watch,
            )
        return _boot(start, wanted, python, box, here, course, streams)


def _environment(start: Start, wanted: Target, box: Sandbox, api: RuntimeApi, temporary: Path) -> dict[str, str]:
    """Lambda's own variables with values that open nothing, and those of the function."""
    task, layers, runtime = (str(each) for each in (box.folders.task, box.folders.layers, box.folders.runtime))
    lambdas = {
        "AWS_ACCESS_KEY_ID": "lambdalint-boot",
        "AWS_SECRET_ACCESS_KEY": "no-secret",
        "AWS_SESSION_TOKEN": "no-token",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{start.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": start.function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(start.memory_mb or limit("memory", "default_mb")),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "Text",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{start.function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "lambdalint-boot",
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "HOME": _HOME,
        "LAMBDA_RUNTIME_DIR": runtime,
        "LAMBDA_TASK_ROOT": task,
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": ":".join(
            ("/var/lang/lib", "/lib64", "/usr/lib64", runtime, f"{runtime}/lib", task, f"{task}/lib", f"{layers}/lib")
        ),
        "PATH": f"/var/lang/bin:/usr/local/bin:/usr/bin:/bin:{layers}/bin",
        "PYTHONPATH": runtime,
        "PYTHONUNBUFFERED": "1",
        "TZ": ":UTC",
        "_HANDLER": start.handler,
    }
    if not box.has_root:
        lambdas["TMPDIR"] = str(temporary)
    return {**lambdas, **start.environment}


def _check(environment: Mapping[str, str]) -> None:
    reserved = reserved_names()
    for name in environment:
        if name in reserved:
            raise UsageError(f"{name} is set by Lambda itself", hint="a function cannot be given it")
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a variable")


def _check_machine(start: Start, wanted: Target) -> None:
    own = _own_architecture()
    if start.architecture is not None and own != start.architecture:
        raise Refused(
            f"{start.artifact.path} is for {start.architecture}, and this machine is {platform.machine()}",
            hint="start it on a machine of that architecture",
        )


def _own_architecture() -> str | None:
    return {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())


def _boot(
    start: Start,
    wanted: Target,
    python: Interpreter,
    box: Sandbox,
    here: Folders,
    course: Course,
    streams: Streams,
) -> Boot:
    shown = _Shown(box, here)
    output = shown.text(streams.output())
    ready = next((each for each in course.heard if each.message.told is Told.READY), None)
    init_ms = None if ready is None else (ready.message.at - course.begun) * 1000
    init_error = _init_error(course, shown) if ready is None else None
    invocations = tuple(_invocations(start, course, shown)) if ready is not None else ()
    return Boot(
        artifact=start.artifact.path,
        function=start.function,
        handler=start.handler,
        runtime=start.runtime,
        architecture=wanted.architecture,
        python=python.version,
        isolation=box.isolation,
        init_ms=init_ms,
        init_error=init_error,
        init_peak_mb=course.peak_mb if ready is None else ready.peak_mb,
        peak_mb=course.peak_mb,
        imports=tuple(streams.times.rows()),
        invocations=invocations,
        files=tuple(sorted(shown.text(path) for path in streams.told["r"] if not shown.is_ours(path))),
        compiled=tuple(sorted(shown.text(path) for path in streams.told["c"])),
        refused=tuple(sorted(shown.text(path) for path in streams.told["w"])),
        output=output,
        output_cut=streams.cut,
        passed=tuple(_passed(start, init_ms, course.peak_mb)),
        notes=(
            *_notes(start, box, here, init_ms),
            *_wanted_variables([init_error, *(each.error for each in invocations)]),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """Paths as Lambda has them, wherever they lay here."""

    box: Sandbox
    here: Folders

    def text(self, text: str) -> str:
        if not self.box.has_root:
            for place, seen in ((self.here.task, "/var/task"), (self.here.layers, "/opt")):
                text = text.replace(str(place), seen)
        return text

    def is_ours(self, path: str) -> bool:
        return path.startswith(str(self.box.folders.starter))


def _init_error(course: Course, shown: _Shown) -> Raised:
    told = next((each.message for each in course.heard if each.message.told is Told.INIT_ERROR), None)
    if told is not None:
        return _raised(told.body, shown)
    return _ended(course, f"init is not done after {INIT_MAX_S} s")


def _ended(course: Course, too_long: str) -> Raised:
    if course.overfull:
        return Raised("Runtime.OutOfMemory", f"the process has taken {course.peak_mb:.0f} MB, and was stopped")
    if course.overran:
        return Raised("Sandbox.Timedout", too_long)
    return Raised("Runtime.ExitError", f"the process has ended by itself, with {course.code}")


def _invocations(start: Start, course: Course, shown: _Shown) -> Iterator[Invocation]:
    by_event: dict[int, list[Heard]] = {}
    for each in course.heard:
        by_event.setdefault(each.message.index, []).append(each)
    for index, sample in enumerate(start.events):
        heard = [each.message for each in by_event.get(index, ())]
        ready = next((each for each in heard if each.told is Told.READY), None)
        told = next((each for each in heard if each.told is not Told.READY), None)
        if ready is None:
            yield Invocation(sample.name, Ending.NOT_RUN)
        elif told is None:
            ending = Ending.OUT_OF_MEMORY if course.overfull else Ending.TIMEOUT if course.overran else Ending.EXIT
            error = _ended(course, f"there is no answer after {start.timeout_s:g} s")
            yield Invocation(sample.name, ending, (course.ended - ready.at) * 1000, error=error)
        elif told.told is Told.ERROR:
            yield Invocation(sample.name, Ending.ERROR, (told.at - ready.at) * 1000, error=_raised(told.body, shown))
        else:
            text = told.body[: 4 * MAX_RESPONSE_CHARACTERS].decode(errors="replace")[:MAX_RESPONSE_CHARACTERS]
            yield Invocation(sample.name, Ending.ANSWER, (told.at - ready.at) * 1000, text, len(told.body))


def _raised(body: bytes, shown: _Shown) -> Raised:
    """The error in what the client posted."""
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        document = {}
    if not isinstance(document, dict):
        document = {}
    trace = document.get("stackTrace")
    lines = [line for each in trace for line in str(each).splitlines()] if isinstance(trace, list) else []
    return Raised(
        str(document.get("errorType") or "unknown")[:200],
        shown.text(str(document.get("errorMessage") or ""))[:_MAX_MESSAGE],
        tuple(shown.text(line)[:_MAX_MESSAGE] for line in lines[-_MAX_TRACE:]),
    )


def _passed(start: Start, init_ms: float | None, peak_mb: float | None) -> Iterator[str]:
    if start.max_init_ms is not None and init_ms is not None and init_ms > start.max_init_ms:
        yield f"init took {init_ms:,.0f} ms; the budget is {start.max_init_ms:,} ms"
    if start.max_memory_mb is not None and peak_mb is not None and peak_mb > start.max_memory_mb:
        yield f"it took {peak_mb:,.0f} MB of memory; the budget is {start.max_memory_mb:,} MB"


def _wanted_variables(errors: Sequence[Raised | None]) -> Iterator[str]:
    """What to do about variables that the function looks for in vain."""
    names = (
        error.message.strip("'")
        for error in errors
        if error is not None and error.type == "KeyError" and any("os.environ" in line for line in error.trace)
    )
    yield from (f"it wants a variable: give it by --env {name}=VALUE" for name in dict.fromkeys(names))


def _notes(start: Start, box: Sandbox, here: Folders, init_ms: float | None) -> Iterator[str]:
    yield f"started by awslambdaric {client_version(here.runtime)}".rstrip()
    if box.isolation is Isolation.PERMISSIONS:
        yield "no isolation but file permissions: the code ran as you, and saw your files"
    if sys.platform != "linux":
        yield f"this machine runs {platform.system()}: native code for Linux does not load on it"
    if start.architecture is None:
        yield f"nobody says for which architecture it is; it was tried on {platform.machine()}"
    init_s = limit("init", "max_s")
    if init_ms is not None and init_ms > init_s * 1000:
        yield f"Lambda cuts init off after {init_s} s, and starts anew within the first invocation"
