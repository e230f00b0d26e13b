"""What a registry wants to see before it lets one in.

Source: https://distribution.github.io/distribution/spec/auth/token/
"""

import base64
import json
import re
from collections.abc import Mapping
from threading import Lock
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlunsplit

from lambdalint.errors import Refused
from lambdalint.packager.image.answers import whole
from lambdalint.packager.image.credentials import Login, login
from lambdalint.packager.image.reference import Reference
from lambdalint.packager.web import Web, shown, split

_MAX_TOKEN_BYTES: Final = 64 * 1024
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')
_VERBS: Final = {"pull": "pull from", "pull,push": "push to"}


class Authorization:
    """The headers that one repository wants, by what is to be done there; may be used from several threads."""

    def __init__(self, image: Reference, web: Web, environment: Mapping[str, str]) -> None:
        self._image = image
        self._web = web
        self._environment = environment
        self._lock = Lock()
        self._headers: dict[tuple[str, str | None], str] = {}
        self._login: Login | None = None
        self._asked_for_login = False

    def known(self, actions: str, also: str | None) -> str | None:
        """The header to send for *actions*, ``pull`` or ``pull,push``, and reading from the repository *also*."""
        return self._headers.get((actions, also))

    def answer(self, challenge: str, refused: str | None, actions: str, also: str | None) -> None:
        """Get a header that answers *challenge*, unless another thread has since the one that was *refused*.

        Raises:
            Refused: there is none to be had.
        """
        with self._lock:
            if self._headers.get((actions, also)) != refused:
                return
            fresh = self._authorized(challenge, actions, also)
            if fresh is None or fresh == refused:
                raise Refused(
                    f"{self._image.host} asks for a login to {_VERBS[actions]} {self._image.repository}",
                    hint=f"docker login {self._image.host}, or set the registry's credential helper",
                )
            self._headers[actions, also] = fresh

    def _authorized(self, challenge: str, actions: str, also: str | None) -> str | None:
        """The header that answers *challenge*; ``None`` when there is none to give."""
        kind, _, rest = challenge.partition(" ")
        if not self._asked_for_login:
            self._login = login(self._image, self._environment)
            self._asked_for_login = True
        if kind.lower() == "basic":
            return _basic(self._login) if self._login and not self._login.is_token else None
        if kind.lower() != "bearer":
            return None
        said = dict(_CHALLENGE.findall(rest))
        scopes = [f"repository:{self._image.repository}:{actions}"]
        if also:
            scopes.append(f"repository:{also}:pull")
        return self._token(said.get("realm", ""), said.get("service", ""), scopes)

    def _token(self, realm: str, service: str, scopes: list[str]) -> str:
        parts = split(realm)
        safe = parts.scheme == "https" or (parts.scheme == "http" and self._image.api.startswith("http:"))
        if not safe:
            raise Refused(f"{self._image.host} sends for a token to {shown(realm) or 'nowhere'}, which is not safe")
        asked = [*parse_qsl(parts.query), *([("service", service)] if service else []), *(("scope", s) for s in scopes)]
        headers = {"Accept": "application/json"}
        method, url, body = "GET", urlunsplit(parts._replace(query=urlencode(asked, quote_via=quote))), None
        if self._login and self._login.is_token:
            method, url = "POST", urlunsplit(parts._replace(query=""))
            fields = {"grant_type": "refresh_token", "service": service, "client_id": "lambdalint"}
            body = urlencode({**fields, "scope": " ".join(scopes), "refresh_token": self._login.password}).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif self._login:
            headers["Authorization"] = _basic(self._login)
        try:
            response = self._web.send(method, url, headers, body)
        except ConnectionError as error:
            raise Refused(f"{shown(realm)} gives no token: {error}", hint="try again") from error
        data = whole(response, _MAX_TOKEN_BYTES, shown(realm))
        if response.status != 200:
            status = f"{response.status} {response.reason or ''}".strip()
            raise Refused(
                f"{shown(realm)} gives no token for {self._image.repository}: {status}",
                hint=f"docker login {self._image.host}",
            )
        try:
            answer = json.loads(data)
            token = answer.get("token") or answer["access_token"]
        except (ValueError, KeyError, AttributeError, RecursionError):
            raise Refused(f"{shown(realm)} answers something that is no token") from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Refused(f"{shown(realm)} answers something that is no token")
        return f"Bearer {token}"


def _basic(who: Login) -> str:
    return "Basic " + base64.b64encode(f"{who.name}:{who.password}".encode()).decode()
