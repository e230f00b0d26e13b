"""Threads for what takes its time elsewhere: indexes, registries, other programs."""

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType


class Workers(ThreadPoolExecutor):
    """Threads that are waited for, except by somebody who interrupts: an index that is slow would keep him waiting."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        is_interrupted = isinstance(error, KeyboardInterrupt)
        self.shutdown(wait=not is_interrupted, cancel_futures=is_interrupted)
