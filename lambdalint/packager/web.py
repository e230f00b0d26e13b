"""HTTP as the user's machine is set up for it: proxies, certificates, credentials; bounded in size and time."""

import netrc
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from lambdalint.errors import Refused
from lambdalint.store import home

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_CHUNK: Final = 1 << 18
_CERTIFICATES: Final = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_RETRIED: Final = (408, 429, 500, 502, 503, 504)
_ATTEMPTS: Final = 3


class NotFound(Refused):
    """The server says that there is no such thing."""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole answer; *url* is where it came from after redirections."""

    url: str
    content_type: str
    body: bytes


class Web:
    """Fetches over HTTP.

    Credentials are those in the address of an index given with them, for anything on the same host, else those of
    ``.netrc``.  An address without them is what goes into caches, messages and manifests.
    """

    def __init__(self, environment: Mapping[str, str], *, timeout_s: float | None = None) -> None:
        self._environment = environment
        self._timeout_s = timeout_s or _timeout_s(environment)
        self._known: dict[str, str] = {}
        self._pools: dict[str | None, PoolManager] = {}
        self._lock = Lock()

    def remember(self, url: str) -> str:
        """*url* without its credentials, which are kept for its host."""
        parts = split(url)
        if "@" in parts.netloc:
            userinfo, _, host = parts.netloc.rpartition("@")
            self._known[host] = userinfo
            return urlunsplit(parts._replace(netloc=host))
        return url

    def with_credentials(self, url: str) -> str:
        """*url* with the credentials that its host wants, if any are known."""
        parts = split(url)
        if parts.scheme not in ("http", "https") or "@" in parts.netloc:
            return url
        userinfo = self._known.get(parts.netloc) or self._from_netrc(parts.hostname or "")
        return urlunsplit(parts._replace(netloc=f"{userinfo}@{parts.netloc}")) if userinfo else url

    def page(self, url: str, *, accept: str, max_bytes: int) -> Page:
        """The whole of a page.

        Raises:
            NotFound: 404 or 410.
            Refused: anything else that is no page, one that is larger than *max_bytes*, or one that takes too long.
        """
        response = self._open(url, accept)
        try:
            body = b"".join(self._chunks(response, url, max_bytes, 4 * self._timeout_s))
        finally:
            response.release_conn()
        return Page(urljoin(url, response.url or ""), response.headers.get("Content-Type", ""), body)

    def chunks(self, url: str, *, max_bytes: int) -> Iterator[bytes]:
        """The pieces of a file as they come; raises as :meth:`page` does."""
        response = self._open(url, "*/*")
        try:
            yield from self._chunks(response, url, max_bytes, 40 * self._timeout_s)
        finally:
            response.release_conn()

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> "BaseHTTPResponse":
        """One request as it stands: no credentials, no redirection, not tried again; the answer is not read yet.

        Raises:
            ConnectionError: there is no answer, in words.
        """
        from urllib3.exceptions import HTTPError

        own = {"User-Agent": "lambdalint", **headers}
        try:
            return self._pool(url).request(
                method, url, headers=own, body=body, redirect=False, retries=False, preload_content=False
            )
        except HTTPError as error:
            raise ConnectionError(_reason(error)) from error

    def _open(self, url: str, accept: str) -> "BaseHTTPResponse":
        from urllib3 import make_headers
        from urllib3.exceptions import HTTPError

        headers = {"Accept": accept, "User-Agent": "lambdalint", "Accept-Encoding": "gzip"}
        parts = urlsplit(self.with_credentials(url))
        if "@" in parts.netloc:
            user, _, password = parts.netloc.rpartition("@")[0].partition(":")
            headers |= make_headers(basic_auth=f"{unquote(user)}:{unquote(password)}")
        reason = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(min(0.2 * 2**attempt, self._timeout_s))
            try:
                response = self._pool(url).request("GET", url, headers=headers, preload_content=False)
            except HTTPError as error:
                reason = _reason(error)
                continue
            if response.status < 400:
                return response
            response.drain_conn()
            response.release_conn()
            reason = f"it answers {response.status} {response.reason or ''}".strip()
            if response.status in (404, 410):
                raise NotFound(f"{shown(url)} does not exist")
            if response.status not in _RETRIED:
                break
        raise Refused(f"{shown(url)} cannot be fetched: {reason}", hint=_hint(reason))

    def _chunks(self, response: "BaseHTTPResponse", url: str, max_bytes: int, max_s: float) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError

        deadline, size = time.monotonic() + max_s, 0
        try:
            for chunk in response.stream(_CHUNK):
                size += len(chunk)
                if size > max_bytes:
                    raise Refused(f"{shown(url)} is larger than {max_bytes:,} bytes")
                if time.monotonic() > deadline:
                    raise Refused(f"{shown(url)} takes longer than {max_s:.0f} s", hint="try again, or use a mirror")
                yield chunk
        except HTTPError as error:
            raise Refused(f"{shown(url)} breaks off: {_reason(error)}", hint="try again") from error

    def _pool(self, url: str) -> "PoolManager":
        parts = urlsplit(url)
        proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = self._new_pool(proxy)
            return self._pools[proxy]

    def _new_pool(self, proxy: str | None) -> "PoolManager":
        from urllib3 import PoolManager, ProxyManager, Retry, Timeout, make_headers

        timeout = Timeout(connect=min(10.0, self._timeout_s), read=self._timeout_s)
        # Only redirections are followed here; what is tried again is decided above, where the reason is kept.
        retries = Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5, raise_on_status=False)
        context = self._certificates
        if proxy is None:
            return PoolManager(maxsize=16, timeout=timeout, retries=retries, ssl_context=context)
        parts = urlsplit(proxy)
        if parts.scheme not in ("http", "https"):
            raise Refused(
                f"proxies of the kind {parts.scheme}: are not supported", hint="set HTTPS_PROXY to an http:// address"
            )
        user = unquote(parts.netloc.rpartition("@")[0])
        headers = make_headers(proxy_basic_auth=user) if user else None
        return ProxyManager(
            proxy, proxy_headers=headers, maxsize=16, timeout=timeout, retries=retries, ssl_context=context
        )

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        for name in _CERTIFICATES:
            if path := self._environment.get(name):
                try:
                    return ssl.create_default_context(
                        cafile=None if Path(path).is_dir() else path, capath=path if Path(path).is_dir() else None
                    )
                except (OSError, ssl.SSLError) as error:
                    raise Refused(f"{name}={path} holds no certificates: {error}") from error
        return ssl.create_default_context()

    @cached_property
    def _netrc(self) -> netrc.netrc | None:
        folder = self._environment.get("HOME") or home() or ""
        try:
            return netrc.netrc(self._environment.get("NETRC") or str(Path(folder, ".netrc")))
        except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
            return None

    def _from_netrc(self, host: str) -> str | None:
        found = self._netrc.authenticators(host) if self._netrc else None
        return f"{quote(found[0], safe='')}:{quote(found[2] or '', safe='')}" if found else None


def split(url: str) -> SplitResult:
    """The parts of an address.

    Raises:
        Refused: it has none.
    """
    try:
        return urlsplit(url)
    except ValueError as error:
        masked = re.sub(r"//.*@", "//***@", url)[:100]
        raise Refused(f"{masked} is no address: {str(error)[:1].lower()}{str(error)[1:]}") from None


def shown(url: str) -> str:
    """*url* for the reader: without credentials, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def _timeout_s(environment: Mapping[str, str]) -> float:
    for name in ("UV_HTTP_TIMEOUT", "PIP_DEFAULT_TIMEOUT"):
        try:
            return min(max(float(environment[name]), 1.0), 300.0)
        except (KeyError, ValueError):
            continue
    return 30.0


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", None) or error
    text = str(cause.args[-1] if isinstance(cause, Exception) and cause.args else cause)
    text = text.rpartition("object at 0x")[2].partition(": ")[2] or text
    return text[:1].lower() + text[1:200]


def _hint(reason: str) -> str:
    if "401" in reason or "403" in reason:
        return "put credentials for it into ~/.netrc, or into the index's address"
    if "ertificate" in reason:
        return "set SSL_CERT_FILE to a file with the certificates of your network"
    return "is the network there, and is the index right? UV_DEFAULT_INDEX or PIP_INDEX_URL name another one"
