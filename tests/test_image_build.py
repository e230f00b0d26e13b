"""Images out of plans; skopeo, umoci and a real registry are the judges."""

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalint.errors import LambdalintError, Refused, UsageError
from lambdalint.packager.host import Host, silent
from lambdalint.packager.image.base import Base, Workbench, base
from lambdalint.packager.image.build import TREE_LABEL, ImagePlan, image_plan
from lambdalint.packager.image.layers import layers
from lambdalint.packager.image.reference import reference
from lambdalint.packager.image.registry import Registry
from lambdalint.packager.image.write import push, write_docker_archive, write_layout
from lambdalint.packager.pack import RawMember, compressed
from lambdalint.packager.plan import SOURCE, Plan, PlannedEntry
from lambdalint.packager.target import target
from lambdalint.packager.web import Web
from lambdalint.readers.image.docker_archive import read_docker_archive
from lambdalint.readers.image.oci import read_oci
from lambdalint.store import Store
from tests.registries import docker_registry
from tests.test_image_readers import CONFIG, layout, member, tarred

AWS_CONFIG: dict[str, Any] = {
    "architecture": "amd64",
    "os": "linux",
    "config": {
        "Env": [
            "LANG=en_US.UTF-8",
            "PATH=/var/lang/bin:/usr/bin",
            "LAMBDA_TASK_ROOT=/var/task",
            "LAMBDA_RUNTIME_DIR=/var/runtime",
        ],
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "WorkingDir": "/var/task",
    },
    "history": [{"created_by": "ADD base"}],
}
BASE_LAYER = tarred(
    [member("var/", type=tarfile.DIRTYPE, mode=0o755), member("lambda-entrypoint.sh", b"#!/bin/sh\n", mode=0o755)]
)
FILES = {
    "app.py": (b"def handler(event, context):\n    return event\n", SOURCE),
    "own/run.sh": (b"#!/bin/sh\n", SOURCE),
    "small/__init__.py": (b"x = 1\n", "small 1.0"),
    "heavy/data.bin": (hashlib.sha256(b"seed").digest() * 400_000, "heavy 2.0"),
}


def host(cache: Path | None = None) -> Host:
    return Host({"HOME": "/nonexistent"}, Store(cache), 1)


def workbench(scratch: Path, cache: Path | None = None) -> Workbench:
    machine = host(cache)
    return Workbench(machine, Web(machine.environment, timeout_s=10), scratch, silent)


def plan(files: dict[str, tuple[bytes, str]] | None = None, handler: str | None = "app.handler") -> Plan:
    entries = [
        PlannedEntry(compressed(RawMember(path, data, path.endswith(".sh"))), origin, origin)
        for path, (data, origin) in sorted((FILES if files is None else files).items())
    ]
    return Plan("Orders", handler, target("python3.13"), tuple(entries))


def on_layout(folder: Path, config: dict[str, Any] | None = None, tree: list[bytes] | None = None) -> str:
    layout(folder, [BASE_LAYER] if tree is None else tree, config or AWS_CONFIG)
    return f"oci:{folder}"


def built(tmp_path: Path, **given: Any) -> ImagePlan:
    made: Base = base(on_layout(tmp_path / "base", **given), "x86_64", workbench(tmp_path))
    return image_plan(plan(), made, host())


def tool(name: str, *arguments: object) -> str:
    assert shutil.which(name), f"{name} is missing; apt-get install {name}"
    done = subprocess.run([name, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_skopeo_and_umoci_take_the_layout(tmp_path: Path) -> None:
    image = built(tmp_path)
    write_layout(image, tmp_path / "image", "1.2")
    shown = json.loads(tool("skopeo", "inspect", f"oci:{tmp_path / 'image'}:1.2"))
    assert shown["Digest"] == image.digest
    assert shown["Architecture"] == "amd64"
    assert shown["Labels"][TREE_LABEL] == plan().tree_sha256
    tool("skopeo", "copy", "-q", f"oci:{tmp_path / 'image'}:1.2", f"dir:{tmp_path / 'copy'}")
    tool(
        "umoci",
        "unpack",
        *(() if os.getuid() == 0 else ("--rootless",)),
        "--image",
        f"{tmp_path / 'image'}:1.2",
        tmp_path / "bundle",
    )
    root = tmp_path / "bundle" / "rootfs"
    found = {
        path.relative_to(root / "var/task").as_posix(): path
        for path in (root / "var/task").rglob("*")
        if path.is_file()
    }
    assert {path: each.read_bytes() for path, each in found.items()} == {
        path: data for path, (data, _) in FILES.items()
    }
    assert {path: each.stat().st_mode & 0o777 for path, each in found.items() if each.suffix in (".py", ".sh")} == {
        "app.py": 0o644,
        "own/run.sh": 0o755,
        "small/__init__.py": 0o644,
    }
    assert (root / "lambda-entrypoint.sh").exists()


def test_skopeo_takes_the_archive(tmp_path: Path) -> None:
    image = built(tmp_path)
    write_docker_archive(image, tmp_path / "image.tar", "orders:1.2")
    shown = json.loads(tool("skopeo", "inspect", f"docker-archive:{tmp_path / 'image.tar'}:orders:1.2"))
    assert shown["Labels"][TREE_LABEL] == plan().tree_sha256
    tool("skopeo", "copy", "-q", f"docker-archive:{tmp_path / 'image.tar'}", f"oci:{tmp_path / 'copied'}:1")
    copied = read_oci(tmp_path / "copied", "copied")
    below, own = [layer.diff_id for layer in image.base.layers], [layer.diff_id for layer in image.layers]
    assert [layer.measured_diff_id for layer in copied.layers] == below + own


def test_the_image_is_as_lambda_wants_it(tmp_path: Path) -> None:
    image = built(tmp_path)
    write_layout(image, tmp_path / "image", "latest")
    read = read_oci(tmp_path / "image", "image")
    assert read.platforms == ()
    assert read.config is not None
    assert read.config.command == ("app.handler",)
    assert read.config.entrypoint == ("/lambda-entrypoint.sh",)
    assert read.config.working_dir == "/var/task"
    assert len([each for each in read.config.history if not each.is_empty]) == len(read.layers) == 4
    assert [layer.title for layer in image.layers] == ["heavy dependencies", "dependencies", "code"]
    for layer in read.layers:
        assert layer.damages == ()
        assert layer.measured_diff_id == layer.diff_id
        assert layer.media_type.endswith("gzip")
        known = {each.path for each in layer.entries or ()}
        parents = {path.rpartition("/")[0] for path in known} - {""}
        assert parents <= known
    own = [each for layer in read.layers[1:] for each in layer.entries or ()]
    assert {(each.uid, each.gid) for each in own} == {(0, 0)}
    assert all(each.mode & 0o004 for each in own)


def test_two_builds_are_one_image_whatever_is_cached(tmp_path: Path) -> None:
    first = built(tmp_path)
    made = base(on_layout(tmp_path / "again"), "x86_64", workbench(tmp_path))
    for _ in range(2):
        assert image_plan(plan(), made, host(tmp_path / "cache")).digest == first.digest


def test_an_edit_changes_the_last_layer_alone(tmp_path: Path) -> None:
    first = built(tmp_path)
    edited = image_plan(plan({**FILES, "app.py": (b"def handler(event, context): ...\n", SOURCE)}), first.base, host())
    same = [one.digest == other.digest for one, other in zip(first.layers, edited.layers, strict=True)]
    assert same == [True, True, False]


def test_a_base_without_a_runtime_client_gets_one_started(tmp_path: Path) -> None:
    image = built(
        tmp_path,
        config={**CONFIG, "config": {"Env": ["PYTHON_VERSION=3.13.1"], "Entrypoint": ["python3"]}, "history": []},
    )
    settings_of = json.loads(image.config)["config"]
    assert settings_of["Entrypoint"] == ["/usr/local/bin/python3.13", "-m", "awslambdaric"]
    assert "LAMBDA_TASK_ROOT=/var/task" in settings_of["Env"]
    assert any("no runtime client" in note for note in image.notes)


def test_an_archive_of_docker_is_a_base_and_its_layers_are_compressed(tmp_path: Path) -> None:
    image = built(tmp_path)
    write_docker_archive(image, tmp_path / "base.tar", "base:1")
    again = base(f"docker-archive:{tmp_path / 'base.tar'}", "x86_64", workbench(tmp_path))
    on_top = image_plan(plan({"more.py": (b"", SOURCE)}), again, host())
    write_docker_archive(on_top, tmp_path / "top.tar", "top:1")
    read = read_docker_archive(tmp_path / "top.tar", "top.tar")
    assert len(read.layers) == 5
    write_layout(on_top, tmp_path / "top", "1")
    assert all(layer.damages == () for layer in read_oci(tmp_path / "top", "top").layers)


def test_a_base_in_the_registry_is_mounted_and_never_fetched(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with docker_registry(tmp_path / "registry") as address:
        tool(
            "skopeo",
            "copy",
            "-q",
            "--dest-tls-verify=false",
            "--dest-no-creds",
            on_layout(tmp_path / "base"),
            f"docker://{address}/bases/python:3.13",
        )
        asked: list[str] = []

        class Listening(Web):
            def send(self, method: str, url: str, headers: Any, body: bytes | None = None) -> Any:
                asked.append(f"{method} {url.partition('?')[0]}")
                return super().send(method, url, headers, body)

        machine = host()
        bench = Workbench(machine, Listening(machine.environment), tmp_path, silent)
        below = base(f"{address}/bases/python:3.13", "x86_64", bench)
        image = image_plan(plan(), below, machine)
        pushed = push(image, reference(f"{address}/orders:7"), bench)
        assert pushed.digest == image.digest
        assert (pushed.sent_layers, pushed.all_layers) == (3, 4)
        assert not any(each.startswith("GET") and below.layers[0].digest in each for each in asked)
        assert push(image, reference(f"{address}/orders:8"), bench).sent_layers == 0
        shown = json.loads(
            tool("skopeo", "inspect", "--tls-verify=false", "--no-creds", f"docker://{address}/orders:7")
        )
        assert shown["Digest"] == image.digest
        manifest = Registry(reference(f"{address}/orders:7"), bench.web, machine.environment).manifest()
        assert manifest.data == image.manifest
        assert any(f"is {below.digest} today" in note for note in image.notes)


def test_of_an_index_the_image_for_the_architecture_is_taken(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with docker_registry(tmp_path / "registry") as address:
        digests = {}
        bench = workbench(tmp_path)
        for name in ("amd64", "arm64"):
            folder = tmp_path / name
            tool(
                "skopeo",
                "copy",
                "-q",
                "--dest-tls-verify=false",
                "--dest-no-creds",
                on_layout(folder, {**AWS_CONFIG, "architecture": name}),
                f"docker://{address}/base:{name}",
            )
            digests[name] = Registry(reference(f"{address}/base:{name}"), bench.web, {}).manifest()
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                {
                    "mediaType": each.media_type,
                    "digest": each.digest,
                    "size": len(each.data),
                    "platform": {"os": "linux", "architecture": name},
                }
                for name, each in digests.items()
            ],
        }
        registry = Registry(reference(f"{address}/base:latest"), bench.web, {})
        registry.push_manifest(json.dumps(index).encode(), "application/vnd.oci.image.index.v1+json")
        assert base(f"{address}/base", "arm64", bench).digest == digests["arm64"].digest
        assert base(f"{address}/base:latest", "x86_64", bench).digest == digests["amd64"].digest
        with pytest.raises(Refused, match="made for linux/arm64"):
            base(f"{address}/base:arm64", "x86_64", bench)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("oci:/absent", UsageError),
        ("docker-archive:/absent.tar", UsageError),
        ("oci:{folder}:absent", Refused),
        ("docker-archive:{folder}", LambdalintError),
        ("NO SUCH", UsageError),
    ],
)
def test_a_base_that_is_not_there_is_said(tmp_path: Path, name: str, kind: type[LambdalintError]) -> None:
    on_layout(tmp_path / "base")
    with pytest.raises(kind):
        base(name.format(folder=tmp_path / "base"), "x86_64", workbench(tmp_path))


def test_a_layout_that_is_cut_short_leaves_no_half_image(tmp_path: Path) -> None:
    image = built(tmp_path)
    write_layout(image, tmp_path / "image", "1")
    before = sorted(path.name for path in (tmp_path / "image").rglob("*"))

    def stop(stage: str, name: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    for place, writing in ((tmp_path / "image", write_layout), (tmp_path / "image.tar", write_docker_archive)):
        with pytest.raises(KeyboardInterrupt):
            writing(image, place, "1", stop)
    assert sorted(path.name for path in (tmp_path / "image").rglob("*")) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "image"]


def test_an_image_without_a_handler_is_refused(tmp_path: Path) -> None:
    image = built(tmp_path)
    with pytest.raises(Refused, match="names no handler"):
        image_plan(plan(handler=None), image.base, host())


PARTS = st.text(st.characters(codec="utf-8", exclude_characters="/\0\n"), min_size=1, max_size=150).filter(
    lambda part: part not in (".", "..")
)


@settings(max_examples=50)
@given(st.dictionaries(st.lists(PARTS, min_size=1, max_size=5).map("/".join), st.binary(max_size=600), max_size=5))
def test_tarfile_reads_what_is_written(files: dict[str, bytes]) -> None:
    if any(f"{other}/".startswith(f"{path}/") for path in files for other in files if path != other):
        return
    (made,) = layers(plan({path: (data, SOURCE) for path, data in files.items()}).entries, "/var/task", host()) or (
        None,
    )
    if made is None:
        assert files == {}
        return
    data = gzip.decompress(made.data)
    assert made.diff_id == f"sha256:{hashlib.sha256(data).hexdigest()}"
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
        found = {
            each.name.removeprefix("var/task/"): (archive.extractfile(each) or io.BytesIO()).read()
            for each in members
            if each.isfile()
        }
    assert found == files
    assert [each.name for each in members if each.isdir()][:2] == ["var", "var/task"]
