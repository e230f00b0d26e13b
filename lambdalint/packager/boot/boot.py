"""Starting an artifact: unpack it, find what runs it, let it answer, and say how that went."""

import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lambdalint.aws.environment import reserved_names
from lambdalint.aws.limits import limit
from lambdalint.errors import Refused, UsageError
from lambdalint.model.artifact import Artifact
from lambdalint.model.boot import Boot, Isolation
from lambdalint.packager.boot.outcome import Sample, Tried, outcome
from lambdalint.packager.boot.process import Watch, mark, run
from lambdalint.packager.boot.runtime import client_version, runtime_folder
from lambdalint.packager.boot.runtime_api import RuntimeApi
from lambdalint.packager.boot.sandbox import Folders, Sandbox, sandbox
from lambdalint.packager.boot.streams import Streams
from lambdalint.packager.boot.unpack import unpack
from lambdalint.packager.bytecode import Interpreter, interpreter
from lambdalint.packager.host import Host
from lambdalint.packager.target import Target, target

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: A folder that does not exist, as on Lambda: nothing is found in it.
HOME: Final = "/home/sbx_user1051"


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
    check_variables(start.environment)
    wanted = target(start.runtime, start.architecture or own_architecture() or "x86_64")
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
        shown = _Shown(box, here)
        tried = Tried(
            artifact=start.artifact.path,
            function=start.function,
            handler=start.handler,
            runtime=start.runtime,
            architecture=wanted.architecture,
            python=python.version,
            isolation=box.isolation,
            events=start.events,
            timeout_s=start.timeout_s,
            max_init_ms=start.max_init_ms,
            max_memory_mb=start.max_memory_mb,
            notes=tuple(_notes(start, box, here)),
            shown=shown.text,
            is_ours=shown.is_ours,
        )
        return outcome(tried, course, streams)


def _environment(start: Start, wanted: Target, box: Sandbox, api: RuntimeApi, temporary: Path) -> dict[str, str]:
    """Lambda's own variables with values that open nothing, and those of the function."""
    task, layers, runtime = (str(each) for each in (box.folders.task, box.folders.layers, box.folders.runtime))
    lambdas = {
        **lambda_variables(start.function, start.memory_mb, api),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{start.runtime}",
        "HOME": HOME,
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


def lambda_variables(function: str, memory_mb: int | None, api: RuntimeApi) -> dict[str, str]:
    """What Lambda sets for every function, with values that open nothing."""
    return {
        "AWS_ACCESS_KEY_ID": "lambdalint-boot",
        "AWS_SECRET_ACCESS_KEY": "no-secret",
        "AWS_SESSION_TOKEN": "no-token",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb or limit("memory", "default_mb")),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "Text",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "lambdalint-boot",
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    }


def check_variables(environment: Mapping[str, str]) -> None:
    """Let *environment* be what a function can be given.

    Raises:
        UsageError: a name is Lambda's own, or none.
    """
    reserved = reserved_names()
    for name in environment:
        if name in reserved:
            raise UsageError(f"{name} is set by Lambda itself", hint="a function cannot be given it")
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a variable")


def _check_machine(start: Start, wanted: Target) -> None:
    own = own_architecture()
    if start.architecture is not None and own != start.architecture:
        raise Refused(
            f"{start.artifact.path} is for {start.architecture}, and this machine is {platform.machine()}",
            hint="start it on a machine of that architecture",
        )


def own_architecture() -> str | None:
    """What Lambda calls the architecture of this machine; ``None`` for one that it does not have."""
    return {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())


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


def _notes(start: Start, box: Sandbox, here: Folders) -> Iterator[str]:
    yield f"started by awslambdaric {client_version(here.runtime)}".rstrip()
    if box.isolation is Isolation.PERMISSIONS:
        yield "no isolation but file permissions: the code ran as you, and saw your files"
    if sys.platform != "linux":
        yield f"this machine runs {platform.system()}: native code for Linux does not load on it"
    if start.architecture is None:
        yield f"nobody says for which architecture it is; it was tried on {platform.machine()}"
