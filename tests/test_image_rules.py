"""Rules about images, on images that tools made: what skopeo and buildah write is judged as what is made by hand."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import lambdalint
from lambdalint.cli import main
from lambdalint.errors import LambdalintError
from lambdalint.packager.image.write import write_docker_archive, write_layout
from lambdalint_rules.artifacts import image_samples as samples
from tests.registries import docker_registry
from tests.test_image_build import built, tool

TODAY = date(2026, 11, 22)
UNREADABLE = samples.image([samples.runtime_layer(), samples.task_layer(mode=0o600)])
WITHOUT_COMMAND = samples.image(settings={"Cmd": None})
FOREIGN = samples.image(architecture="arm64")
LARGE_SETTINGS = samples.image(settings={"Labels": {f"org.example.{each}": "x" * 200 for each in range(100)}})
OWN_LIBRARIES = samples.image(settings={"Env": ["LAMBDA_RUNTIME_DIR=/var/runtime", "LD_LIBRARY_PATH=/app"]})
NOTHING_ANSWERS = samples.image([samples.task_layer()], settings={"Entrypoint": None, "Cmd": ["uvicorn", "app:app"]})
ORPHANS = samples.image(
    [samples.runtime_layer(), samples.layer({"var/task/app.py": (b"", 0o644)}, folders={"var/task": -1})],
    settings={"Cmd": ["app.missing"]},
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


def found(*arguments: str) -> set[str]:
    """The rules that find something about images, as the command line says it."""
    done = CliRunner().invoke(main, ["check", *arguments, "--no-cache", "--output-format", "json"])
    assert not done.stderr, done.stderr
    document = json.loads(done.stdout)
    assert document["errors"] == []
    return {each["code"] for each in document["findings"] if each["code"].startswith("LO")}


def unpacked(image: bytes, folder: Path) -> Path:
    """The layout in the archive *image*, in *folder*."""
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-xf", "-", "-C", str(folder)], input=image, check=True)
    return folder


@pytest.mark.parametrize(
    ("image", "codes"),
    [
        (samples.image(), set()),
        (UNREADABLE, {"LO005"}),
        (WITHOUT_COMMAND, {"LO007"}),
        (FOREIGN, {"LO002"}),
        (LARGE_SETTINGS, {"LO010"}),
        (OWN_LIBRARIES, {"LO004"}),
        (NOTHING_ANSWERS, {"LO006"}),
    ],
    ids=["healthy", "unreadable", "no-command", "foreign", "large", "libraries", "no-client"],
)
def test_one_image_is_judged_alike_in_every_form(folder: Path, registry: str, image: bytes, codes: set[str]) -> None:
    (folder / "orders.tar").write_bytes(image)
    layout = unpacked(image, folder / "orders")
    tool("skopeo", "copy", "-q", f"oci:{layout}", f"docker-archive:{folder / 'docker.tar'}:orders:1")
    pushed = f"{registry}/orders:{len(image)}"
    for form, name in (("v2s2", pushed), ("oci", f"{pushed}-oci")):
        arguments = ("--dest-tls-verify=false", "--dest-no-creds", "--format", form)
        tool("skopeo", "copy", "-q", *arguments, f"oci:{layout}", f"docker://{name}")
    for name in ("orders.tar", "orders", "oci:orders", "docker-archive:docker.tar:orders:1", pushed, f"{pushed}-oci"):
        assert found(name, "--architecture", "x86_64") == codes, name


def test_an_index_is_none_however_it_gets_to_the_registry(folder: Path, registry: str) -> None:
    first, second = (unpacked(samples.image(architecture=each), folder / each) for each in ("amd64", "arm64"))
    rows = []
    for layout, architecture in ((first, "amd64"), (second, "arm64")):
        [row] = json.loads((layout / "index.json").read_text())["manifests"]
        rows.append({**row, "platform": {"os": "linux", "architecture": architecture}})
    shutil.copytree(second / "blobs", first / "blobs", dirs_exist_ok=True)
    inner_index: dict[str, Any] = {"schemaVersion": 2, "mediaType": samples.INDEX, "manifests": rows}
    data = json.dumps(inner_index).encode()
    digest = hashlib.sha256(data).hexdigest()
    (first / "blobs" / "sha256" / digest).write_bytes(data)
    row = {"mediaType": samples.INDEX, "digest": f"sha256:{digest}", "size": len(data)}
    (first / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [row]}))
    assert found(str(first)) == {"LO001"}
    copied = ("--all", "--dest-tls-verify=false", "--dest-no-creds", f"oci:{first}", f"docker://{registry}/several:1")
    tool("skopeo", "copy", "-q", *copied)
    assert found(f"{registry}/several:1") == {"LO001"}
    inner = f"{registry}/several@{rows[0]['digest']}"
    assert found(inner, "--architecture", "x86_64") == set()


def test_a_folder_without_a_record_and_a_handler_without_a_module_are_two_faults(folder: Path) -> None:
    (folder / "orders.tar").write_bytes(ORPHANS)
    result = lambdalint.check([Path("orders.tar")], today=TODAY, cache=False)
    assert {each.code for each in result.findings} == {"LO003", "LH001"}
    assert all(each.fix is None for each in result.findings)


@pytest.mark.parametrize("entrypoint", [["/lambda-entrypoint.sh"], ["/var/lang/bin/python3.13", "-m", "awslambdaric"]])
def test_a_command_for_a_shell_is_one_fault(folder: Path, entrypoint: list[str]) -> None:
    settings = {"Entrypoint": entrypoint, "Cmd": ["/bin/sh", "-c", "app.handler"]}
    (folder / "orders.tar").write_bytes(samples.image(settings=settings))
    result = lambdalint.check([Path("orders.tar")], today=TODAY, cache=False)
    assert [each.code for each in result.findings] == ["LO007"]


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_what_buildah_builds_is_judged(folder: Path, mode: int) -> None:
    assert os.getuid() == 0, "buildah builds here as root only"
    context = folder / "context"
    unpacked_base = {
        "lambda-entrypoint.sh": (b"#!/bin/sh\n", 0o755),
        "var/runtime/bootstrap": (b"#!/bin/sh\n", 0o755),
        "app.py": (samples.APP.encode(), mode),
    }
    for path, (content, bits) in unpacked_base.items():
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).write_bytes(content)
        (context / path).chmod(bits)
    (context / "Dockerfile").write_text(
        "FROM scratch\nCOPY lambda-entrypoint.sh /\nCOPY var /var\nENV LAMBDA_TASK_ROOT=/var/task\nWORKDIR /var/task\n"
        'COPY app.py ./\nENTRYPOINT ["/lambda-entrypoint.sh"]\nCMD ["app.handler"]\n'
    )
    store = ("--root", str(folder / "root"), "--runroot", str(folder / "run"), "--storage-driver", "vfs")
    tool(
        "buildah", *store, "build", "-q", "--isolation", "chroot", "--platform", "linux/amd64", "-t", "orders", context
    )
    tool("buildah", *store, "push", "-q", "orders", f"oci:{folder / 'orders'}:1")
    expected = {"LO005"} if mode == 0o600 else set()
    assert found("oci:orders:1", "--architecture", "x86_64") == expected


def test_our_own_packages_are_clean(folder: Path) -> None:
    image = built(folder)
    (folder / "dist").mkdir()
    write_layout(image, folder / "dist" / "Orders.oci", "latest")
    write_docker_archive(image, folder / "orders.tar", "orders:1")
    for name in ("dist/Orders.oci", "orders.tar"):
        result = lambdalint.check([Path(name)], today=TODAY, cache=False)
        assert [(each.code, each.message) for each in result.findings] == []
        assert [each.handler for each in result.functions] == ["app.handler"]
    (folder / "dist" / "Orders.json").write_text("{}")
    assert [each.name for each in lambdalint.check([Path("dist")], today=TODAY, cache=False).functions] == ["Orders"]


def test_a_name_of_no_image_says_what_is_wrong(folder: Path, registry: str) -> None:
    (folder / "orders.tar").write_bytes(samples.image())
    for name, words in (
        ("oci:nowhere:1", "there is no file or folder 'nowhere'"),
        ("docker-archive:orders.tar", "the image has no manifest.json"),
        ("oci:orders.tar:2", "the layout has no image 2"),
        (f"{registry}/nothing:1", "nothing"),
    ):
        done = CliRunner().invoke(main, ["check", name, "--no-cache"])
        assert done.exit_code in (2, 3), name
        assert done.stderr.startswith("error: "), name
        assert words in done.stderr
    with pytest.raises(LambdalintError):
        lambdalint.check((), images=("oci:nowhere",), cache=False)


def test_images_are_not_fixed(folder: Path) -> None:
    (folder / "orders.tar").write_bytes(samples.image())
    done = CliRunner().invoke(main, ["check", "oci:orders.tar", "--fix"])
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize("size", [0, 100, 512, 2_000, 4_000])
def test_an_archive_that_is_cut_short_is_no_crash(folder: Path, size: int) -> None:
    (folder / "orders.tar").write_bytes(samples.image()[:size])
    command = [sys.executable, "-m", "lambdalint", "check", "orders.tar", "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2, 3)
    assert "Traceback" not in done.stderr
    assert "itself failed" not in done.stderr


@pytest.mark.parametrize("end", ["", "\n"])
def test_the_last_instruction_can_be_removed(folder: Path, end: str) -> None:
    dockerfile = samples.AWS_BASE + 'COPY app.py ./\nCMD ["app.handler"]\n'
    for path, content in samples.dockerfile_project(f"{dockerfile}EXPOSE \\\n  8080{end}").items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(content)
    assert lambdalint.fix([folder], today=TODAY, cache=False).findings == 1
    assert (folder / "src" / "Dockerfile").read_text() == dockerfile


def test_layers_in_zstd_are_said_to_be_unread_whatever_else_is_asked(folder: Path) -> None:
    layout = unpacked(samples.image(), folder / "orders")
    tool("skopeo", "copy", "-q", "--dest-compress-format", "zstd", f"oci:{layout}", f"oci:{folder / 'small'}:1")
    for select in ("LO", "LZ"):
        done = CliRunner().invoke(main, ["check", "small", "--no-cache", "--select", select, "--output-format", "json"])
        document = json.loads(done.stdout)
        assert done.exit_code == 3
        assert [each["message"] for each in document["errors"]] == [
            f"layer {number} was not looked into: it is compressed with zstd, which is not read" for number in (1, 2)
        ]
        codes = {"LL001", "LO003"} if select == "LO" else {"LL001"}
        assert {each["code"] for each in document["findings"]} == codes


def test_an_archive_that_is_compressed_as_a_whole_is_judged_where_a_template_names_it(folder: Path) -> None:
    template = samples.PACKED.format(mark="").replace("orders.tar", "orders.tar.gz")
    (folder / "template.yaml").write_text(template)
    (folder / "orders.tar.gz").write_bytes(gzip.compress(WITHOUT_COMMAND))
    assert found(".") == {"LO007"}
    assert found("orders.tar.gz") == {"LO007"}
