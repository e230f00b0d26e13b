"""Who we are to a registry: what ``docker login`` left behind, credential helpers, or an account of AWS.

Source: https://docs.docker.com/reference/cli/docker/login/#credential-stores
"""

import base64
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lambdalint.errors import Refused
from lambdalint.packager.image.reference import Reference
from lambdalint.store import home

_DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
_HELPER_MAX_S: Final = 30
_MAX_CONFIG_BYTES: Final = 4 * 1024 * 1024
_HELPER: Final = re.compile(r"[A-Za-z0-9][\w.-]*")
_ECR: Final = re.compile(r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password; with *is_token* the password is a token that is exchanged for access."""

    name: str
    password: str = field(repr=False)
    is_token: bool = False


def login(image: Reference, environment: Mapping[str, str]) -> Login | None:
    """How to log in for *image*; ``None`` when nothing is known and nobody has to.

    Raises:
        Refused: a credential helper, or AWS, does not give what it should.
    """
    config = _config(environment)
    keys = _keys(image.host)
    helpers = config.get("credHelpers")
    for key in keys:
        if isinstance(helpers, Mapping) and isinstance(helpers.get(key), str):
            return _asked(helpers[key], key, environment)
    auths = config.get("auths")
    for key in keys:
        if isinstance(auths, Mapping) and isinstance(auths.get(key), Mapping):
            found = _stated(auths[key])
            if found is not None:
                return found
    store = config.get("credsStore")
    if isinstance(store, str):
        for key in keys:
            found = _asked(store, key, environment)
            if found is not None:
                return found
    return _from_aws(image.host)


def _config(environment: Mapping[str, str]) -> dict[str, Any]:
    own = environment.get("HOME") or home() or ""
    places = [
        Path(environment["DOCKER_CONFIG"], "config.json") if environment.get("DOCKER_CONFIG") else None,
        Path(environment["REGISTRY_AUTH_FILE"]) if environment.get("REGISTRY_AUTH_FILE") else None,
        Path(own, ".docker", "config.json"),
        Path(environment["XDG_RUNTIME_DIR"], "containers", "auth.json") if environment.get("XDG_RUNTIME_DIR") else None,
    ]
    for place in places:
        if place is None:
            continue
        try:
            with place.open("rb") as file:
                document = json.loads(file.read(_MAX_CONFIG_BYTES))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise Refused(f"{place} cannot be read: {error}", hint="log in again with docker login") from error
        return document if isinstance(document, dict) else {}
    return {}


def _keys(host: str) -> tuple[str, ...]:
    if host in ("docker.io", "index.docker.io", "registry-1.docker.io"):
        return (_DOCKER_HUB_KEY, "docker.io", "index.docker.io")
    return (host, f"https://{host}", f"https://{host}/v2/", f"https://{host}/v1/")


def _stated(row: Mapping[str, Any]) -> Login | None:
    if isinstance(token := row.get("identitytoken"), str) and token:
        return Login("", token, is_token=True)
    try:
        text = base64.b64decode(str(row.get("auth") or ""), validate=True).decode()
    except (ValueError, UnicodeDecodeError):
        return None
    name, colon, password = text.partition(":")
    if colon:
        return Login(name, password)
    if isinstance(row.get("username"), str) and isinstance(row.get("password"), str):
        return Login(row["username"], row["password"])
    return None


def _asked(helper: str, key: str, environment: Mapping[str, str]) -> Login | None:
    """What ``docker-credential-HELPER`` answers; ``None`` when it has nothing for *key*."""
    if not _HELPER.fullmatch(helper):
        raise Refused(f"{helper!r} is no name of a credential helper")
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(  # noqa: S603
            [program, "get"],
            input=key.encode(),
            capture_output=True,
            timeout=_HELPER_MAX_S,
            check=False,
            env=dict(environment),
        )
    except FileNotFoundError:
        raise Refused(
            f"{program} is named in the configuration of Docker, but is not on the path", hint="install it, or log out"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"{program} does not answer: {type(error).__name__}") from error
    if done.returncode:
        if b"not found" in done.stdout + done.stderr:
            return None
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[:200]
        raise Refused(f"{program} fails: {said}")
    try:
        answer = json.loads(done.stdout)
        name, password = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{program} answers something that is no login") from None
    return Login("", str(password), is_token=True) if name == "<token>" else Login(str(name), str(password))


def _from_aws(host: str) -> Login | None:
    """A login of ECR by the account of AWS that is at hand; needs the extra ``aws``."""
    match = _ECR.fullmatch(host)
    if match is None:
        return None
    try:
        import boto3  # type: ignore[import-untyped]
    except ImportError:
        return None
    try:
        answer = boto3.client("ecr", region_name=match[1]).get_authorization_token()
        text = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    except Exception as error:  # whatever botocore raises is the answer to why there is no login
        raise Refused(
            f"AWS gives no login for {host}: {str(error)[:200]}", hint="are credentials set, and is the region right?"
        ) from error
    name, _, password = text.partition(":")
    return Login(name, password)
