"""Images started as Lambda starts them, and what is refused before anything of them runs."""

import errno
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.api import Running
from lambdalint.booting import boot
from lambdalint.cli import main
from lambdalint.config import BootSettings, Config
from lambdalint.errors import LambdalintError, Refused, UsageError
from lambdalint.facts.image_tree import ImageTree
from lambdalint.model.boot import Boot, Ending, Isolation, Phase
from lambdalint.model.image import Image, ImageKind, Platform
from lambdalint.packager.boot.rootfs import MAX_BYTES, lay_out, sound_tree
from lambdalint.packager.boot.streams import MAX_OUTPUT_BYTES
from lambdalint.readers.image.oci import read_oci
from lambdalint.reporters.boot import render
from lambdalint.reporters.view import View
from tests.fake_index import FakeIndex
from tests.interpreter_base import VERSION, client_wheels, interpreter_base
from tests.processes import running
from tests.registries import docker_registry
from tests.test_image_readers import CONFIG, layout, member, tarred

AS_ROOT = os.geteuid() == 0
HERE = f"python3.{sys.version_info[1]}"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
RUNS_HERE: dict[str, Any] = {**CONFIG, "architecture": MACHINE}

TEMPLATE = f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: src/, Handler: app.handler, Runtime: {HERE}}}
"""
APP = """\
import os
import time

import shared.inner


def tried(path):
    try:
        with open(path, "w") as file:
            file.write("x")
    except OSError as error:
        return error.errno


def handler(event, context):
    match event:
        case {"do": "look"}:
            with open("/proc/self/status") as file:
                status = dict(line.rstrip("\\n").split(":\\t", 1) for line in file)
            return {
                "user": os.getuid(),
                "privileges": status["CapEff"],
                "more": status["NoNewPrivs"],
                "folder": os.getcwd(),
                "written": {path: tried(path) for path in ("/var/task/new", "/new", "/usr/local/new", "/tmp/new")},
                "variables": dict(os.environ),
                "name": context.function_name,
            }
        case {"do": "see"}:
            return [os.getuid(), tried("/var/task/new"), tried("/tmp/new")]
        case {"do": "write"}:
            open("/var/task/orders.txt", "w")
        case {"do": "print"}:
            for _ in range(200):
                print("x" * 100_000)
        case {"do": "fill"}:
            kept = b"x" * 400_000_000
            time.sleep(20)
        case {"do": "end"}:
            os._exit(7)
        case {"do": "wait"}:
            time.sleep(600)
    return event.get("do")
"""
SOURCE = {
    "template.yaml": TEMPLATE,
    "src/app.py": APP,
    "src/broken.py": "import nothing_like_it\n",
    "src/shared/__init__.py": "import wave\n",
    "src/shared/inner.py": "",
}
ISOLATED = {Isolation.CONTAINER} if AS_ROOT else {Isolation.USER_NAMESPACE}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return interpreter_base(tmp_path_factory.mktemp("base") / "base")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, base: str) -> Iterator[Path]:
    """What `lambdalint package --kind image` makes of a project on a base without a runtime client."""
    folder = tmp_path_factory.mktemp("project")
    for path, text in SOURCE.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    with FakeIndex() as index, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HOME", str(folder))
        patch.setenv("LAMBDALINT_CACHE_DIR", str(folder / "cache"))
        patch.setenv("UV_DEFAULT_INDEX", index.url)
        index.add(*client_wheels())
        done = run("package", "--kind", "image", "--base", base)
        assert done.exit_code == 0, done.output
        assert "awslambdaric is added and started" in done.output
        yield folder / "dist" / "Orders.oci"


@pytest.fixture
def events(tmp_path: Path) -> Path:
    for name in ("look", "see", "write", "print", "fill", "end", "wait"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"do": name}))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def without(patch: pytest.MonkeyPatch, *programs: str) -> None:
    """Let this machine be one without *programs*."""
    which = shutil.which
    patch.setattr(shutil, "which", lambda name, *rest, **more: None if name in programs else which(name, *rest, **more))


def started(image: Path, *events: Path, **options: Any) -> Boot:
    return boot(image, Config(), events=[str(each) for each in events], **options)


def answer(found: Boot, number: int = 0) -> Any:
    assert found.invocations, found
    return json.loads(found.invocations[number].response or "null")


def test_a_packaged_image_answers_in_a_room_like_lambdas(image: Path, events: Path) -> None:
    found = started(image, events / "look.json", events / "see.json", memory_mb=256, environment={"TABLE": "orders"})
    assert found.is_healthy, found
    assert found.isolation in ISOLATED, "needs crun, and the right to mount: apt-get install crun"
    seen = answer(found)
    assert seen["user"] == (993 if AS_ROOT else 0)  # the user of a namespace is root in it by name alone
    assert int(seen["privileges"], 16) == 0
    assert (seen["more"], seen["folder"], seen["name"]) == ("1", "/var/task", "Orders")
    refused = dict.fromkeys(("/var/task/new", "/new", "/usr/local/new"), errno.EROFS)
    assert seen["written"] == {**refused, "/tmp/new": None}
    variables = seen["variables"]
    assert (variables["TABLE"], variables["LAMBDA_TASK_ROOT"]) == ("orders", "/var/task")
    assert (variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], variables["HOME"]) == ("256", "/home/sbx_user1051")
    assert not {"PYTEST_CURRENT_TEST", "VIRTUAL_ENV", "USER"} & variables.keys()
    assert found.init_ms is not None
    assert found.peak_mb is not None
    assert 5 < found.peak_mb < 200


@pytest.mark.parametrize(
    ("hidden", "isolation", "written"),
    [
        (("crun",), Isolation.NAMESPACES if AS_ROOT else Isolation.USER_NAMESPACE, errno.EROFS),
        (("crun", "unshare"), Isolation.CHROOT, errno.EACCES),
    ],
)
def test_without_crun_it_answers_in_a_root_of_its_own(
    image: Path,
    events: Path,
    monkeypatch: pytest.MonkeyPatch,
    hidden: tuple[str, ...],
    isolation: Isolation,
    written: int,
) -> None:
    without(monkeypatch, *hidden)
    if isolation is Isolation.CHROOT and not AS_ROOT:
        with pytest.raises(Refused, match="only root or a user with namespaces") as caught:
            started(image)
        assert caught.value.exit_code == 3
        return
    found = started(image, events / "see.json", events / "write.json")
    assert found.isolation is isolation, "needs mount namespaces: unshare and mount of util-linux"
    assert answer(found) == [993 if AS_ROOT else 0, written, None]
    error = found.invocations[1].error
    assert error is not None
    assert error.type == ("OSError" if written == errno.EROFS else "PermissionError")
    assert "/var/task/orders.txt" in error.message


def test_imports_are_told_from_where_the_function_begins(image: Path) -> None:
    rows = {each.module: each for each in started(image).imports}
    assert rows["awslambdaric.bootstrap"].phase is Phase.RUNTIME
    assert [rows[name].phase for name in ("shared.inner", "shared", "wave")] == [Phase.INIT] * 3
    assert rows["wave"].depth > rows["shared"].depth


def test_a_handler_takes_the_place_of_the_command(image: Path) -> None:
    found = started(image, running=Running(handler="broken.handler"))
    assert found.handler == "broken.handler"
    assert found.init_error is not None
    assert found.init_error.type == "Runtime.ImportModuleError"
    assert "nothing_like_it" in found.init_error.message
    assert not found.is_healthy


def test_each_way_to_fail_is_told(image: Path, events: Path) -> None:
    wrote, ended, rest = started(image, *(events / f"{name}.json" for name in ("write", "end", "see"))).invocations
    assert wrote.error is not None
    assert ended.error is not None
    assert (wrote.ending, wrote.error.type) == (Ending.ERROR, "OSError")
    assert (ended.ending, rest.ending) == (Ending.EXIT, Ending.NOT_RUN)
    assert "with 7" in ended.error.message
    late = started(image, events / "wait.json", timeout_s=1)
    assert [each.ending for each in late.invocations] == [Ending.TIMEOUT]
    full = started(image, events / "fill.json", memory_mb=128)
    assert [each.ending for each in full.invocations] == [Ending.OUT_OF_MEMORY]


def test_however_much_is_printed_only_the_beginning_is_kept(image: Path, events: Path) -> None:
    found = started(image, events / "print.json")
    assert found.is_healthy
    assert found.output_cut
    assert len(found.output) <= MAX_OUTPUT_BYTES


def test_nothing_is_left_behind(image: Path, events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    null = Path("/dev/null").stat()
    for _ in range(2):
        started(image, events / "wait.json", timeout_s=1)
        assert list(scratch.iterdir()) == []
        without(monkeypatch, "crun")
    assert str(scratch) not in Path("/proc/self/mounts").read_text()
    assert (Path("/dev/null").stat().st_uid, Path("/dev/null").stat().st_mode) == (null.st_uid, null.st_mode)


def test_a_process_that_leaves_its_session_ends_with_the_others(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"left-{os.getpid()}"
    code = f"import os, time; os.fork() or (os.setsid(), time.sleep(600)); time.sleep(600) # {name}"
    for hidden in ((), ("crun",), ("crun", "unshare")) if AS_ROOT else ((),):
        without(monkeypatch, *hidden)
        layer = tarred([member("app", f"#!/usr/local/bin/python{VERSION}\n{code}\n".encode(), mode=0o755)])
        copied = tmp_path / f"image-{len(hidden)}"
        extended(image, copied, layer, ["/app", name])
        monkeypatch.setattr("lambdalint.packager.boot.process.INIT_MAX_S", 1)
        found = started(copied)
        assert found.init_error is not None
        assert found.init_error.type == "Sandbox.Timedout"
        waited_for(lambda: not [each for each in Path("/proc").glob("[0-9]*/cmdline") if name.encode() in read(each)])


WITHOUT = """
import shutil, sys
which = shutil.which
shutil.which = lambda name, *rest, **more: None if name in HIDDEN else which(name, *rest, **more)
from lambdalint.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("hidden", [(), ("crun",), ("crun", "unshare")] if AS_ROOT else [()])
def test_ctrl_c_ends_it_and_leaves_nothing_behind(
    image: Path, events: Path, tmp_path: Path, hidden: tuple[str, ...]
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    sign = f"SIGN={tmp_path.name}-{os.getpid()}"
    code = WITHOUT.replace("HIDDEN", repr(hidden))
    arguments = ["boot", str(image), "--env", sign, "--event", str(events / "wait.json"), "--timeout", "600"]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with running([sys.executable, "-c", code, *arguments], env=environment) as process:
        waited_for(lambda: bool(signed(sign)))
        assert {stat.S_IMODE(each.stat().st_mode) for each in scratch.iterdir()} == {0o700}, "variables are nobody's"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said.strip()) == (130, b"")
    assert signed(sign) == []
    assert list(scratch.iterdir()) == []


def waited_for(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("that does not happen")


def signed(sign: str) -> list[str]:
    """The processes that have *sign* for a variable, which only those inside an image get."""
    return [place.parent.name for place in Path("/proc").glob("[0-9]*/environ") if sign.encode() in read(place)]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def extended(image: Path, copied: Path, layer: bytes, entrypoint: list[str]) -> None:
    """A copy of *image* with one more layer, and another entry point."""
    shutil.copytree(image, copied)

    def blob(digest: str) -> Any:
        return json.loads((copied / "blobs" / digest.replace(":", "/")).read_bytes())

    def put(data: bytes) -> dict[str, Any]:
        name = hashlib.sha256(data).hexdigest()
        (copied / "blobs" / "sha256" / name).write_bytes(data)
        return {"digest": f"sha256:{name}", "size": len(data)}

    index = json.loads((copied / "index.json").read_bytes())
    manifest = blob(index["manifests"][0]["digest"])
    config = blob(manifest["config"]["digest"])
    config["config"] = {"Entrypoint": entrypoint, "Env": config["config"]["Env"]}
    config["rootfs"]["diff_ids"].append(f"sha256:{hashlib.sha256(layer).hexdigest()}")
    manifest["layers"].append({**manifest["layers"][0], **put(gzip.compress(layer))})
    manifest["config"] |= put(json.dumps(config).encode())
    index["manifests"][0] |= put(json.dumps(manifest).encode())
    (copied / "index.json").write_text(json.dumps(index))


def test_an_image_of_a_registry_and_an_archive_are_started_too(
    image: Path, events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LAMBDALINT_CACHE_DIR", str(tmp_path / "cache"))
    archive = tmp_path / "orders.tar"
    assert shutil.which("skopeo"), "skopeo is missing; apt-get install skopeo"
    subprocess.run(["skopeo", "copy", "-q", f"oci:{image}", f"docker-archive:{archive}:orders:1"], check=True)
    event = ("--event", str(events / "see.json"))
    for name in (str(archive), f"docker-archive:{archive}:orders:1", f"oci:{image}"):
        assert run("boot", name, *event).exit_code == 0, name
    (tmp_path / "registry").mkdir()
    with docker_registry(tmp_path / "registry") as address:
        name = f"{address}/orders:1"
        subprocess.run(
            ["skopeo", "copy", "-q", "--dest-tls-verify=false", "--dest-no-creds", f"oci:{image}", f"docker://{name}"],
            check=True,
        )
        done = run("boot", name, *event)
    assert done.exit_code == 0, done.output
    assert "answers 1 event" in done.output


def test_the_command_shows_it_and_says_by_its_exit_code_how_it_went(image: Path, events: Path) -> None:
    shown = run("boot", str(image), "--event", str(events / "see.json"))
    assert shown.exit_code == 0
    assert re.search(r"^isolation +\S", shown.stdout, re.MULTILINE)
    failed = run("boot", str(image), "--event", str(events / "write.json"))
    assert failed.exit_code == 1
    assert "/var/task/orders.txt" in failed.stdout
    schema = json.loads((files("lambdalint.reporters") / "schema-boot.json").read_text())
    jsonschema.validate(json.loads(run("boot", str(image), "--output-format", "json").stdout), schema)
    tight = boot(image, Config(boot=BootSettings(max_init_ms=1)))
    assert not tight.is_healthy
    assert "the budget is 1 ms" in render("text", tight, View())


def small(folder: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]], **settings: Any) -> Path:
    config: dict[str, Any] = {
        **RUNS_HERE,
        **{key: settings.pop(key) for key in ("architecture", "os") if key in settings},
    }
    return layout(folder, [tarred(members)], {**config, "config": settings})


PROGRAM = member("app", b"#!/bin/sh\n", mode=0o755)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "neither an entry point nor a command"),
        ({"Cmd": ["app.handler"]}, "has no entry point, and its command 'app.handler' is no program in it"),
        ({"Entrypoint": ["/bin/none"]}, "cannot be started: its entry point '/bin/none' is no program in it"),
        ({"Entrypoint": ["/closed"]}, "not everybody may run /closed"),
        ({"Entrypoint": ["/app"], "WorkingDir": "/a\0b"}, "cannot be written: embedded null byte"),
        ({"Entrypoint": ["/app"], "architecture": "riscv64"}, "is for linux/riscv64, which Lambda does not have"),
        ({"Entrypoint": ["/app"], "architecture": "arm64" if MACHINE == "amd64" else "amd64"}, "and this machine is"),
        ({"Entrypoint": ["/app"], "os": "windows"}, "is for windows/.*; Lambda runs linux"),
    ],
)
def test_what_cannot_be_started_is_said(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    place = small(tmp_path / "image", [PROGRAM, member("closed", b"#!/bin/sh\n", mode=0o700)], **settings)
    with pytest.raises(Refused, match=message) as caught:
        started(place)
    assert caught.value.exit_code == 3


def test_options_that_say_otherwise_are_said(tmp_path: Path) -> None:
    place = small(tmp_path / "image", [PROGRAM], Entrypoint=["/app"])
    other = "arm64" if MACHINE == "amd64" else "x86_64"
    with pytest.raises(Refused, match=f"and not for {other}"):
        started(place, running=Running(architecture=other))
    with pytest.raises(UsageError, match="an image takes no layers"):
        started(place, running=Running(layers=(tmp_path,)))
    with pytest.raises(UsageError, match="AWS_REGION is set by Lambda itself"):
        started(place, environment={"AWS_REGION": "x"})
    with pytest.raises(UsageError, match="no event is called"):
        started(place, Path("sqz"))


def test_a_program_that_ends_at_once_is_told(image: Path, tmp_path: Path) -> None:
    extended(image, tmp_path / "image", tarred([]), [f"python{VERSION}", "-c", "print('bye')"])
    found = started(tmp_path / "image")
    assert found.init_error is not None
    assert found.output == "bye\n"
    assert any("runtime client" in note for note in found.notes)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([member("../outside", b"x")], r"a file named '\.\./outside'"),
        ([member("a/../../outside", b"x")], "a file named"),
        ([member("a", type=tarfile.LNKTYPE, linkname="none")], "a hard link to 'none', which is not there"),
        ([member("a", b"x"), member("a/b", b"x")], "/a/?b? cannot be written"),
        (
            [
                member("a", type=tarfile.SYMTYPE, linkname="b"),
                member("b", type=tarfile.SYMTYPE, linkname="a"),
                member("a/c"),
            ],
            "lead in circles",
        ),
        ([member(f"{'n' * 300}", b"x")], "cannot be written: File name too long"),
    ],
)
def test_a_hostile_image_is_refused(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], message: str) -> None:
    place = small(tmp_path / "in" / "image", [PROGRAM, *members], Entrypoint=["/app"])
    with pytest.raises(Refused, match=message):
        started(place)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_damaged_image_is_refused(tmp_path: Path) -> None:
    place = small(tmp_path / "image", [PROGRAM], Entrypoint=["/app"])
    blob = max((place / "blobs" / "sha256").iterdir(), key=lambda path: read(path).startswith(b"\x1f\x8b"))
    blob.write_bytes(blob.read_bytes()[:-9])
    with pytest.raises(Refused, match="cannot be unpacked: layer 1: it ends within its compressed data"):
        started(place)


def test_an_index_is_refused_with_what_it_lists(tmp_path: Path) -> None:
    platform = Platform("linux/amd64", "sha256:12ab")
    with pytest.raises(Refused, match="is an index of images, which Lambda does not take") as caught:
        sound_tree(Image("orders:1", ImageKind.OCI, platforms=(platform,)))
    assert caught.value.hint == "name one of them by its digest: linux/amd64 is sha256:12ab"


def test_more_than_lambda_takes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    read = read_oci(small(tmp_path / "image", [PROGRAM]), "image")
    large = replace(read, layers=(replace(read.layers[0], unpacked_bytes=MAX_BYTES + 1, files=None),))
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(Refused, match="unpacks to 10,737,418,241 bytes; Lambda takes 10,737,418,240"):
        lay_out(large, ImageTree.of(large), root, "/")
    assert list(root.iterdir()) == []


def laid_out(folder: Path, *layers: bytes) -> tuple[Path, tuple[str, ...]]:
    image = read_oci(layout(folder / "image", list(layers), RUNS_HERE), "image")
    root = folder / "root"
    root.mkdir()
    return root, lay_out(image, sound_tree(image), root, "/var/task")


def test_what_gives_rights_is_left_out(tmp_path: Path) -> None:
    root, notes = laid_out(
        tmp_path,
        tarred(
            [
                member("bin/su", b"x", mode=0o6755),
                member("bin/link", type=tarfile.LNKTYPE, linkname="bin/su"),
                member("dev/sda", type=tarfile.BLKTYPE, devmajor=8),
                member("disk", type=tarfile.BLKTYPE, devmajor=8),
                member("pipe", type=tarfile.FIFOTYPE),
                member("/absolute", b"inside", mode=0o644),
                member("shared", type=tarfile.DIRTYPE, mode=0o2777),
            ]
        ),
    )
    assert stat.S_IMODE((root / "bin" / "su").stat().st_mode) == 0o755
    assert (root / "bin" / "link").samefile(root / "bin" / "su")
    assert stat.S_IMODE((root / "shared").stat().st_mode) == 0o777
    assert (root / "absolute").read_bytes() == b"inside"
    assert list((root / "dev").iterdir()) == []
    assert not os.path.lexists(root / "disk")
    assert notes == ("left out are devices, pipes and sockets: /disk, /pipe",)
    assert (root / "var" / "task").is_dir()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    links = tarred(
        [
            member("etc", type=tarfile.SYMTYPE, linkname=str(outside)),
            member("up", type=tarfile.SYMTYPE, linkname="../../../../../../../../../../../etc"),
            member("proc", type=tarfile.SYMTYPE, linkname=str(outside)),
            member("tmp", type=tarfile.SYMTYPE, linkname="/elsewhere"),
            member("usr/lib", type=tarfile.DIRTYPE, mode=0o755),
            member("lib", type=tarfile.SYMTYPE, linkname="usr/lib"),
        ]
    )
    through = [member(f"{name}/file", b"x", mode=0o644) for name in ("etc", "up", "proc", "tmp", "lib")]
    root, _ = laid_out(tmp_path, links, tarred(through))
    assert list(outside.iterdir()) == []
    assert (root / "usr" / "lib" / "file").read_bytes() == b"x"
    assert (root / "elsewhere" / "file").read_bytes() == b"x"
    assert all((root / name).is_dir() and not (root / name).is_symlink() for name in ("proc", "tmp", "dev"))


NAMES = st.lists(st.sampled_from(["a", "b", "c", "..", "tmp", ".wh.a", ".wh..wh..opq"]), min_size=1, max_size=4)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
TARGETS = st.sampled_from(["a", "../b", "/a/b", "../../../../outside", "OUTSIDE", ".", "..", "a/b/c"])
RECORDS = st.lists(st.tuples(NAMES.map("/".join), KINDS, TARGETS), min_size=1, max_size=8)


@given(st.lists(RECORDS, min_size=1, max_size=3))
def test_no_set_of_records_leads_out(
    tmp_path_factory: pytest.TempPathFactory, layers: list[list[tuple[str, bytes, str]]]
) -> None:
    folder = tmp_path_factory.mktemp("records")
    outside = folder / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    made = [
        tarred(
            [
                member(name, type=kind, linkname=target.replace("OUTSIDE", str(outside)), mode=0o755)
                for name, kind, target in records
            ]
        )
        for records in layers
    ]
    try:
        root, _ = laid_out(folder, *made)
    except LambdalintError:
        root = folder / "root"
    assert sorted(path.name for path in folder.iterdir() if path.name != "root") == ["image", "outside"]
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("kept", "kept")]
    for path in root.rglob("*"):
        assert path.is_symlink() or path.is_dir() or (path.is_file() and path.stat().st_nlink < 10)


def test_layers_are_laid_over_each_other_as_umoci_does(tmp_path: Path) -> None:
    below = [
        member("etc", type=tarfile.DIRTYPE, mode=0o755),
        member("etc/gone", b"1", mode=0o644),
        member("etc/kept", b"1", mode=0o640),
        member("cleared", type=tarfile.DIRTYPE, mode=0o755),
        member("cleared/old", b"1", mode=0o644),
        member("was-folder", type=tarfile.DIRTYPE, mode=0o755),
        member("was-folder/file", b"1", mode=0o644),
        member("was-file", b"1", mode=0o644),
        member("was-link", type=tarfile.SYMTYPE, linkname="etc"),
        member("first", b"shared", mode=0o755),
        member("second", type=tarfile.LNKTYPE, linkname="first"),
    ]
    above = [
        member("etc/.wh.gone"),
        member("cleared", type=tarfile.DIRTYPE, mode=0o711),
        member("cleared/.wh..wh..opq"),
        member("cleared/new", b"2", mode=0o644),
        member("was-folder", b"2", mode=0o600),
        member("was-file", type=tarfile.DIRTYPE, mode=0o755),
        member("was-file/inside", b"2", mode=0o644),
        member("was-link", type=tarfile.DIRTYPE, mode=0o755),
        member("first", b"changed", mode=0o644),
        member("third", type=tarfile.LNKTYPE, linkname="etc/kept"),
        member("loose", type=tarfile.SYMTYPE, linkname="/nowhere"),
    ]
    root, _ = laid_out(tmp_path, tarred(below), tarred(above))
    assert shutil.which("umoci"), "umoci is missing; apt-get install umoci"
    index = json.loads((tmp_path / "image" / "index.json").read_text())
    index["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": "1"}
    (tmp_path / "image" / "index.json").write_text(json.dumps(index))
    rootless = () if AS_ROOT else ("--rootless",)
    unpack = ["umoci", "unpack", *rootless, "--image", f"{tmp_path / 'image'}:1", str(tmp_path / "bundle")]
    subprocess.run(unpack, check=True, capture_output=True)
    ours, theirs = described(root), described(tmp_path / "bundle" / "rootfs")
    for made in ("dev", "proc", "tmp", "var", "var/task"):
        ours.pop(made, None)
    assert ours == theirs


def described(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            content = path.read_bytes() if path.is_file() else None
            found[name] = (stat.S_IMODE(path.stat().st_mode), content)
    return found
