"""Which calls go over the network by HTTP or a plain socket, and where they take the address and the timeout."""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

_VERBS: Final = ("get", "options", "head", "post", "put", "patch", "delete")
_VENDORED: Final = "botocore.vendored."


class Address(Enum):
    """In what form a call is told where to go."""

    URL = "url"
    HOST = "host"
    PAIR = "pair"  # host and port


@dataclass(frozen=True, slots=True)
class HttpCall:
    """What a call takes: *position* is that of the address, *timeout* that of the timeout, ``None`` for keyword only.

    *opener* is the class whose instance the call is a method of, ``None`` for a function or a constructor.
    """

    library: str
    address: Address
    position: int
    timeout: int | None = None
    opener: str | None = None

    @property
    def keyword(self) -> str:
        """The name of the address as a keyword argument."""
        return "url" if self.address is Address.URL else "host" if self.address is Address.HOST else "address"


def http_call(name: str) -> HttpCall | None:
    """What the callee of that qualified name is; ``None`` when it is none of these."""
    return _table().get(name.removeprefix(_VENDORED))


@cache
def _table() -> dict[str, HttpCall]:
    found = {
        "urllib.request.urlopen": HttpCall("urllib", Address.URL, 0, 2),
        "urllib.request.urlretrieve": HttpCall("urllib", Address.URL, 0),
        "http.client.HTTPConnection": HttpCall("http.client", Address.HOST, 0, 2),
        "http.client.HTTPSConnection": HttpCall("http.client", Address.HOST, 0),
        "socket.create_connection": HttpCall("socket", Address.PAIR, 0, 1),
        "socket.socket().connect": HttpCall("socket", Address.PAIR, 0, None, "socket.socket"),
        "urllib3.request": HttpCall("urllib3", Address.URL, 1),
        "httpx.stream": HttpCall("httpx", Address.URL, 1),
    }
    for library in ("requests", "requests.api", "httpx"):
        base = library.partition(".")[0]
        found |= {f"{library}.{verb}": HttpCall(base, Address.URL, 0) for verb in _VERBS}
        found[f"{library}.request"] = HttpCall(base, Address.URL, 1)
    found["aiohttp.request"] = HttpCall("aiohttp", Address.URL, 1)
    for opener in (
        "requests.Session",
        "requests.session",
        "requests.sessions.Session",
        "httpx.Client",
        "httpx.AsyncClient",
        "aiohttp.ClientSession",
    ):
        library = opener.partition(".")[0]
        for verb in _VERBS:
            found[f"{opener}().{verb}"] = HttpCall(library, Address.URL, 0, None, opener)
        for method in ("request", "stream") if library == "httpx" else ("request",):
            found[f"{opener}().{method}"] = HttpCall(library, Address.URL, 1, None, opener)
    found["aiohttp.ClientSession().ws_connect"] = HttpCall("aiohttp", Address.URL, 0, None, "aiohttp.ClientSession")
    for opener in ("urllib3.PoolManager", "urllib3.poolmanager.PoolManager"):
        for method in ("request", "urlopen", "request_encode_url", "request_encode_body"):
            found[f"{opener}().{method}"] = HttpCall("urllib3", Address.URL, 1, None, opener)
    return found
