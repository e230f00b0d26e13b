"""Names of images in registries.

Source: https://github.com/distribution/reference/blob/main/reference.go
"""

import re
from dataclasses import dataclass
from typing import Final

from lambdalint.errors import UsageError

_DOCKER_HUB: Final = ("docker.io", "index.docker.io", "registry-1.docker.io")
_DOCKER_HUB_API: Final = "registry-1.docker.io"
_REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")
_LOOPBACK: Final = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image in a registry; *host* is as written, *tag* is ``latest`` where neither a tag nor a digest is."""

    host: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def api(self) -> str:
        """The address of the registry; plain HTTP on this machine only."""
        host = _DOCKER_HUB_API if self.host in _DOCKER_HUB else self.host
        return f"{'http' if _LOOPBACK.fullmatch(self.host) else 'https'}://{host}"

    @property
    def version(self) -> str:
        """What says which of the repository's images: the digest if there is one."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        named = f"{self.host}/{self.repository}"
        named += f":{self.tag}" if self.tag else ""
        return f"{named}@{self.digest}" if self.digest else named


def reference(text: str) -> Reference:
    """The image that *text* names, ``HOST/NAME[:TAG][@DIGEST]``; without a host it is one of Docker Hub.

    Raises:
        UsageError: it names none.
    """
    name, at, digest = text.partition("@")
    host, slash, rest = name.partition("/")
    if not slash or not (any(sign in host for sign in ".:") or host == "localhost"):
        host, rest = _DOCKER_HUB[0], name
    repository, colon, tag = rest.rpartition(":") if ":" in rest else (rest, "", "")
    if host in _DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    right = (
        _HOST.fullmatch(host)
        and _REPOSITORY.fullmatch(repository)
        and (not colon or _TAG.fullmatch(tag))
        and (not at or _DIGEST.fullmatch(digest))
    )
    if not right:
        raise UsageError(
            f"{text!r} names no image of a registry", hint="write HOST/NAME:TAG or HOST/NAME@sha256:…, in lower case"
        )
    return Reference(host, repository, tag or (None if at else "latest"), digest or None)
