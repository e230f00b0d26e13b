"""The one time that everything in a package states, since the times of files differ from checkout to checkout."""

import re
import time
from collections.abc import Mapping
from typing import Final

from lambdalint.errors import UsageError

#: 1980-01-01, the first day that a ZIP can state.
EARLIEST_S: Final = 315_532_800
#: 2107-12-31 23:59:58, the last one.
LATEST_S: Final = 4_354_819_198

#: Where users and builders of distributions say a time.
VARIABLE: Final = "SOURCE_DATE_EPOCH"

_INTEGER: Final = re.compile(r"-?[0-9]{1,20}")


def source_date_epoch(environment: Mapping[str, str]) -> int | None:
    """The time that *environment* wants, in seconds since 1970, or the nearest that a ZIP can state.

    Raises:
        UsageError: it is no number.

    Source: https://reproducible-builds.org/specs/source-date-epoch/
    """
    text = environment.get(VARIABLE, "").strip()
    if not text:
        return None
    if not _INTEGER.fullmatch(text):
        raise UsageError(
            f"{VARIABLE} is {text!r}, which is no whole number",
            hint="it is a time in seconds since 1970, as `git log -1 --format=%ct` prints it",
        )
    return min(max(int(text), EARLIEST_S), LATEST_S)


def dos_time(seconds: int) -> tuple[int, int]:
    """Time and date as a ZIP states them, in UTC and to two seconds."""
    at = time.gmtime(seconds)
    return at.tm_hour << 11 | at.tm_min << 5 | at.tm_sec // 2, at.tm_year - 1980 << 9 | at.tm_mon << 5 | at.tm_mday


def iso_time(seconds: int) -> str:
    """The time as the configuration of an image states it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
