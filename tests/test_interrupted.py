"""Ctrl-C and broken connections while images are built: nothing half-done is left, and what happened is said."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.processes import running
from tests.registries import Asked, Obedient, Reply, obedient
from tests.test_image_build import on_layout
from tests.test_package_kinds import FUNCTION, HERE

INTERRUPTED = 130
WAIT_S = 60


class Registry:
    """The answers of a registry with one base, which stops where it is told to, or breaks off there."""

    def __init__(self, folder: Path, stops: str = "nowhere", breaks: bool = False) -> None:
        on_layout(folder)
        self.blobs = {f"sha256:{path.name}": path.read_bytes() for path in (folder / "blobs" / "sha256").iterdir()}
        self.manifest: dict[str, Any] = json.loads((folder / "index.json").read_text())["manifests"][0]
        self.layer = json.loads(self.blobs[self.manifest["digest"]])["layers"][0]["digest"]
        self.stops = stops
        self.breaks = breaks
        self.reached, self.released = Event(), Event()

    def answer(self, asked: Asked) -> Reply:
        digest = asked.path.rpartition("/")[2]
        what = "push" if asked.method in ("PATCH", "PUT") else "manifest" if "/manifests/" in asked.path else ""
        if (what or ("layer" if digest == self.layer else "")) == self.stops and asked.method != "HEAD":
            self.reached.set()
            if self.breaks:
                return Reply(200, self.blobs[digest], cut_to=7)
            self.released.wait(WAIT_S)
        if asked.method == "HEAD":
            return Reply(404)
        if asked.method in ("POST", "PATCH", "PUT"):
            status = {"POST": 202, "PATCH": 202, "PUT": 201}[asked.method]
            return Reply(status, headers={"Location": "/v2/orders/blobs/uploads/1"})
        if what == "manifest":
            digest = self.manifest["digest"]
            headers = {"Content-Type": self.manifest["mediaType"], "Docker-Content-Digest": digest}
            return Reply(200, self.blobs[digest], headers)
        return Reply(200, self.blobs[digest])


@contextmanager
def served(registry: Registry) -> Iterator[Obedient]:
    with obedient(registry.answer) as server:
        try:
            yield server
        finally:
            registry.released.set()


def project(folder: Path) -> dict[str, str]:
    """A project in *folder*, and the environment to package it in."""
    files = {"template.yaml": FUNCTION.replace("RUNTIME", HERE), "src/app.py": "def handler(event, context): ...\n"}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    scratch = folder / "scratch"
    scratch.mkdir()
    places = {"TMPDIR": str(scratch), "HOME": str(folder), "LAMBDALINT_CACHE_DIR": str(folder / "cache")}
    return {**os.environ, **places}


def package(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lambdalint", "package", "--kind", "image", *arguments]


def inside(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if "cache" not in path.parts}


@pytest.mark.parametrize(
    ("stops", "to", "written"),
    [
        ("manifest", "oci", None),
        ("layer", "oci", ".Orders.oci-"),
        ("layer", "docker-archive", ".Orders.tar-"),
        ("layer", "REGISTRY/orders:1", None),
        ("push", "REGISTRY/orders:1", None),
    ],
)
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, stops: str, to: str, written: str | None) -> None:
    folder = tmp_path / "project"
    environment = project(folder)
    dist = folder / "dist"
    registry = Registry(tmp_path / "base", stops)
    before = inside(folder)
    with served(registry) as server:
        command = package("--base", f"{server.host}/base:1", "--to", to.replace("REGISTRY", server.host))
        with running(command, cwd=folder, env=environment) as process:
            assert registry.reached.wait(WAIT_S), process.communicate()
            half = [path.name for path in dist.iterdir()] if dist.exists() else []
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=WAIT_S / 2)
    assert (process.returncode, b"Traceback" in said) == (INTERRUPTED, False)
    if written is not None:
        assert [name.startswith(written) for name in half] == [True]
    assert inside(folder) - before <= {"dist"}


def test_what_was_there_stays_when_it_is_built_again_and_interrupted(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    environment = project(folder)
    registry = Registry(tmp_path / "base")
    with served(registry) as server:
        command = package("--base", f"{server.host}/base:1")
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        before = {path: (folder / path).read_bytes() for path in inside(folder) if (folder / path).is_file()}
        registry.stops = "layer"
        uncached = {**environment, "LAMBDALINT_CACHE_DIR": str(folder / "other" / "cache")}
        with running(command, cwd=folder, env=uncached) as process:
            assert registry.reached.wait(WAIT_S), process.communicate()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=WAIT_S / 2)
    assert process.returncode == INTERRUPTED
    assert {path: (folder / path).read_bytes() for path in inside(folder) if (folder / path).is_file()} == before


def test_a_connection_that_breaks_again_and_again_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    environment = project(folder)
    registry = Registry(tmp_path / "base", "layer", breaks=True)
    with served(registry) as server:
        command = package("--base", f"{server.host}/base:1")
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=WAIT_S
        )
    assert done.returncode == 3
    assert f"layer {registry.layer[7:19]} of {server.host}/base:1 breaks off" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in (folder / "dist").iterdir()] == []
