"""One run of a function in its sandbox: until it has answered all events, fails, or takes too long."""

import os
import queue
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lambdalint.errors import Refused
from lambdalint.model.boot import Phase
from lambdalint.packager.boot.runtime_api import Message, RuntimeApi, Told
from lambdalint.packager.boot.streams import Streams

#: Lambda cuts init off after ten seconds, and lets it start anew; a slower machine than Lambda's gets longer.
INIT_MAX_S: Final = 60
_TICK_S: Final = 0.05
_END_TICK_S: Final = 0.002
_END_MAX_S: Final = 2
_MB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Heard:
    """A message and the highest memory in MB until then, ``None`` where nobody says it."""

    message: Message
    peak_mb: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """How a run went: all that was *heard*, when it *begun* and *ended*, and what ended it.

    *code* is the exit code of a process that ended by itself.  *overran* and *overfull* say that it was stopped, for
    its time or for its memory.
    """

    heard: tuple[Heard, ...]
    begun: float
    ended: float
    peak_mb: float | None
    code: int | None = None
    overran: bool = False
    overfull: bool = False


@dataclass(slots=True)
class Watch:
    """Follows one child; *max_mb* is the memory that it may have.

    *processes* gives those whose memory counts, that of the largest, for the one that was started; without, it is the
    one inside a sandbox.
    """

    streams: Streams
    max_mb: int
    process: "subprocess.Popen[bytes] | None" = None
    peak_mb: float | None = None
    processes: Callable[[int], Iterable[int]] | None = None
    messages: "queue.Queue[Heard]" = field(default_factory=queue.Queue)
    _pid: int | None = None

    def hear(self, message: Message) -> None:
        """Note *message*, while the child waits for its answer."""
        self.streams.settle(Phase.INVOKE if message.told is Told.READY else None)
        self.measure()
        self.messages.put(Heard(message, self.peak_mb))

    def measure(self) -> None:
        """Look how much memory the child has had at most."""
        if self.process is None:
            return
        for pid in self._measured(self.process.pid):
            with suppress(OSError, ValueError, IndexError):
                status = Path(f"/proc/{pid}/status").read_text()
                peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
                self.peak_mb = max(peak, self.peak_mb or 0)

    def _measured(self, pid: int) -> Iterable[int]:
        if self.processes is not None:
            return self.processes(pid)
        self._pid = self._pid or _innermost(pid)
        return () if self._pid is None else (self._pid,)

    def follow(self, events: int, timeout_s: float) -> tuple[list[Heard], bool, bool]:
        """Wait for the end of *events*; what was heard, and whether it overran or was overfull."""
        assert self.process is not None, "it was started"
        heard: list[Heard] = []
        deadline = time.monotonic() + INIT_MAX_S
        while True:
            try:
                latest = self.messages.get(timeout=_TICK_S)
            except queue.Empty:
                self.measure()
                if self.peak_mb is not None and self.peak_mb > self.max_mb:
                    return heard, False, True
                if time.monotonic() > deadline:
                    return heard, True, False
                if self.process.poll() is not None and self.messages.empty():
                    return heard, False, False
                continue
            if latest.peak_mb is not None and latest.peak_mb > self.max_mb:
                return heard, False, True  # Lambda would have ended it before it could tell
            heard.append(latest)
            told = latest.message
            if told.told is Told.INIT_ERROR or (told.told is Told.READY and told.index >= events):
                return heard, False, False
            deadline = time.monotonic() + timeout_s


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    popen: Mapping[str, object],
    *,
    api: RuntimeApi,
    watch: Watch,
) -> Course:
    """Start *command* and follow it to its end; nothing of it is left afterwards.

    Raises:
        Refused: it cannot be started.
    """
    out, err, tell = watch.streams.writers
    begun = time.monotonic()
    try:
        process = subprocess.Popen(  # noqa: S603
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            pass_fds=(tell,),
            cwd=os.sep,
            start_new_session=True,
            **popen,  # type: ignore[call-overload]
        )
    except OSError as error:
        raise Refused(f"{command[0]} cannot be started: {error.strerror or error}") from error
    watch.process = process
    watch.streams.close_ours()
    overran = overfull = False
    try:
        heard, overran, overfull = watch.follow(len(api.events), api.timeout_s)
        code = process.poll()
    finally:
        ended = time.monotonic()
        inside = child_processes(process.pid) if process_name(process.pid) == "unshare" else None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        usage = _reap(process)
        _await_end(inside or ())
    watch.streams.settle()
    # What a child had before it became another program counts in its usage, so that is the last resort.
    peak = watch.peak_mb if watch.peak_mb is not None else usage
    return Course(tuple(heard), watch.streams.begun or begun, ended, peak, code, overran, overfull)


def mark() -> str:
    """A line that nothing prints by chance."""
    return f"lambdalint-{secrets.token_hex(8)}"


def _await_end(pids: Iterable[int]) -> None:
    """Wait until these processes have ended; the first of a namespace does so when all others in it have."""
    deadline = time.monotonic() + _END_MAX_S
    while any(map(_is_running, pids)) and time.monotonic() < deadline:
        time.sleep(_END_TICK_S)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def _reap(process: "subprocess.Popen[bytes]") -> float | None:
    """Wait for the end, and say how much memory it took at most, in MB."""
    if process.returncode is None:
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except ChildProcessError:
            return None
        process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / _MB
    return None


def _innermost(pid: int) -> int | None:
    """The only child of the only child … of *pid*, which is where a sandbox has the function; ``None`` before."""
    for _ in range(3):
        children = child_processes(pid)
        if children is None:
            return pid
        name = process_name(pid)
        if name != "unshare" or not children:
            return pid if name.startswith("python") else None
        pid = children[0]
    return None


def child_processes(pid: int) -> list[int] | None:
    """The children of a process; ``None`` where the system does not say."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return None


def process_name(pid: int) -> str:
    """What the program of a process is called, in 15 characters; empty where the system does not say."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
