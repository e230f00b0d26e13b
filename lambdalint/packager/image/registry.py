"""Images in registries: manifests and blobs, fetched and pushed.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from lambdalint.errors import Refused
from lambdalint.packager.host import Progress, silent
from lambdalint.packager.image.answers import finish, pieces, whole
from lambdalint.packager.image.authorization import Authorization
from lambdalint.packager.image.reference import Reference
from lambdalint.packager.web import Web, shown, split
from lambdalint.readers.image.documents import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    MAX_DOCUMENT_BYTES,
    OCI_INDEX,
    OCI_MANIFEST,
)
from lambdalint.readers.image.layers import Blob

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_MANIFESTS: Final = ", ".join((OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST))
#: Larger pieces than registries and the proxies before them take would be refused; smaller ones cost round trips.
UPLOAD_CHUNK: Final = 16 * 1024 * 1024
_ATTEMPTS: Final = 5
_MAX_WAIT_S: Final = 60.0
_RETRIED: Final = (408, 429, 500, 502, 503, 504)
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MAX_REDIRECTS: Final = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest as the registry has it; *digest* is that of *data*."""

    data: bytes
    media_type: str
    digest: str


class Registry:
    """One repository of a registry; may be used from several threads.

    What fails for a moment is tried again: lost connections, too many requests, servers that are busy.  *pause* waits
    so many seconds.
    """

    def __init__(
        self,
        image: Reference,
        web: Web,
        environment: Mapping[str, str],
        progress: Progress = silent,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.image = image
        self._web = web
        self._environment = environment
        self._progress = progress
        self._pause = pause
        self._authorization = Authorization(image, web, environment)

    def manifest(self, version: str | None = None) -> Fetched:
        """The manifest or index at *version*, a tag or digest; by default the one that the reference names.

        Raises:
            Refused: it is not there, or it is not what its digest says.
        """
        wanted = version or self.image.version
        response = self._call("GET", f"manifests/{wanted}", {"Accept": _MANIFESTS}, (200,))
        data = whole(response, MAX_DOCUMENT_BYTES, str(self.image))
        digest = _digest(data)
        stated = wanted if wanted.startswith("sha256:") else response.headers.get("Docker-Content-Digest", digest)
        if stated != digest:
            raise Refused(
                f"the manifest of {self.image} is not what its digest says",
                hint="try again, or ask who runs the registry",
            )
        return Fetched(data, response.headers.get("Content-Type", "").partition(";")[0], digest)

    def has_blob(self, digest: str) -> bool:
        """Whether the repository has the blob already."""
        response = self._call("HEAD", f"blobs/{digest}", {}, (200, 404), scope="pull,push")
        finish(response)
        return response.status == 200

    def fetch(self, digest: str, size: int, into: Path) -> None:
        """Write the blob to the file *into*; a connection that breaks off is taken up where it broke.

        Raises:
            Refused: it is not there, too large, or not what its digest says.
        """
        name = f"layer {digest[7:19]}"
        hasher, done = hashlib.sha256(), 0
        with into.open("wb") as file:
            for attempt in range(_ATTEMPTS):
                headers = {"Range": f"bytes={done}-"} if done else {}
                response = self._call("GET", f"blobs/{digest}", headers, (200, 206))
                if done and response.status == 200:
                    file.seek(0)
                    file.truncate()
                    hasher, done = hashlib.sha256(), 0
                try:
                    for data in pieces(response):
                        done += len(data)
                        if done > size:
                            raise Refused(f"{name} of {self.image} is larger than its manifest says")
                        file.write(data)
                        hasher.update(data)
                        self._progress("pull", name, done, size)
                except ConnectionError as error:
                    if attempt + 1 == _ATTEMPTS:
                        raise Refused(f"{name} of {self.image} breaks off: {error}", hint="try again") from error
                    self._pause(_backoff(attempt, None))
                    continue
                finally:
                    response.release_conn()
                if done == size:
                    break
        if done != size or f"sha256:{hasher.hexdigest()}" != digest:
            raise Refused(f"{name} of {self.image} is not what its digest says: {done:,} of {size:,} bytes came")

    def push(self, digest: str, blob: Blob, mount_from: str | None = None) -> str:
        """Put the blob into the repository; ``"present"``, ``"mounted"`` or ``"pushed"`` says how it got there.

        *mount_from* is another repository of the same registry that may have it.

        Raises:
            Refused: the registry does not take it.
        """
        name = f"layer {digest[7:19]}"
        if self.has_blob(digest):
            self._progress("push", name, blob.size, blob.size)
            return "present"
        asked = f"blobs/uploads/?{urlencode({'mount': digest, 'from': mount_from})}" if mount_from else "blobs/uploads/"
        response = self._call("POST", asked, {}, (201, 202), b"", also=mount_from)
        finish(response)
        if response.status == 201 and mount_from:
            return "mounted"
        self._upload(response.headers.get("Location", ""), digest, blob, name)
        return "pushed"

    def push_manifest(self, data: bytes, media_type: str) -> str:
        """Put a manifest under the reference's tag, or its digest where there is no tag; its digest.

        Raises:
            Refused: the registry does not take it, or says it has another digest.
        """
        digest = _digest(data)
        response = self._call(
            "PUT", f"manifests/{self.image.tag or digest}", {"Content-Type": media_type}, (200, 201), data
        )
        finish(response)
        if response.headers.get("Docker-Content-Digest", digest) != digest:
            raise Refused(f"{self.image.host} says that the manifest has another digest than it has")
        return digest

    def _upload(self, location: str, digest: str, blob: Blob, name: str) -> None:
        place, done, failures = self._within(location), 0, 0
        with blob.open() as file:
            while done < blob.size:
                file.seek(done)
                data = file.read(UPLOAD_CHUNK)
                if not data:
                    raise Refused(f"{name} became shorter while it was pushed")
                headers = {
                    "Content-Type": "application/octet-stream",
                    "Content-Range": f"{done}-{done + len(data) - 1}",
                }
                status, reason, answered = self._sent(place, headers, data)
                if status in (202, 204):
                    place = self._within(answered.get("Location") or place)
                    done += len(data)
                    failures = 0
                    self._progress("push", name, done, blob.size)
                    continue
                failures += 1
                if failures == _ATTEMPTS or (status and status not in (*_RETRIED, 404, 416)):
                    raise Refused(f"{self.image.host} does not take {name}: {reason}", hint="try again")
                self._pause(_backoff(failures, answered.get("Retry-After")))
                place, done = self._resumed(place, done) or (self._begun(), 0)
        put = place + ("&" if "?" in place else "?") + urlencode({"digest": digest})
        response = self._tried("PUT", put, {}, (201, 204), b"", "pull,push")
        finish(response)

    def _sent(self, place: str, headers: Mapping[str, str], data: bytes) -> tuple[int, str, Mapping[str, str]]:
        """Status, reason and headers of the answer to a piece of an upload; status 0 when there is none."""
        try:
            response = self._once("PATCH", place, headers, data, "pull,push")
        except ConnectionError as error:
            return 0, str(error), {}
        finish(response)
        return response.status, f"{response.status} {response.reason or ''}".strip(), response.headers

    def _begun(self) -> str:
        response = self._call("POST", "blobs/uploads/", {}, (202,), b"")
        finish(response)
        return self._within(response.headers.get("Location", ""))

    def _resumed(self, place: str, done: int) -> tuple[str, int] | None:
        """Where an upload goes on, and how many bytes the registry has of it; ``None`` when it has forgotten it."""
        try:
            response = self._once("GET", place, {}, None, "pull,push")
        except ConnectionError:
            return place, done
        finish(response)
        if response.status == 404:
            return None
        end = re.fullmatch(r"(?:bytes=)?0-(\d+)", response.headers.get("Range", ""))
        if response.status != 204 or end is None:
            return place, done
        # A registry that has nothing yet cannot say so in a range: some answer 0-0.
        have = int(end[1]) + 1
        return self._within(response.headers.get("Location") or place), 0 if have == 1 else have

    def _call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        wanted: tuple[int, ...],
        body: bytes | None = None,
        *,
        scope: str | None = None,
        also: str | None = None,
    ) -> "BaseHTTPResponse":
        url = f"{self.image.api}/v2/{self.image.repository}/{path}"
        actions = scope or ("pull" if method == "GET" else "pull,push")
        return self._tried(method, url, headers, wanted, body, actions, also)

    def _tried(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        wanted: tuple[int, ...],
        body: bytes | None,
        actions: str,
        also: str | None = None,
    ) -> "BaseHTTPResponse":
        reason = ""
        for attempt in range(_ATTEMPTS):
            try:
                response = self._once(method, url, headers, body, actions, also)
            except ConnectionError as error:
                reason = str(error)
                if attempt + 1 < _ATTEMPTS:
                    self._pause(_backoff(attempt, None))
                continue
            if response.status in wanted:
                return response
            reason = _said(response)
            if response.status not in _RETRIED:
                break
            if attempt + 1 < _ATTEMPTS:
                self._pause(_backoff(attempt, response.headers.get("Retry-After")))
        raise Refused(f"{self.image} cannot be {_VERBS[method]}: {reason}", hint=_hint(reason, self.image.host))

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        actions: str,
        also: str | None = None,
    ) -> "BaseHTTPResponse":
        """One request, with whatever login it asks for, and redirections followed without it."""
        for _ in range(2):
            known = self._authorization.known(actions, also)
            sent = {**headers, **({"Authorization": known} if known and self._is_ours(url) else {})}
            response = self._followed(method, url, sent, body)
            if response.status != 401 or not self._is_ours(url):
                return response
            challenge = response.headers.get("WWW-Authenticate", "")
            finish(response)
            self._authorization.answer(challenge, known, actions, also)
        return response

    def _followed(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> "BaseHTTPResponse":
        at = url
        for _ in range(_MAX_REDIRECTS + 1):
            same = urlsplit(at)[:2] == urlsplit(url)[:2]
            # A login is for whom it was given to: storage behind a registry has its own, in the address.
            sent = headers if same else {name: value for name, value in headers.items() if name != "Authorization"}
            response = self._web.send(method, at, sent, body)
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or not target:
                return response
            finish(response)
            at = self._joined(at, target)
            if urlsplit(at).scheme not in ("http", "https") or (url.startswith("https") and at.startswith("http:")):
                raise Refused(f"{self.image.host} leads to {shown(at)}, which is no place to look for it")
        raise Refused(f"{self.image.host} leads from one address to the next without end")

    def _is_ours(self, url: str) -> bool:
        return url.startswith(f"{self.image.api}/")

    def _within(self, location: str) -> str:
        return self._joined(f"{self.image.api}/", location)

    def _joined(self, base: str, location: str) -> str:
        try:
            return urlunsplit(split(urljoin(base, location)))
        except ValueError:
            raise Refused(f"{self.image.host} leads to something that is no address") from None


_VERBS: Final = {"GET": "fetched", "HEAD": "looked up", "POST": "pushed", "PUT": "pushed", "PATCH": "pushed"}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _backoff(attempt: int, stated: str | None) -> float:
    """How long to wait, in seconds; a server that says how long is believed within reason."""
    if stated and stated.isdecimal():
        return min(float(stated), _MAX_WAIT_S)
    return min(0.5 * float(2**attempt), _MAX_WAIT_S)


def _said(response: "BaseHTTPResponse") -> str:
    """The status, with what the registry says about it."""
    words = f"{response.status} {response.reason or ''}".strip()
    try:
        data = whole(response, MAX_DOCUMENT_BYTES, "an error")
        errors = json.loads(data)["errors"]
        said = str(errors[0].get("message") or errors[0]["code"])
    except (Refused, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return words
    return f"{words}: {said[:200]}" if said.isprintable() else words


def _hint(reason: str, host: str) -> str:
    if reason.startswith(("401", "403")):
        return f"may you? docker login {host} logs in again"
    if reason.startswith("404"):
        return "is the name right, and is the repository there? ECR makes none by itself"
    return "is the network there, and is the name of the registry right?"
