"""``lambdalint package --kind image`` as its user sees it; a real registry takes what it makes."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdalint.packager.image.build import TREE_LABEL
from lambdalint.readers.image.oci import read_oci
from tests.registries import docker_registry
from tests.test_image_build import on_layout
from tests.test_package_kinds import APP, FUNCTION, Bench, bench

__all__ = ["bench"]

SOURCE = {"src/app.py": APP, "src/requirements.txt": "helper\n"}
DOCKERFILE = """\
FROM public.ecr.aws/lambda/python:3.13
COPY . ${LAMBDA_TASK_ROOT}
RUN pip install -r requirements.txt
CMD ["app.handler"]
"""
IMAGE_FUNCTION = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
    Metadata: {DockerContext: src, Dockerfile: Dockerfile}
"""


@pytest.fixture
def base(tmp_path: Path) -> str:
    return on_layout(tmp_path / "base")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "registry").mkdir()
    with docker_registry(tmp_path / "registry") as address:
        yield address


def test_the_image_of_a_function_has_the_tree_of_its_archive(bench: Bench, base: str) -> None:
    bench.holds({"template.yaml": FUNCTION, **SOURCE})
    assert bench.package().exit_code == 0
    archived = bench.manifest("Orders")
    digests = []
    for _ in range(2):
        assert bench.package("--kind", "image", "--base", base).exit_code == 0
        image = read_oci(bench.folder / "dist" / "Orders.oci", "Orders.oci")
        digests.append(image.digest)
    assert digests[0] == digests[1] == f"sha256:{bench.manifest('Orders')['sha256']}"
    assert image.config is not None
    assert image.config.command == ("app.handler",)
    assert image.config.labels[TREE_LABEL] == archived["tree_sha256"] == bench.manifest("Orders")["tree_sha256"]


def test_a_function_that_is_an_image_is_built_without_docker(bench: Bench, base: str) -> None:
    bench.holds({"template.yaml": IMAGE_FUNCTION, "src/Dockerfile": DOCKERFILE, **SOURCE})
    done = bench.package("--base", base)
    assert done.exit_code == 0, done.output
    image = read_oci(bench.folder / "dist" / "Orders.oci", "Orders.oci")
    placed = {entry.path for layer in image.layers for entry in layer.entries or ()}
    assert {"var/task/app.py", "var/task/helper/__init__.py"} <= placed


def test_a_second_push_sends_nothing_but_the_manifest(bench: Bench, base: str, registry: str) -> None:
    bench.holds({"template.yaml": FUNCTION, **SOURCE})
    outputs = [bench.package("--kind", "image", "--base", base, "--to", f"{registry}/orders:1").output for _ in "12"]
    assert "3 of 3 layers were sent" in outputs[0]
    assert "0 of 3 layers were sent" in outputs[1]
    shown = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", "--no-creds", f"docker://{registry}/orders:1"],
        capture_output=True,
        check=True,
        env={**os.environ, "HOME": str(bench.folder)},
    )
    assert json.loads(shown.stdout)["Digest"] == f"sha256:{bench.manifest('Orders')['sha256']}"


def test_a_registry_that_is_not_there_is_said(bench: Bench, base: str) -> None:
    bench.holds({"template.yaml": FUNCTION, **SOURCE})
    done = bench.package("--kind", "image", "--base", base, "--to", "127.0.0.1:1/orders:1")
    assert done.exit_code == 3
    assert "127.0.0.1:1/orders:1 cannot be" in done.output + done.stderr
