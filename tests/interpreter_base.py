"""A base image out of the files of the running interpreter, and AWS's client as the wheels that it was installed from.

A base from Debian takes a minute to make; this one takes seconds, and runs all the same.
"""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.fake_index import Made, hashed
from tests.test_image_readers import layout, member, tarred

CLIENT = "awslambdaric"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"

#: Nothing that a function would import, by megabytes.
_LEFT_OUT = {"test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "pydoc_data", "__pycache__"}
_UNUSED = re.compile(r"_(test|tkinter|ctypes_test|xxtest)")


def interpreter_base(folder: Path) -> str:
    """An OCI layout in *folder*, by the name that ``--base`` takes: the interpreter in ``/usr/local``, and no more."""
    config: dict[str, Any] = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
        "os": "linux",
        "config": {
            "Env": ["PATH=/usr/local/bin", "LANG=C.UTF-8", f"PYTHON_VERSION={VERSION}"],
            "Cmd": [f"python{VERSION}"],
        },
        "history": [{"created_by": "the running interpreter"}],
    }
    layout(folder, [tarred(_members())], config)
    return f"oci:{folder}"


def client_wheels() -> list[Made]:
    """AWS's client and all that it needs, out of what is installed here."""
    found: dict[str, Made] = {}
    waiting = [CLIENT]
    while waiting:
        name = waiting.pop()
        if name not in found:
            installed = distribution(name)
            found[name] = _wheel(installed)
            waiting += [Requirement(each).name for each in installed.requires or ()]
    return list(found.values())


def _members() -> list[tuple[tarfile.TarInfo, bytes]]:
    binary = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix, "installed_base": sys.base_prefix}))
    files = {f"usr/local/bin/python{VERSION}": binary}
    for place in library.rglob("*"):
        parts = place.relative_to(library).parts
        left_out = _LEFT_OUT & set(parts) or parts[0] in ("site-packages", "dist-packages") or _UNUSED.match(place.name)
        if not left_out and not parts[0].startswith("config-") and place.is_file():
            files[f"usr/local/lib/python{VERSION}/{'/'.join(parts)}"] = place
    native = [binary, *(place for place in files.values() if place.suffix == ".so"), *_native_files(CLIENT)]
    files |= {str(place).lstrip("/"): place for place in _needed(native)}
    folders = {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
    made = [member(path, type=tarfile.DIRTYPE, mode=0o755) for path in sorted(folders | {"etc", "proc", "dev"})]
    made.append(member("tmp", type=tarfile.DIRTYPE, mode=0o1777))
    made.append(member("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", mode=0o644))
    for path, place in sorted(files.items()):
        made.append(member(path, place.read_bytes(), mode=0o755 if os.access(place, os.X_OK) else 0o644))
    return made


def _native_files(name: str) -> list[Path]:
    files = distribution(name).files or ()
    return [Path(str(file.locate())) for file in files if file.suffix == ".so"]


def _needed(native: list[Path]) -> set[Path]:
    """The libraries and the loader that these files are linked against."""
    assert shutil.which("ldd"), "ldd is missing; apt-get install libc-bin"
    told = subprocess.run(["ldd", *map(str, native)], capture_output=True, text=True, check=False).stdout
    words = [word for line in told.splitlines() if not line.endswith(":") for word in line.split()]
    return {Path(word) for word in words if word.startswith("/") and Path(word).is_file()}


def _wheel(installed: Distribution) -> Made:
    name, version = installed.metadata["Name"].replace("-", "_"), installed.version
    info = f"{name}-{version}.dist-info"
    members = {}
    for file in installed.files or ():
        path = file.as_posix()
        kept = not path.startswith(("..", "/")) and "__pycache__" not in path
        if kept and file.name not in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            members[path] = Path(str(installed.locate_file(file))).read_bytes()
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    rows.writerows([path, hashed(data), len(data)] for path, data in members.items())
    rows.writerow([f"{info}/RECORD", "", ""])
    members[f"{info}/RECORD"] = record.getvalue().encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in members.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    tags = [line.split()[1].split("-") for line in (installed.read_text("WHEEL") or "").splitlines() if "Tag:" in line]
    tag = "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*tags, strict=True))
    return Made(f"{name}-{version}-{tag}.whl", made.getvalue(), (installed.read_text("METADATA") or "").encode())
