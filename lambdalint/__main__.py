"""The ``lambdalint`` command, also as ``python -m lambdalint``."""

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

from lambdalint.cli import main


def run() -> NoReturn:
    """Run the command line and end the process.

    A process that lives for a second gains nothing from looking for garbage, nor from taking everything apart when it
    ends: together that is a fifth of the time for a large template.
    """
    gc.disable()
    code: object = 0
    try:
        main(prog_name="lambdalint")
    except SystemExit as end:
        code = end.code
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    run()
