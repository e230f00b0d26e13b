"""``lambdalint package --watch``: as a process whose files change, and what counts as a change."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from lambdalint.readers.tree import Folder
from lambdalint.watching import Seen
from tests.processes import running
from tests.test_package_kinds import APP, FUNCTION, ORDERS, Bench, bench

__all__ = ["bench"]

#: Nothing takes as long, so that a build that never comes ends the test.
PATIENCE_S = 60
#: Any build of these projects takes less.
QUIET_S = 2

TWO = FUNCTION + FUNCTION[FUNCTION.index("  Orders:") :].replace("Orders", "Bills").replace("src/", "bills/")
PROJECT = {**ORDERS, "template.yaml": TWO, "bills/app.py": "def handler(event, context):\n    return 1\n"}


class Watch:
    """A watch that runs: what it says, line by line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: Queue[str] = Queue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.decode())

    def waits_for(self, text: str) -> str:
        """The next line that holds *text*."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_S)
            except Empty:
                raise AssertionError(f"{text!r} is never said, but {''.join(self.said)}") from None
            self.said.append(line)
            if text in line:
                return line

    def is_silent(self) -> bool:
        """Whether nothing is said for as long as a build of a change would take."""
        try:
            self.said.append(self._lines.get(timeout=QUIET_S))
        except Empty:
            return True
        return False

    def ends(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)


@contextmanager
def watching(*arguments: str) -> Iterator[Watch]:
    command = [sys.executable, "-m", "lambdalint", "package", "--watch", *arguments]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        yield Watch(process)


def touched(bench: Bench) -> dict[str, int]:
    return {place.name: place.stat().st_mtime_ns for place in (bench.folder / "dist").iterdir()}


def test_only_what_changed_is_packaged_again(bench: Bench) -> None:
    bench.holds(PROJECT)
    with watching() as watch:
        watch.waits_for("2 packaged")
        watch.waits_for("watching for changes")
        before = touched(bench)
        bench.holds({"src/app.py": f"{APP}\nCHANGED = True\n"})
        line = watch.waits_for("unchanged")
        assert "packaged Orders, " in line
        assert "1 unchanged" in line
        after = touched(bench)
        assert {name for name in after if after[name] != before.get(name)} == {"Orders.zip", "Orders.json"}
        # The manifest has the hash of its inputs; what they say is the same.
        bench.holds({"src/requirements.txt": "helper  # as before\n"})
        assert "2 unchanged" in watch.waits_for("unchanged")
        last = touched(bench)
        assert {name for name in last if last[name] != after[name]} == {"Orders.json"}
        assert watch.ends() == 130
    assert sorted(touched(bench)) == ["Bills.json", "Bills.zip", "Orders.json", "Orders.zip"]


def test_what_was_written_beside_the_template_is_no_change(bench: Bench) -> None:
    bench.holds(PROJECT)
    with watching("--out", ".") as watch:
        watch.waits_for("watching for changes")
        bench.holds({"src/app.py": f"{APP}\nCHANGED = True\n"})
        assert "packaged Orders, " in watch.waits_for("unchanged")
        assert watch.is_silent()


def test_what_was_packaged_again_is_what_a_fresh_run_packages(bench: Bench) -> None:
    bench.holds(PROJECT)
    with watching() as watch:
        watch.waits_for("watching for changes")
        bench.holds({"src/app.py": f"{APP}\nCHANGED = True\n"})
        watch.waits_for("packaged Orders, ")
        watch.ends()
    watched = {place.name: place.read_bytes() for place in (bench.folder / "dist").iterdir()}
    assert bench.package().exit_code == 0
    assert {place.name: place.read_bytes() for place in (bench.folder / "dist").iterdir()} == watched


def test_what_is_half_saved_is_said_and_waited_for(bench: Bench) -> None:
    bench.holds(PROJECT)
    with watching() as watch:
        watch.waits_for("watching for changes")
        bench.holds({"template.yaml": TWO[:-40] + "  {\n"})
        watch.waits_for("1 failure")
        bench.holds({"template.yaml": TWO, "src/app.py": "def handler(event, context:\n"})
        watch.waits_for("syntax-error")
        bench.holds({"src/app.py": f"{APP}\nCHANGED = True\n"})
        assert "packaged Orders, " in watch.waits_for("1 unchanged")
        assert watch.ends() == 130


def test_code_may_be_gone_for_a_while(bench: Bench) -> None:
    bench.holds(PROJECT)
    with watching() as watch:
        watch.waits_for("watching for changes")
        (bench.folder / "src").rename(bench.folder / "elsewhere")
        assert "1 unchanged" in watch.waits_for("skipped Orders, there is nothing at src")
        (bench.folder / "elsewhere").rename(bench.folder / "src")
        assert "1 unchanged" in watch.waits_for("packaged Orders, ")
        watch.ends()


def test_the_configuration_is_read_again(bench: Bench) -> None:
    bench.holds({**PROJECT, "lambdalint.toml": "[package]\nbytecode = 'none'\n"})
    with watching() as watch:
        watch.waits_for("watching for changes")
        bench.holds({"lambdalint.toml": "[package]\nbytecode = 'some'\n"})
        watch.waits_for("bytecode")
        bench.holds({"lambdalint.toml": "[package]\nbytecode = 'all'\n"})
        watch.waits_for("packaged Orders, ")
        watch.ends()
    assert any(path.endswith(".pyc") for path in bench.archived("Orders"))


def test_programs_get_their_file_after_each_build(bench: Bench) -> None:
    bench.holds(PROJECT)
    with watching("--output-format", "json", "--output", "packages.json") as watch:
        watch.waits_for("watching for changes")
        first = json.loads((bench.folder / "packages.json").read_text())
        bench.holds({"src/app.py": f"{APP}\nCHANGED = True\n"})
        watch.waits_for("packaged Orders, ")
        bench.holds({"bills/app.py": "def handler(event, context):\n    return 2\n"})
        # Its own file would have been a change of its own.
        assert "1 unchanged" in watch.waits_for("packaged Bills, ")
        second = json.loads((bench.folder / "packages.json").read_text())
        watch.ends()
    assert first["packages"] != second["packages"]


def test_a_project_that_another_one_requires_is_watched(bench: Bench) -> None:
    bench.holds(
        {
            **PROJECT,
            "src/requirements.txt": "./shared\n",
            "src/app.py": "import shared\n\n\ndef handler(event, context):\n    return shared.here\n",
            "src/shared/pyproject.toml": BUILT,
            "src/shared/backend.py": BACKEND,
            "src/shared/package/shared.py": "here = 1\n",
        }
    )
    with watching() as watch:
        watch.waits_for("watching for changes")
        bench.holds({"src/shared/package/shared.py": "here = 2\n"})
        watch.waits_for("packaged Orders, ")
        watch.ends()


BUILT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "shared"
version = "1"
"""
BACKEND = """\
import pathlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "shared-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as archive:
        archive.write("package/shared.py", "shared.py")
        archive.writestr("shared-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: shared\\nVersion: 1\\n")
        archive.writestr("shared-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        archive.writestr("shared-1.dist-info/RECORD", "")
    return name
"""


def test_a_wrong_command_ends_at_once(bench: Bench) -> None:
    bench.holds(PROJECT)
    done = bench.package("--watch", "--function", "Order")
    assert (done.exit_code, "did you mean 'Orders'?" in done.output) == (2, True)
    done = bench.package("--watch", "--plan")
    assert (done.exit_code, "--plan writes none" in done.output) == (2, True)


def test_the_extra_is_named_where_it_is_missing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.holds(PROJECT)
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    done = bench.package("--watch")
    assert done.exit_code == 2
    assert "pip install 'lambdalint[watch]'" in done.output


def looked_at(root: Path) -> Seen:
    for name, text in {"src/app.py": "one", "src/sub/data": "", "dist/a.zip": "", "other/app.py": ""}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    tree = Folder(root)
    tree.read("src/app.py")
    tree.names("src/sub")
    tree.names("missing")
    return Seen.by(tree, lambda path: not path.startswith("dist"))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda root: (root / "src" / "app.py").write_text("two"), {"src/app.py"}),
        (lambda root: (root / "src" / "app.py").unlink(), {"src", "src/app.py"}),
        (lambda root: (root / "src" / "new.py").write_text(""), {"src"}),
        (lambda root: (root / "new").mkdir(), {""}),
        (lambda root: (root / "missing").mkdir(), {""}),
        (lambda root: (root / "src" / "sub").rename(root / "src" / "moved"), {"src", "src/sub"}),
        (lambda root: os.utime(root / "src" / "app.py", (1, 1)), {"src/app.py"}),
        (lambda root: (root / "src" / "sub" / "data").write_text("nobody read it"), set()),
        (lambda root: (root / "other" / "new.py").write_text(""), set()),
        (lambda root: (root / "dist" / "b.zip").write_text(""), set()),
        (lambda root: None, set()),
    ],
)
def test_a_change_is_one_of_what_was_looked_at(
    tmp_path: Path, change: Callable[[Path], object], found: set[str]
) -> None:
    seen = looked_at(tmp_path)
    change(tmp_path)
    assert seen.changed() == found
