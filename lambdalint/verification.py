"""Verifying, wired: what was packaged is built once more under other circumstances, and held against itself.

The second build is a process of its own, with another hash seed, time zone, mask of permissions, number of jobs and
folder for temporary files.  Of what was kept it has only downloads, which are held against their hashes: nothing that
was unpacked, compiled, built or resolved before.
"""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lambdalint.config import TO, Config
from lambdalint.engine.result import Failure
from lambdalint.errors import LambdalintError
from lambdalint.packager.host import Host
from lambdalint.readers.tree import Folder
from lambdalint.reporters.packages.document import Package, Packaging, Verification
from lambdalint.store import cache_folder

#: What is kept as it came from elsewhere.
_DOWNLOADS: Final = ("wheels", "blobs")
_SEEDS: Final = ("1", "2")
_MASK: Final = 0o077


def verified(
    packaging: Packaging,
    path: Path,
    config: Config,
    *,
    functions: Sequence[str],
    out: Path,
    progress: Callable[[str], None],
) -> Packaging:
    """*packaging* with what a second build of the same says about each package that was written.

    What cannot be built again is a failure in the answer, but for what could not be built at first either.
    """
    if not any(package.sha256 for package in packaging.packages):
        return packaging
    progress("build all again")
    with tempfile.TemporaryDirectory(prefix="lambdalint-") as name:
        into = Path(name, "again")
        asked = {"path": path, "config": config, "functions": functions, "out": out, "into": into}
        again = _built_again(pickle.dumps(asked), Path(name))
        states = {package["name"]: package["state"] for package in again["packages"]}
        known = {each.message for each in packaging.check.failures}
        failures = [
            Failure(each["path"], f"built again: {each['message']}", each["hint"])
            for each in again["errors"]
            if each["message"] not in known
        ]
        packages = []
        for package in packaging.packages:
            if package.sha256 is not None and states.get(package.name) == "written":
                progress(f"compare {package.name}")
                package = replace(package, verification=_verification(package, out, into))
            elif package.sha256 is not None and not failures:
                failures.append(
                    Failure("", f"{package.name} was not built again, though nothing stood against it", None)
                )
            packages.append(package)
    check = packaging.check
    return replace(packaging, packages=tuple(packages), check=replace(check, failures=(*check.failures, *failures)))


def _built_again(asked: bytes, scratch: Path) -> Mapping[str, Any]:
    """The JSON of a second packaging in a process of its own; of one that ends early, that with an error alone."""
    temporary = scratch / "tmp"
    temporary.mkdir()
    environment = {
        **os.environ,
        "PYTHONHASHSEED": next(seed for seed in _SEEDS if seed != os.environ.get("PYTHONHASHSEED")),
        "TZ": "Pacific/Chatham",
        "TMPDIR": str(temporary),
        "LAMBDALINT_CACHE_DIR": str(_downloads(scratch / "cache")),
    }
    done = subprocess.run(
        # The folder that it runs in is the user's: no module is to come from there.
        [sys.executable, "-P", "-m", "lambdalint.verification"],
        input=asked,
        env=environment,
        capture_output=True,
        check=False,
    )
    try:
        found: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        error = {"path": "", "message": f"it ended early: {words[-1] if words else done.returncode}", "hint": None}
        return {"packages": [], "errors": [error]}
    return found


def _downloads(folder: Path) -> Path:
    """A new cache in *folder* which has the user's downloads and nothing else."""
    folder.mkdir()
    own = cache_folder()
    for kind in _DOWNLOADS:
        # Without them all is fetched once more.
        with suppress(OSError):
            if own is not None and (own / kind).is_dir():
                (folder / kind).symlink_to((own / kind).absolute(), target_is_directory=True)
    return folder


def _verification(package: Package, out: Path, again: Path) -> Verification:
    assert package.manifest is not None
    listing = Path(package.manifest).name
    if package.kind == "image":
        before, after = (json.loads((folder / listing).read_bytes()) for folder in (out, again))
        if before["sha256"] == after["sha256"]:
            return Verification(is_identical=True)
        return Verification(is_identical=False, differences=tuple(_differences(before, after)))
    old, new = Path(package.path), again / Path(package.path).name
    if package.is_file and old.read_bytes() == new.read_bytes():
        return Verification(is_identical=True)
    from lambdalint.comparison import compared

    found = compared(old, new)
    if not package.is_file and found.is_equal:
        return Verification(is_identical=True)
    shown = replace(found, new=replace(found.new, path=f"{package.path} built again"))
    return Verification(is_identical=False, comparison=shown)


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What the manifests of two images list differently."""
    before, after = ({entry["path"]: entry for entry in manifest["entries"]} for manifest in (old, new))
    for path in sorted(before.keys() | after.keys()):
        if path not in after:
            yield f"{path} is gone"
        elif path not in before:
            yield f"{path} is new"
        elif before[path] != after[path]:
            keys = [key for key in before[path] if before[path][key] != after[path][key]]
            yield f"{path} has another {', '.join(keys)}"
    if before == after:
        yield "the files are the same; the base or the configuration is not"


def main() -> None:
    """Build what the standard input asks for and print the JSON of it; the other end of ``_built_again``."""
    from lambdalint.api import package_tree, placed
    from lambdalint.reporters.packages import render
    from lambdalint.reporters.view import View

    asked = pickle.load(sys.stdin.buffer)  # noqa: S301 -- from the process that started this one
    os.umask(_MASK)
    path: Path = asked.pop("path")
    config: Config = asked.pop("config")
    # Images stay on this machine; what lies beside packages is not compared.
    settings = replace(config.package, to=TO[0], emit_template=False, sbom=False)
    host = Host.here()
    host = replace(host, jobs=2 if host.jobs == 1 else 1)
    try:
        place = placed((path,))
        packaging = package_tree(Folder(place.root), place, replace(config, package=settings), host=host, **asked)
    except LambdalintError as error:
        error_only = {"path": "", "message": error.message, "hint": error.hint}
        sys.stdout.write(json.dumps({"packages": [], "errors": [error_only]}))
        return
    sys.stdout.write(render("json", packaging, View()))


if __name__ == "__main__":
    main()
