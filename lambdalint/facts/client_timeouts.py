"""How long the timeouts that code gives to its clients let it wait."""

from dataclasses import dataclass
from typing import Final

from lambdalint.facts.calls import Call
from lambdalint.facts.clients import client
from lambdalint.facts.expressions import CallOf, Collection, Expression, Literal
from lambdalint.facts.http_calls import http_call

#: What configures a client of the SDK.
CONFIGS: Final = ("botocore.config.Config", "botocore.client.Config")
_OPENERS: Final = ("httpx.Client", "httpx.AsyncClient", "aiohttp.ClientSession", "urllib3.PoolManager")
_TIMEOUTS: Final = (
    "urllib3.Timeout",
    "urllib3.util.Timeout",
    "urllib3.util.timeout.Timeout",
    "aiohttp.ClientTimeout",
    "aiohttp.client.ClientTimeout",
)
_RETRIES: Final = ("urllib3.Retry", "urllib3.util.Retry", "urllib3.util.retry.Retry")


@dataclass(frozen=True, slots=True)
class Wait:
    """What one call may take: *attempts* times *seconds*, the pauses between them not counted.

    *assumed*: one of the numbers is a default of the library.
    """

    seconds: float
    attempts: int = 1
    assumed: bool = False

    @property
    def total_s(self) -> float:
        """All attempts together."""
        return self.seconds * self.attempts

    def __str__(self) -> str:
        return f"{self.attempts} times {self.seconds:g} s" if self.attempts > 1 else f"{self.seconds:g} s"


def stated_wait(call: Call, name: str) -> Wait | None:
    """The wait that *call*, of the qualified *name*, states for itself or for the client it makes.

    ``None`` when it states nothing that is known.  Of the SDK's attempts only stated ones count: its defaults differ
    by service and mode.

    Source: https://docs.aws.amazon.com/botocore/latest/reference/config.html
    """
    if name in CONFIGS:
        return _config_wait(call)
    known = http_call(name)
    if known is None and name not in _OPENERS:
        return _client_wait(call, name)
    seconds = waited_s(call.argument(known.timeout if known else None, "timeout"))
    if seconds is None:
        return None
    if known is None or known.library != "urllib3":
        return Wait(seconds)
    retries = call.argument(None, "retries")
    attempts = _attempts(retries)
    return None if attempts is None else Wait(seconds, attempts, assumed=retries is None)


def urllib3_retries() -> int:
    """How often urllib3 tries again when nobody says how often."""
    known = client("urllib3.PoolManager")
    return known.further if known is not None else 0


def waited_s(timeout: Expression | None) -> float | None:
    """The seconds that a client with that *timeout* waits for a server that does not answer; ``None`` if unknown."""
    match timeout:
        case Literal(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
        case Collection("tuple", (connect, read), _, True):
            return _sum(connect, read)
        case CallOf("httpx.Timeout", args, keywords):
            default = args[0] if args else keywords.get("timeout")
            return _sum(keywords.get("connect", default), keywords.get("read", default))
        case CallOf(name, args, keywords) if name in _TIMEOUTS:
            total = keywords.get("total", args[0] if args else None)
            return _sum(keywords.get("connect"), keywords.get("read")) if total is None else waited_s(total)
        case _:
            return None


def _sum(*parts: Expression | None) -> float | None:
    known = [waited_s(part) for part in parts]
    return None if None in known else sum(each for each in known if each is not None)


def _client_wait(call: Call, name: str) -> Wait | None:
    """What a driver or a service's client is told to wait at most; attempts count where they are stated."""
    known = client(name)
    if known is None or known.keyword is None:
        return None
    seconds = waited_s(call.argument(known.position, known.keyword))
    if seconds is None:
        return None
    attempts = 1
    match call.keywords.get(known.retries) if known.retries is not None else None:
        case Literal(value) if isinstance(value, int):
            attempts = 1 + value
        case _:
            pass
    return Wait(seconds / known.per_second, attempts)


def _config_wait(call: Call) -> Wait | None:
    keywords = call.keywords
    parts = [waited_s(keywords[key]) for key in ("connect_timeout", "read_timeout") if key in keywords]
    known = [each for each in parts if each is not None]
    if not known:
        return None
    retries = keywords.get("retries")
    attempts = 1
    if isinstance(retries, Collection):
        for key, first in (("max_attempts", 1), ("total_max_attempts", 0)):
            stated = retries.get(key)
            if isinstance(stated, Literal) and isinstance(stated.value, int):
                attempts = stated.value + first
    return Wait(sum(known), max(attempts, 1))


def _attempts(retries: Expression | None) -> int | None:
    match retries:
        case None | Literal(None):
            return 1 + urllib3_retries()
        case Literal(False):
            return 1
        case Literal(value) if isinstance(value, int):
            return 1 + value
        case CallOf(name, args, keywords) if name in _RETRIES:
            return _attempts(keywords.get("total", args[0] if args else Literal("")))
        case _:
            return None
