"""Choose real wheels for real runtimes, look into every native file of them, and import them where that can be done.

    python -m benchmarks.real_wheels [--name numpy] [--cross]

Downloads from the index that is configured.  What is imported needs an interpreter of the runtime's version on this
machine; its glibc is newer than Lambda's, so that it is the symbols that tell whether a file loads there.  ``--cross``
also builds an extension module for both architectures by zig (``pip install 'lambdalint[cross]'``).
"""

import argparse
import os
import platform
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lambdalint.errors import LambdalintError
from lambdalint.packager import measured
from lambdalint.packager.bytecode import interpreter
from lambdalint.packager.choice import Pin
from lambdalint.packager.fetch import Fetcher
from lambdalint.packager.host import Host, silent
from lambdalint.packager.index import Indexes, IndexSettings
from lambdalint.packager.resolve import Question, resolve
from lambdalint.packager.sdist import Builder, Sdist
from lambdalint.packager.target import Target, target
from lambdalint.packager.web import Web
from lambdalint.packager.wheel import installed

#: What is asked for, and what is imported of it.
WHEELS: Final = {
    "numpy": "numpy",
    "pandas": "pandas",
    "pydantic-core": "pydantic_core",
    "cryptography": "cryptography.hazmat.bindings._rust",
    "psycopg2-binary": "psycopg2",
    "lxml": "lxml.etree",
    "orjson": "orjson",
    "pillow": "PIL._imaging",
    "scipy": "scipy.linalg",
}
TARGETS: Final = tuple(
    (runtime, machine) for runtime in ("python3.11", "python3.13") for machine in ("x86_64", "arm64")
)

_EXTENSION: Final = {
    "pyproject.toml": '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n'
    '[project]\nname = "tiny"\nversion = "1.0"\n',
    "setup.py": 'from setuptools import Extension, setup\nsetup(ext_modules=[Extension("tiny", ["tiny.c"])])\n',
    "tiny.c": """\
#include <Python.h>
#include <math.h>
static PyObject *power(PyObject *self, PyObject *x) {
    volatile double exponent = 0.3;
    return PyFloat_FromDouble(pow(PyFloat_AsDouble(x), exponent));
}
static PyMethodDef methods[] = {{"power", power, METH_O, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tiny", "", -1, methods};
PyMODINIT_FUNC PyInit_tiny(void) { return PyModule_Create(&module); }
""",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one distribution for one target."""

    target: str
    wheel: str
    natives: int
    needs: str
    imported: str


def verdicts(names: list[str], aim: Target, host: Host, scratch: Path) -> Iterator[Verdict]:
    web = Web(host.environment)
    indexes = Indexes(IndexSettings.of(host.environment), web)
    fetcher = Fetcher(web, host, scratch)
    for name in names:
        answer = resolve(Question((name,)), indexes, aim, host, fresh_s=0)
        files = fetcher.fetch(answer.pins, silent)
        chosen = next(pin for pin in answer.pins if pin.name == name)
        found: list[measured.Native] = []
        for pin, (path, _) in files.items():
            found += measured.check(_named(path, pin, scratch), aim)
        highest = {key: max(each.needs.get(key, ()) for each in found) for key in ("GLIBC", "GLIBCXX", "CXXABI")}
        needs = " ".join(f"{key} {'.'.join(map(str, value))}" for key, value in highest.items() if value)
        imported = _imported(WHEELS.get(name, name), files, aim, host, scratch / f"{name}-{aim.runtime}")
        yield Verdict(str(aim), chosen.filename, len(found), needs, imported)


def crossed(aim: Target, host: Host, scratch: Path) -> Verdict:
    """A tiny extension module, built for *aim* by zig."""
    project = scratch / "tiny"
    project.mkdir(exist_ok=True)
    for name, text in _EXTENSION.items():
        (project / name).write_text(text)
    pin = Pin("tiny", "1.0", "tiny-1.0.tar.gz", project.as_uri())
    wheel = Builder(Sdist.CROSS, host, scratch).wheel(project, pin, aim)
    found = measured.check(wheel, aim)
    needs = "GLIBC " + ".".join(map(str, max(each.glibc for each in found)))
    imported = _imported("tiny", {pin: (wheel, "")}, aim, host, scratch / f"tiny-{aim.runtime}-{aim.machine}")
    return Verdict(f"{aim}, cross", wheel.name, len(found), needs, imported)


def _named(path: Path, pin: Pin, scratch: Path) -> Path:
    """The wheel under its own name, by which messages call it."""
    place = scratch / pin.filename
    if not place.exists():
        place.symlink_to(path)
    return place


def _imported(module: str, files: dict[Pin, tuple[Path, str]], aim: Target, host: Host, folder: Path) -> str:
    if platform.machine() != aim.machine:
        return f"no {aim.machine} here"
    python = interpreter(aim.python, host.environment)
    if python is None:
        return f"no Python {'.'.join(map(str, aim.python))} here"
    for pin, (path, _) in files.items():
        for member in installed(path, pin).members:
            place = folder / member.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(member.data)
    done = subprocess.run(
        [python.path, "-I", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); import {module}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "imported" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", action="append", metavar="NAME", help="this distribution; can be given several times")
    parser.add_argument("--cross", action="store_true", help="also build an extension module by zig")
    options = parser.parse_args()
    host, failed = Host.here(), 0
    print(f"{'target':27}  {'wheel':88}  {'files':>5}  {'needs':42}  import")
    with TemporaryDirectory() as folder:
        for runtime, machine in TARGETS:
            aim = target(runtime, machine)
            started = time.perf_counter()
            try:
                found = list(verdicts(options.name or list(WHEELS), aim, host, Path(folder)))
                if options.cross:
                    found.append(crossed(aim, host, Path(folder)))
            except (LambdalintError, zipfile.BadZipFile) as error:
                failed += 1
                print(f"{aim}: {error}")
                continue
            for each in found:
                failed += each.imported not in ("imported", f"no {aim.machine} here")
                print(
                    f"{each.target:27}  {each.wheel:88}  {each.natives:5}  {each.needs:42}  {each.imported}", flush=True
                )
            glibc = ".".join(map(str, aim.glibc))
            print(f"{'':27}  glibc {glibc}, {time.perf_counter() - started:.1f} s", file=sys.stderr)
    return min(failed, 1)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
