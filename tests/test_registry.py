"""The client of registries: on the real one, and on ones that misbehave."""

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdalint.errors import Refused, UsageError
from lambdalint.packager.image.credentials import login
from lambdalint.packager.image.reference import Reference, reference
from lambdalint.packager.image.registry import Registry
from lambdalint.packager.web import Web
from lambdalint.readers.image.layers import Blob
from tests.registries import Asked, Reply, breaking_wire, docker_registry, obedient

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LARGE = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(1_250_000))  # 40 MB


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def blob(data: bytes) -> Blob:
    return Blob(len(data), lambda: io.BytesIO(data))


def registry(name: str, environment: dict[str, str] | None = None) -> Registry:
    given = {"HOME": "/nonexistent", **(environment or {})}
    return Registry(reference(name), Web(given, timeout_s=10), given, pause=lambda seconds: None)


def put(to: Registry, layer: bytes) -> str:
    config = b'{"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}'
    to.push(digest(config), blob(config))
    to.push(digest(layer), blob(layer))
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(config),
            "size": len(config),
        },
        "layers": [
            {
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": digest(layer),
                "size": len(layer),
            }
        ],
    }
    return to.push_manifest(json.dumps(document).encode(), MANIFEST)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


def test_an_image_comes_back_as_it_was_pushed(real: str, tmp_path: Path) -> None:
    to = registry(f"{real}/orders:1")
    pushed = put(to, LARGE)
    assert to.manifest().digest == pushed
    assert registry(f"{real}/orders@{pushed}").manifest().media_type == MANIFEST
    to.fetch(digest(LARGE), len(LARGE), tmp_path / "layer")
    assert (tmp_path / "layer").read_bytes() == LARGE


def test_what_is_there_is_not_sent_again(real: str) -> None:
    data = b"x" * 1_000
    assert registry(f"{real}/here:1").push(digest(data), blob(data)) == "pushed"
    assert registry(f"{real}/here:2").push(digest(data), blob(data)) == "present"
    assert registry(f"{real}/there/too:1").push(digest(data), blob(data), mount_from="here") == "mounted"
    assert registry(f"{real}/there/too:1").push(digest(data), blob(data)) == "present"


def test_a_mount_of_what_is_not_there_is_an_upload(real: str) -> None:
    data = b"nobody has this"
    assert registry(f"{real}/alone:1").push(digest(data), blob(data), mount_from="nowhere") == "pushed"


@pytest.mark.parametrize("times", [1, 3])
def test_an_upload_goes_on_where_the_wire_broke(real: str, tmp_path: Path, times: int) -> None:
    data = LARGE[: 33_000_000 + times]
    with breaking_wire(real, after_bytes=5_000_000, times=times) as host:
        assert registry(f"{host}/broken:1").push(digest(data), blob(data)) == "pushed"
    registry(f"{real}/broken:1").fetch(digest(data), len(data), tmp_path / "layer")
    assert (tmp_path / "layer").read_bytes() == data


def test_a_wire_that_always_breaks_is_said(real: str) -> None:
    with breaking_wire(real, after_bytes=5_000_000, times=100) as host, pytest.raises(Refused, match="does not take"):
        registry(f"{host}/broken:2").push(digest(LARGE), blob(LARGE))


def test_a_registry_that_is_not_there_is_said() -> None:
    with pytest.raises(Refused, match=r"127\.0\.0\.1:1/orders:1 cannot be fetched: .*Connection refused"):
        registry("127.0.0.1:1/orders:1").manifest()


def test_an_image_that_is_not_there_is_said(real: str) -> None:
    with pytest.raises(Refused, match="404 Not Found: manifest unknown") as error:
        registry(f"{real}/orders:absent").manifest()
    assert "ECR" in str(error.value.hint)


def docker_config(folder: Path, document: object) -> dict[str, str]:
    (folder / "config.json").write_text(json.dumps(document))
    return {"DOCKER_CONFIG": str(folder)}


def test_a_login_of_docker_opens_the_registry(tmp_path: Path) -> None:
    with docker_registry(tmp_path, password=True) as host:
        auth = base64.b64encode(b"ann:secret").decode()
        environment = docker_config(tmp_path, {"auths": {host: {"auth": auth}}})
        assert put(registry(f"{host}/orders:1", environment), b"layer").startswith("sha256:")
        wrong = docker_config(tmp_path, {"auths": {host: {"auth": base64.b64encode(b"ann:no").decode()}}})
        for given in (wrong, {}):
            with pytest.raises(Refused, match="asks for a login to pull from orders") as error:
                registry(f"{host}/orders:1", given).manifest()
            assert f"docker login {host}" in str(error.value.hint)
            assert "secret" not in str(error.value)


def helper(folder: Path, script: str) -> dict[str, str]:
    program = folder / "docker-credential-vault"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.parametrize("where", ["credHelpers", "credsStore"])
def test_a_credential_helper_is_asked(tmp_path: Path, where: str) -> None:
    answer = """read key; [ "$1" = get ] && echo "{\\"Username\\": \\"ann\\", \\"Secret\\": \\"$key!\\"}" """
    environment = helper(tmp_path, answer)
    said: object = "vault" if where == "credsStore" else {"registry.example.com": "vault"}
    environment |= docker_config(tmp_path, {where: said})
    found = login(Reference("registry.example.com", "orders", None, None), environment)
    assert found is not None
    assert (found.name, found.password) == ("ann", "registry.example.com!")
    assert "registry" not in repr(found)


@pytest.mark.parametrize(
    ("script", "words"),
    [("echo no; exit 1", "fails: no"), ("echo nonsense", "no login"), ("sleep 0; echo '[]'", "no login")],
)
def test_a_credential_helper_that_fails_is_said(tmp_path: Path, script: str, words: str) -> None:
    environment = helper(tmp_path, script) | docker_config(tmp_path, {"credHelpers": {"r.example.com": "vault"}})
    with pytest.raises(Refused, match=words):
        login(Reference("r.example.com", "orders", None, None), environment)


@pytest.mark.parametrize("name", ["../../evil", "absent-everywhere"])
def test_no_program_but_a_helper_is_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused):
        login(Reference("r.io", "orders", None, None), docker_config(tmp_path, {"credHelpers": {"r.io": name}}))


def with_token(asked: Asked, host: str) -> Reply:
    """A registry that wants tokens, and hands them out to ann."""
    if asked.path.startswith("/token"):
        known = asked.headers.get("Authorization") == "Basic " + base64.b64encode(b"ann:secret").decode()
        granted = known and "scope=repository%3Aorders%3Apull" in asked.path
        return Reply(200, json.dumps({"token": "T"}).encode()) if granted else Reply(401)
    if asked.headers.get("Authorization") != "Bearer T":
        realm = f'Bearer realm="http://{host}/token?account=ann",service="orders.example",scope="x"'
        return Reply(401, headers={"WWW-Authenticate": realm})
    return Reply(200, b'{"schemaVersion": 2}', {"Content-Type": MANIFEST})


def test_tokens_are_fetched_with_the_login_and_reused(tmp_path: Path) -> None:
    with obedient(lambda asked: with_token(asked, server.host)) as server:
        environment = docker_config(tmp_path, {"auths": {server.host: {"username": "ann", "password": "secret"}}})
        to = registry(f"{server.host}/orders:1", environment)
        assert to.manifest().media_type == MANIFEST
        assert to.manifest().media_type == MANIFEST
        assert server.count("GET", "^/token") == 1
        token = next(each for each in server.asked if each.path.startswith("/token"))
        assert "account=ann" in token.path
        assert "service=orders.example" in token.path
        with pytest.raises(Refused, match="gives no token for orders: 401"):
            registry(f"{server.host}/orders:1").manifest()


@pytest.mark.parametrize(
    "realm", ["file:///etc/passwd", "ftp://x/y", "", "javascript:1", "http://[", "/relative", "https://127.0.0.1:1/t"]
)
def test_a_realm_that_is_no_address_is_refused(realm: str) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}"'}
    with obedient(lambda asked: Reply(401, headers=challenge)) as server, pytest.raises(Refused):
        registry(f"{server.host}/orders:1").manifest()


@pytest.mark.parametrize("token", ['"a\\r\\nX: y"', "1", "null", "[]", '"\\u00e9"'])
def test_a_token_that_is_none_goes_into_no_header(token: str) -> None:
    def script(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(200, f'{{"token": {token}}}'.encode())
        return Reply(401, headers={"WWW-Authenticate": f'Bearer realm="http://{server.host}/token"'})

    with obedient(script) as server, pytest.raises(Refused, match="no token"):
        registry(f"{server.host}/orders:1").manifest()


def test_a_login_does_not_follow_a_redirection_to_another_host(tmp_path: Path) -> None:
    data = b"the layer"
    with obedient(lambda asked: Reply(200, data)) as storage:

        def script(asked: Asked) -> Reply:
            if "Authorization" not in asked.headers:
                return Reply(401, headers={"WWW-Authenticate": 'Basic realm="orders"'})
            return Reply(307, headers={"Location": f"http://{storage.host}/bucket/key?signature=1"})

        with obedient(script) as server:
            environment = docker_config(tmp_path, {"auths": {server.host: {"username": "ann", "password": "secret"}}})
            to = registry(f"{server.host}/orders:1", environment)
            to.fetch(digest(data), len(data), tmp_path / "layer")
        assert (tmp_path / "layer").read_bytes() == data
        assert [each.path for each in storage.asked] == ["/bucket/key?signature=1"]
        assert "Authorization" not in storage.asked[0].headers


def test_another_host_that_asks_for_a_login_gets_none(tmp_path: Path) -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="mine"'}
    with obedient(lambda asked: Reply(401, headers=challenge)) as storage:

        def script(asked: Asked) -> Reply:
            return Reply(307, headers={"Location": f"http://{storage.host}/x"})

        with obedient(script) as server:
            environment = docker_config(tmp_path, {"auths": {storage.host: {"username": "ann", "password": "secret"}}})
            with pytest.raises(Refused):
                registry(f"{server.host}/orders:1", environment).fetch(digest(b"x"), 1, tmp_path / "layer")
        assert all("Authorization" not in each.headers for each in storage.asked)


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://h/x", "http://[", "http://{host}/v2/orders/manifests/1"]
)
def test_a_redirection_to_nowhere_or_in_circles_is_refused(target: str) -> None:
    def script(asked: Asked) -> Reply:
        return Reply(302, headers={"Location": target.format(host=server.host)})

    with obedient(script) as server, pytest.raises(Refused, match="leads"):
        registry(f"{server.host}/orders:1").manifest()


@pytest.mark.parametrize(
    "busy", [Reply(429, headers={"Retry-After": "3"}), Reply(503), Reply(500), Reply(200, b"x" * 99, cut_to=0)]
)
def test_what_fails_for_a_moment_is_tried_again(busy: Reply) -> None:
    waited: list[float] = []

    def script(asked: Asked) -> Reply:
        return busy if len(server.asked) < 3 else Reply(200, b'{"schemaVersion": 2}', {"Content-Type": MANIFEST})

    with obedient(script) as server:
        given = {"HOME": "/nonexistent"}
        to = Registry(reference(f"{server.host}/orders:1"), Web(given), given, pause=waited.append)
        if busy.cut_to is None:
            assert to.manifest().media_type == MANIFEST
            assert waited == ([3.0, 3.0] if busy.headers else [0.5, 1.0])
        else:
            with pytest.raises(Refused, match="breaks off"):
                to.manifest()


def test_what_always_fails_is_said_after_some_tries() -> None:
    with obedient(lambda asked: Reply(429, headers={"Retry-After": "999999"})) as server:
        with pytest.raises(Refused, match="429 Too Many Requests"):
            registry(f"{server.host}/orders:1").manifest()
        assert len(server.asked) == 5


def test_a_download_goes_on_where_it_broke(tmp_path: Path) -> None:
    data = LARGE[:1_000_000]

    def script(asked: Asked) -> Reply:
        start = int(asked.headers.get("Range", "bytes=0-")[6:-1])
        length = {"Content-Length": str(len(data) - start)}
        return Reply(206 if start else 200, data[start:], length, cut_to=400_000)

    with obedient(script) as server:
        registry(f"{server.host}/orders:1").fetch(digest(data), len(data), tmp_path / "layer")
        assert (tmp_path / "layer").read_bytes() == data
        assert [each.headers.get("Range") for each in server.asked][1:] != []


@pytest.mark.parametrize(
    "body", [b"other bytes", b"too long by far, and not what was promised", b"short"], ids=["other", "long", "short"]
)
def test_bytes_that_are_not_the_promised_ones_are_refused(tmp_path: Path, body: bytes) -> None:
    with obedient(lambda asked: Reply(200, body)) as server, pytest.raises(Refused):
        registry(f"{server.host}/orders:1").fetch(digest(b"right bytes"), 11, tmp_path / "layer")


def test_a_manifest_that_is_not_the_promised_one_is_refused() -> None:
    reply = Reply(200, b"{}", {"Content-Type": MANIFEST})
    with obedient(lambda asked: reply) as server, pytest.raises(Refused, match="not what its digest says"):
        registry(f"{server.host}/orders@{digest(b'other')}").manifest()


def test_a_manifest_without_end_is_refused() -> None:
    with obedient(lambda asked: Reply(200, b"x" * 5_000_000)) as server, pytest.raises(Refused, match="larger than"):
        registry(f"{server.host}/orders:1").manifest()


def test_an_upload_that_the_registry_forgot_begins_anew() -> None:
    data = b"z" * 100

    def script(asked: Asked) -> Reply:
        match asked.method:
            case "HEAD":
                return Reply(404)
            case "POST":
                return Reply(202, headers={"Location": f"/v2/orders/blobs/uploads/{server.count('POST')}"})
            case "PATCH" if server.count("PATCH") == 1:
                return Reply(500)
            case "PATCH":
                return Reply(202)
            case "GET":
                return Reply(404)
        return Reply(201)

    with obedient(script) as server:
        assert registry(f"{server.host}/orders:1").push(digest(data), blob(data)) == "pushed"
        assert server.count("POST") == 2
        assert server.asked[-1].path == f"/v2/orders/blobs/uploads/2?digest=sha256%3A{digest(data)[7:]}"


def test_a_push_that_is_not_allowed_says_what_the_registry_says() -> None:
    words = json.dumps({"errors": [{"code": "DENIED", "message": "the repository is immutable"}]}).encode()

    def script(asked: Asked) -> Reply:
        return Reply(403, words) if asked.method == "PUT" else Reply(404)

    with obedient(script) as server, pytest.raises(Refused, match="403 Forbidden: the repository is immutable"):
        registry(f"{server.host}/orders:1").push_manifest(b"{}", MANIFEST)


@pytest.mark.parametrize(
    ("text", "shown", "api"),
    [
        ("python", "docker.io/library/python:latest", "https://registry-1.docker.io"),
        ("ann/app:1", "docker.io/ann/app:1", "https://registry-1.docker.io"),
        ("localhost:5000/app", "localhost:5000/app:latest", "http://localhost:5000"),
        ("public.ecr.aws/lambda/python:3.13", "public.ecr.aws/lambda/python:3.13", "https://public.ecr.aws"),
        (f"r.io/a/b:1@{digest(b'')}", f"r.io/a/b:1@{digest(b'')}", "https://r.io"),
        (f"r.io/a@{digest(b'')}", f"r.io/a@{digest(b'')}", "https://r.io"),
        ("[::1]:5000/app:x", "[::1]:5000/app:x", "http://[::1]:5000"),
    ],
)
def test_names_are_read_as_docker_does(text: str, shown: str, api: str) -> None:
    found = reference(text)
    assert str(found) == shown
    assert found.api == api


@pytest.mark.parametrize(
    "text",
    ["", "UPPER/case", "r.io/", "r.io/a:", "r.io/a b", "r.io/../a", "r.io/a@sha256:12", "r.io/a:b:c", "http://r.io/a"],
)
def test_what_is_no_name_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="names no image"):
        reference(text)
