"""Wheels and sources as listings in memory."""

import io
import zipfile
from pathlib import Path

import pytest

from lambdalint.errors import LambdalintError, Refused
from lambdalint.packager.choice import Pin
from lambdalint.packager.pack import RawMember
from lambdalint.packager.source import Leaving, source_files
from lambdalint.packager.wheel import installed
from lambdalint.readers.tree import Folder, MemoryTree
from tests.fake_index import Made, hashed, wheel


def unpacked(made: Made, tmp_path: Path) -> dict[str, RawMember]:
    path = tmp_path / made.filename
    path.write_bytes(made.data)
    return {member.path: member for member in installed(path, Pin("app", "1", made.filename, path.as_uri())).members}


def test_a_wheel_is_spread_as_an_installer_does_and_useless_files_are_left_out(tmp_path: Path) -> None:
    made = wheel(
        "app",
        "1",
        files={
            "app/__init__.py": "",
            "app/__init__.pyi": "",
            "app/lazy.py": "import lazy_loader\nlazy_loader.attach_stub(__name__, __file__)\n",
            "app/lazy.pyi": "from . import x\n",
            "app/tool.sh": "#!/bin/sh\n",
            "app/data.bin": b"\x00",
            "app/native.h": "",
            "app/__pycache__/__init__.cpython-311.pyc": b"x",
            "app/tests/test_app.py": "",
            "app-1.data/purelib/pure.py": "",
            "app-1.data/platlib/plat.py": "",
            "app-1.data/data/share/app.cfg": "x",
            "app-1.data/data/bin/prog": "#!python\n",
            "app-1.data/scripts/run": "#!python\n",
            "app-1.data/headers/app.h": "",
            "app-1.dist-info/INSTALLER": "pip",
            "app-1.dist-info/direct_url.json": "{}",
            "app-1.dist-info/licenses/LICENSE": "free",
        },
        executable=["app/tool.sh", "app/data.bin"],
    )
    found = unpacked(made, tmp_path)
    assert sorted(found) == [
        "app-1.dist-info/METADATA",
        "app-1.dist-info/RECORD",
        "app-1.dist-info/WHEEL",
        "app-1.dist-info/licenses/LICENSE",
        "app/__init__.py",
        "app/data.bin",
        "app/lazy.py",
        "app/lazy.pyi",
        "app/tests/test_app.py",
        "app/tool.sh",
        "plat.py",
        "pure.py",
        "share/app.cfg",
    ]
    assert [path for path, member in found.items() if member.executable] == ["app/tool.sh"]
    record = found["app-1.dist-info/RECORD"].data.decode().splitlines()
    assert record == sorted(
        [f"{path},{hashed(member.data)},{len(member.data)}" for path, member in found.items() if "RECORD" not in path]
        + ["app-1.dist-info/RECORD,,"]
    )


@pytest.mark.parametrize(
    "path", ["../evil.py", "/etc/evil", "a/../../evil", "a\\..\\evil", "C:/evil", "a//b", "a/\x01"]
)
def test_a_member_that_leaves_the_folder_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        unpacked(wheel("app", "1", files={path: "x", "app.py": ""}), tmp_path)


def test_a_broken_wheel_is_refused_in_words(tmp_path: Path) -> None:
    made = wheel("app", "1", files={"app.py": "x = 1\n" * 1000})
    for size in (0, 10, len(made.data) // 2, len(made.data) - 1):
        with pytest.raises(Refused, match=r"app-1-py3-none-any\.whl"):
            unpacked(Made(made.filename, made.data[:size]), tmp_path)
    damaged = bytearray(made.data)
    damaged[60:70] = b"\xff" * 10
    with pytest.raises(Refused):
        unpacked(Made(made.filename, bytes(damaged)), tmp_path)


def test_a_record_that_lies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"RECORD that says otherwise about app\.py"):
        unpacked(wheel("app", "1", record={"app.py": hashed(b"other")}), tmp_path)


def test_an_archive_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("app.py", "")
    with pytest.raises(Refused, match="is no wheel"):
        unpacked(Made("app-1-py3-none-any.whl", out.getvalue()), tmp_path)


def paths(files: dict[str, str | bytes], root: str = "src", leaving: Leaving | None = None) -> list[str]:
    return [member.path for member in source_files(MemoryTree(files), root, leaving).members]


def test_what_tools_leave_behind_and_manifests_are_left_out() -> None:
    files: dict[str, str | bytes] = dict.fromkeys(
        [
            "src/app.py",
            "src/lib/requirements.txt",
            "src/config.json",
            "src/requirements.txt",
            "src/requirements-dev.txt",
            "src/uv.lock",
            "src/pyproject.toml",
            "src/__pycache__/app.cpython-311.pyc",
            "src/lib/old.pyc",
            "src/.venv/lib/x.py",
            "src/node_modules/x/index.js",
            "src/.git/HEAD",
            "src/app.egg-info/PKG-INFO",
            "src/.DS_Store",
            "other/app.py",
        ],
        "",
    )
    assert paths(files) == ["app.py", "config.json", "lib/requirements.txt"]


def test_ignore_files_count_from_the_project_s_root_down_and_ours_has_the_last_word() -> None:
    files: dict[str, str | bytes] = {
        ".gitignore": "*.log\n/src/build/\nmodels/\n",
        "src/.gitignore": "!keep.log\nlocal.py\n",
        "src/.lambdalintignore": "!models/\nmodels/*.tmp\nnotes.md\n!build/keep.txt\n",
        "src/app.py": "",
        "src/a.log": "",
        "src/keep.log": "",
        "src/local.py": "",
        "src/notes.md": "",
        "src/build/out.txt": "",
        "src/build/keep.txt": "",
        "src/models/big.bin": "",
        "src/models/x.tmp": "",
    }
    assert paths(files) == ["app.py", "build/keep.txt", "keep.log", "models/big.bin"]
    notes = source_files(MemoryTree(files), "src").notes
    assert notes == (
        ".gitignore leaves out src/a.log, src/build/out.txt, src/local.py; `!` in .lambdalintignore takes files back",
    )


def test_a_root_that_git_ignores_as_a_whole_is_packaged() -> None:
    files: dict[str, str | bytes] = {
        ".gitignore": "build/\n",
        "build/fn/app.py": "",
        "build/fn/.gitignore": "*.log\n",
        "build/fn/a.log": "",
    }
    assert paths(files, "build/fn") == ["app.py"]


def test_the_caller_leaves_out_and_takes_back() -> None:
    files: dict[str, str | bytes] = dict.fromkeys(["app.py", "template.yaml", "dist/a.zip", "docs/x.md", "uv.lock"], "")
    leaving = Leaving(out=("dist", "template.yaml"), excludes=("docs",), includes=("uv.lock",))
    assert paths(files, "", leaving) == ["app.py", "uv.lock"]


def test_links_within_the_project_are_followed_and_others_refused(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "helper.py").write_text("x = 1\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("")
    (tmp_path / "src" / "shared").symlink_to("../shared")
    (tmp_path / "src" / "one.py").symlink_to("../shared/helper.py")
    found = source_files(Folder(tmp_path), "src")
    assert [member.path for member in found.members] == ["app.py", "one.py", "shared/helper.py"]
    (tmp_path / "src" / "away").symlink_to("/etc/hostname")
    with pytest.raises(Refused, match="src/away is a link that leads out of the project"):
        source_files(Folder(tmp_path), "src")
    (tmp_path / "src" / ".lambdalintignore").write_text("away\n")
    assert len(source_files(Folder(tmp_path), "src").members) == 3
    (tmp_path / "src" / "round").symlink_to(".")
    with pytest.raises(Refused, match="src/round is a link to a folder that holds it"):
        source_files(Folder(tmp_path), "src")


def test_only_programs_are_executable(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "data.txt").write_text("x")
    for path in tmp_path.iterdir():
        path.chmod(0o777)
    (tmp_path / "off.sh").write_text("#!/bin/sh\n")
    found = {member.path: member.executable for member in source_files(Folder(tmp_path), "").members}
    assert found == {"run.sh": True, "data.txt": False, "off.sh": False}


def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    (tmp_path / "app.py").write_text("")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(LambdalintError, match="cannot be read"):
        source_files(Folder(tmp_path), "")
