"""Programs that tests start and interrupt."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdout: int | None = None,
    stderr: int | None = subprocess.PIPE,
) -> Iterator[subprocess.Popen[bytes]]:
    """*command* while it runs; what is left of it is killed."""
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdout=stdout, stderr=stderr, preexec_fn=_heed_interrupts
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _heed_interrupts() -> None:
    # A shell lets what it starts in the background ignore them, and all that this starts would.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
