"""What ``lambdalint package`` puts into a package that other builders do not, and the other way round.

``python -m benchmarks.builders`` builds three projects with each and prints, by kind of file, what only one of two has
and what both have with different content; ``docs/packaging.md`` explains each kind.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from benchmarks import projects
from benchmarks.peers import peer

Files = Mapping[str, bytes]

#: The kinds in the order in which they are asked for; the first that matches is it.
_KINDS: Final = (
    ("bytecode", r"\.pyc$"),
    ("scripts", r"^bin/"),
    ("type stubs", r"\.pyi$|/py\.typed$"),
    ("C headers and sources", r"\.(?:h|hpp|hh|c|cpp|pyx|pxd|pxi)$"),
    ("tests", r"(?:^|/)tests?/"),
    ("lists of files (RECORD)", r"\.dist-info/RECORD$"),
    ("what installers note", r"\.dist-info/(?:INSTALLER|REQUESTED|direct_url\.json|uv_.*)$|^\.lock$|^\.gitignore$"),
    ("other metadata", r"\.dist-info/"),
    ("native code", r"\.so(?:\.\d+)*$"),
    ("manifests of the project", r"^(?:requirements.*\.txt|pyproject\.toml)$"),
    ("pex's own", r"^(?:__pex__|PEX-INFO|\.pex.*|__main__\.py|pex-repl)|^lambda_function\.py$"),
    ("everything else", r""),
)


def main() -> None:
    """Build and compare."""
    home = Path(__file__).parents[1] / ".benchmarks"
    builders: dict[str, Callable[[Path, str], Files]] = {
        "sam build": lambda project, code: _sam(project, code, home),
        "pex3 venv create --layout flat-zipped": lambda project, code: _pex(project, code, home),
        "uv pip install --target": _uv,
    }
    with tempfile.TemporaryDirectory(prefix="builders-") as name:
        for title, project, code in _projects(Path(name)):
            ours = _ours(project, code)
            for builder, build in builders.items():
                try:
                    theirs = build(project, code)
                except subprocess.CalledProcessError as error:
                    said = error.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
                    print(f"\n{title}: {builder} fails and says: {said[-1][:200]}")
                    continue
                _print(title, builder, ours, theirs)


def _projects(folder: Path) -> list[tuple[str, Path, str]]:
    orders = projects.healthy(folder)
    powertools = folder / "powertools"
    shutil.copytree(orders, powertools)
    (powertools / "api" / "requirements.txt").write_text("aws-lambda-powertools[parser,tracer]\nboto3\nrequests\n")
    return [
        ("orders (pydantic, requests)", orders, "api"),
        ("reports (pandas)", projects.reports(folder), "src"),
        ("powertools and boto3", powertools, "api"),
    ]


def _ours(project: Path, code: str) -> Files:
    name = _function(project, code)
    lambdalint = Path(sys.executable).with_name("lambdalint")
    _run(lambdalint, "package", ".", "--kind", "dir", "--function", name, "--out", "ours", cwd=project)
    return _folder(project / "ours" / name)


def _sam(project: Path, code: str, home: Path) -> Files:
    name = _function(project, code)
    _run(peer("sam", home), "build", name, cwd=project)
    return _folder(project / ".aws-sam" / "build" / name)


def _pex(project: Path, code: str, home: Path) -> Files:
    """As pex's own guide says: a flat ZIP of the sources and their requirements, for one foreign platform."""
    source = project / code
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    platform = f"linux-x86_64-cp-{version}-cp{version}"
    _run(
        *(peer("pex3", home), "venv", "create", "--layout", "flat-zipped", "-d", project / "pex"),
        *("--platform", platform, "-r", source / "requirements.txt"),
        cwd=project,
    )
    with ZipFile(project / "pex.zip") as archive:
        found = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    return {**found, **_folder(source)}


def _uv(project: Path, code: str) -> Files:
    """As the guide of uv for Lambda says; sources are added by hand."""
    uv = Path(sys.executable).with_name("uv")
    _run(
        *(uv, "pip", "install", "--no-installer-metadata", "--no-compile-bytecode", "--no-config"),
        *("--python-platform", "x86_64-manylinux2014", "--python", sys.executable, "--target", "packages"),
        *("-r", project / code / "requirements.txt"),
        cwd=project,
    )
    return {**_folder(project / "packages"), **_folder(project / code)}


def _function(project: Path, code: str) -> str:
    text = (project / "template.yaml").read_text("utf-8")
    found = re.search(rf"^  (\w+):\n(?:(?!^  \w).*\n)*?.*CodeUri: {code}/", text, re.MULTILINE)
    assert found is not None
    return found[1]


def _folder(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _run(*command: object, cwd: Path) -> None:
    subprocess.run([str(part) for part in command], cwd=cwd, check=True, capture_output=True)


def _print(title: str, builder: str, ours: Files, theirs: Files) -> None:
    only_ours = Counter(_kind(path) for path in ours.keys() - theirs.keys())
    only_theirs = Counter(_kind(path) for path in theirs.keys() - ours.keys())
    differ = Counter(_kind(path) for path in ours.keys() & theirs.keys() if ours[path] != theirs[path])
    same = sum(ours[path] == theirs[path] for path in ours.keys() & theirs.keys())
    print(f"\n{title}: lambdalint against {builder}; {same:,} files are the same")
    print(f"{'':<28}{'ours only':>10}{'theirs only':>13}{'differ':>8}")
    for kind, _ in _KINDS:
        counts = (only_ours[kind], only_theirs[kind], differ[kind])
        if any(counts):
            print(f"{kind:<28}{counts[0]:>10,}{counts[1]:>13,}{counts[2]:>8,}")
    mine, others = _versions(ours), _versions(theirs)
    for name in sorted(mine.keys() | others.keys()):
        if mine.get(name) != others.get(name):
            print(f"  {name}: {mine.get(name, 'none')} here, {others.get(name, 'none')} there")


def _kind(path: str) -> str:
    return next(kind for kind, pattern in _KINDS if re.search(pattern, path))


def _versions(files: Files) -> dict[str, str]:
    found = [re.match(r"([^/-]+)-([^/]+)\.dist-info/METADATA$", path) for path in files]
    return {match[1].lower(): match[2] for match in found if match}


if __name__ == "__main__":
    main()
