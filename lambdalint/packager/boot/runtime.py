"""What the runtime brings along: AWS's client and the SDK, for the target's Python, in a folder of their own."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lambdalint.errors import Refused
from lambdalint.packager.bytecode import Interpreter
from lambdalint.packager.host import Host
from lambdalint.packager.uv import own_words, uv_binary

#: Changes with what is put into the folder.
_RULES: Final = "1"
_CLIENT: Final = "awslambdaric"
_SDK: Final = "boto3"
_MAX_S: Final = 600


def runtime_folder(python: Interpreter, host: Host, scratch: Path) -> Path:
    """A folder with AWS's runtime client and boto3 for *python*, in the cache or else in *scratch*.

    What is installed beside lambdalint is taken where it is for this Python, and is fetched by uv otherwise.

    Raises:
        Refused: it is neither here nor can it be fetched.
    """
    installed = _installed() if Path(python.path) == Path(sys.executable) else ()
    versions = " ".join(sorted(f"{each.name}=={each.version}" for each in installed))
    machine = f"{sys.platform} {platform.machine()}"
    key = hashlib.sha256("\0".join((_RULES, python.version, machine, versions)).encode()).hexdigest()
    place = host.cache.path("boot", key)
    if place is not None and place.is_dir():
        return place
    made = Path(tempfile.mkdtemp(dir=scratch, prefix="runtime-"))
    if installed:
        _copy(installed, made)
    else:
        _fetch(python, host, made)
    _open_to_all(made)
    if place is None:
        return made
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place first: scratch may lie on another disk, and others must not see half of it.
        beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=".tmp-"))
        try:
            shutil.copytree(made, beside / "whole")
            (beside / "whole").rename(place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return place if place.is_dir() else made


def client_version(folder: Path) -> str:
    """The version of the client in *folder*; empty when nothing says it."""
    found = next(iter(sorted(folder.glob(f"{_CLIENT}-*.dist-info"))), None)
    return "" if found is None else found.name.removesuffix(".dist-info").partition("-")[2]


def _installed() -> tuple[Distribution, ...]:
    """The client, the SDK and all that they need, as they are installed beside us; nothing unless both are."""
    found: dict[str, Distribution] = {}
    waiting = [_CLIENT, _SDK]
    try:
        while waiting:
            name = canonicalize_name(waiting.pop())
            if name not in found:
                found[name] = distribution(name)
                if not found[name].read_text("RECORD"):
                    return ()  # a system's package, which does not say which files are its own
                waiting += _needs(found[name])
    except PackageNotFoundError:
        return ()
    return tuple(found.values())


def _needs(dist: Distribution) -> Iterator[str]:
    for text in dist.requires or ():
        with suppress(InvalidRequirement):
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                yield needed.name


def _copy(dists: tuple[Distribution, ...], folder: Path) -> None:
    for dist in dists:
        for file in dist.files or ():
            if ".." in file.parts or file.is_absolute() or "__pycache__" in file.parts:
                continue
            source, target = Path(str(dist.locate_file(file))), folder / file
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            except FileNotFoundError:
                continue  # stated in RECORD and taken out since
            except OSError as error:
                raise Refused(f"{dist.name} cannot be copied: {error.strerror or error}") from error
    _compile(Path(sys.executable), folder)


def _fetch(python: Interpreter, host: Host, folder: Path) -> None:
    command = [uv_binary(), "pip", "install", "--target", str(folder), "--python", python.path, "--color", "never"]
    if platform.libc_ver()[0] == "glibc":
        # uv remembers what an interpreter said of its machine, which may have been said under an emulator.
        command += ["--python-platform", f"{platform.machine()}-unknown-linux-gnu"]
    try:
        done = subprocess.run(  # noqa: S603
            [*command, "--compile-bytecode", "--only-binary", ":all:", _CLIENT, _SDK],
            env=dict(host.environment),
            cwd=folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_MAX_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"the runtime client cannot be fetched: {error}") from error
    if done.returncode != 0:
        words = own_words(done.stderr.decode(errors="replace"), last=True)
        raise Refused(
            f"the runtime client for Python {python.version} cannot be fetched:\n{words}",
            hint="`pip install lambdalint[boot]` brings it for the Python that lambdalint runs under",
        )


def _compile(python: Path, folder: Path) -> None:
    """Bytecode, as the runtime has it: compiling botocore would be taken for the function's own time."""
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(  # noqa: S603
            [str(python), "-S", "-s", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)],
            env={"PATH": os.defpath},
            capture_output=True,
            timeout=_MAX_S,
            check=False,
        )


def _open_to_all(folder: Path) -> None:
    folder.chmod(0o755)
    for place in folder.rglob("*"):
        if not place.is_symlink():
            place.chmod(0o755 if place.is_dir() else 0o644)
