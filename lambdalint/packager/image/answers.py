"""What servers answer, read within bounds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lambdalint.errors import Refused

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_CHUNK: Final = 1 << 18


def finish(response: "BaseHTTPResponse") -> None:
    """Read what is left of an answer that nobody wants, so that its connection serves the next request."""
    response.drain_conn()
    response.release_conn()


def pieces(response: "BaseHTTPResponse") -> Iterator[bytes]:
    """The pieces of an answer.

    Raises:
        ConnectionError: it breaks off.
    """
    with _as_connection_error():
        yield from response.stream(_CHUNK)


def whole(response: "BaseHTTPResponse", max_bytes: int, what: str) -> bytes:
    found = bytearray()
    try:
        for data in pieces(response):
            found += data
            if len(found) > max_bytes:
                raise Refused(f"the answer for {what} is larger than {max_bytes:,} bytes")
    except ConnectionError as error:
        raise Refused(f"the answer for {what} breaks off: {error}", hint="try again") from error
    finally:
        response.release_conn()
    return bytes(found)


@contextmanager
def _as_connection_error() -> Iterator[None]:
    from urllib3.exceptions import HTTPError

    try:
        yield
    except HTTPError as error:
        raise ConnectionError(str(error)[:200]) from error
