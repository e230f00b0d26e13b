"""What ``lambdalint package`` puts into a package that other builders do not, and the other way round.

    python -m benchmarks.builders [CODE:HANDLER ...]

builds a function of each folder CODE with a ``requirements.txt``, by default three that it makes up, with each builder
and prints, by kind of file, what only one of two has and what both have with different content, which versions differ,
and whether the handler can be imported.  ``docs/builders.md`` explains each kind; what is in none of them is listed.
"""

import argparse
import csv
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

from benchmarks import projects
from benchmarks.peers import peer
from lambdalint.aws.runtimes import runtime

Files = Mapping[str, bytes]

_BYTECODE: Final = "bytecode"
#: What belongs to distributions of which the two have other versions, or only one has any.
_ANOTHER: Final = "of another version"
_RECORD: Final = re.compile(r"([^/-]+)-([^/]+)\.dist-info/RECORD$")

#: So many paths of files that no kind explains.
_SHOWN: Final = 20

#: The last lines that a builder says, when it fails.
_SAID: Final = 8

#: Compiling what has no wheel may take hours.
_MAX_S: Final = 300

#: The kinds in the order in which they are asked for; the first that matches is it.
_KINDS: Final = (
    (_BYTECODE, r"\.pyc$"),
    ("scripts", r"^bin/|^[^/]+\.data/scripts/"),
    ("type stubs", r"\.pyi$|/py\.typed$"),
    ("C headers and sources", r"\.(?:h|hpp|hh|c|cpp|pyx|pxd|pxi)$"),
    ("tests", r"(?:^|/)tests?/"),
    ("lists of files (RECORD)", r"\.dist-info/RECORD$"),
    ("what installers note", r"\.dist-info/(?:INSTALLER|REQUESTED|direct_url\.json|uv_.*)$|^\.lock$"),
    ("other metadata", r"\.dist-info/"),
    ("native code", r"\.so(?:\.\d+)*$"),
    ("manifests of the project", r"^(?:requirements.*\.txt|pyproject\.toml|\.gitignore)$"),
    ("everything else", r""),
)


_POWERTOOLS_NEEDS: Final = "aws-lambda-powertools[parser,tracer]\nboto3\nrequests\n"
_POWERTOOLS: Final = """\
import boto3
import requests
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.parser import BaseModel, event_parser

logger, tracer, table = Logger(), Tracer(), boto3.resource("dynamodb").Table("orders")


class Order(BaseModel):
    number: int


@tracer.capture_lambda_handler
@event_parser(model=Order)
def handler(event, context):
    table.put_item(Item=event.model_dump())
    return requests.get("https://example.com", timeout=5).status_code
"""
_WEB_NEEDS: Final = "fastapi\nmangum\npydantic\n"
_WEB: Final = """\
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI()


class Order(BaseModel):
    number: int


@app.post("/orders")
def order(order: Order) -> Order:
    return order


handler = Mangum(app)
"""


def main() -> None:
    """Build and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("functions", nargs="*", metavar="CODE:HANDLER")
    named = parser.parse_args().functions
    home = Path(__file__).parents[1] / ".benchmarks"
    builders: dict[str, Callable[[Path], Files]] = {
        "sam build": lambda project: _sam(project, home),
        "pex3 venv create --layout flat-zipped": lambda project: _pex(project, home),
        "uv pip install --target": _uv,
    }
    with tempfile.TemporaryDirectory(prefix="builders-") as name:
        made = _named(named, Path(name)) if named else _made_up(Path(name))
        for title, project, handler in made:
            ours = _ours(project)
            print(f"\n{title}: lambdalint; {_started(ours, handler)}")
            for builder, build in builders.items():
                try:
                    theirs = build(project)
                except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                    said = (error.stderr or b"").decode(errors="replace").strip().splitlines() or ["nothing"]
                    print(f"\n{title}: {builder} fails and says: {' '.join(' '.join(said[-_SAID:]).split())[-600:]}")
                    continue
                _print(title, builder, ours, theirs, _started(theirs, handler))


def _made_up(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Title, folder and handler of three functions."""
    reports = projects.reports(folder / "pandas")
    yield "pandas", reports, "app.handler"
    for title, required, code in (("powertools", _POWERTOOLS_NEEDS, _POWERTOOLS), ("web", _WEB_NEEDS, _WEB)):
        source = folder / title / "src"
        source.mkdir(parents=True)
        (source / "requirements.txt").write_text(required, "utf-8")
        (source / "app.py").write_text(code, "utf-8")
        yield title, projects.one_function(folder / title, "app.handler"), "app.handler"


def _named(functions: list[str], folder: Path) -> Iterator[tuple[str, Path, str]]:
    """The same of real ones, whose templates are left out: not all builders read all of them."""
    for function in functions:
        code, _, handler = function.rpartition(":")
        title = Path(code).resolve().name
        project = folder / title
        left_out = shutil.ignore_patterns(".git", "__pycache__", "template.y*ml", "serverless.yml")
        shutil.copytree(code, project / "src", ignore=left_out)
        yield title, projects.one_function(project, handler), handler


def _ours(project: Path) -> Files:
    lambdalint = Path(sys.executable).with_name("lambdalint")
    (project / "lambdalint.toml").write_text('fail-on = "never"\n', "utf-8")
    _run(lambdalint, "package", ".", "--kind", "dir", "--out", "ours", cwd=project)
    return _folder(project / "ours" / "Main")


def _sam(project: Path, home: Path) -> Files:
    _run(peer("sam", home), "build", cwd=project)
    return _folder(project / ".aws-sam" / "build" / "Main")


def _pex(project: Path, home: Path) -> Files:
    """As pex's own guide says: a flat ZIP of the requirements for one foreign platform; sources are added by hand."""
    platform = project / "platform.json"
    platform.write_text(json.dumps(_platform(home)), "utf-8")
    _run(
        *(peer("pex3", home), "venv", "create", "--layout", "flat-zipped", "-d", project / "pex"),
        # By default it takes the first version that it sees, and gives up when another one was needed.
        *("--resolver-version", "pip-2020-resolver"),
        # Else numpy is compiled here, for minutes, and fits this machine alone.
        *("--complete-platform", platform, "--no-build", "-r", project / "src" / "requirements.txt"),
        cwd=project,
    )
    with ZipFile(project / "pex.zip") as archive:
        found = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    return {**found, **_folder(project / "src")}


def _platform(home: Path) -> Any:
    """This interpreter as pex describes it, with the C library of the runtime.

    Platforms that pex abbreviates have none at all, and no wheel of pandas.
    """
    inspect = (peer("pex3", home), "interpreter", "inspect", "--markers", "--tags")
    described = json.loads(subprocess.run(inspect, check=True, capture_output=True).stdout)
    known = runtime(projects.runtime())
    assert known is not None
    assert known.glibc is not None
    newest = known.glibc[1]
    described["compatible_tags"] = [
        tag
        for tag in described["compatible_tags"]
        if not (match := re.search(r"-(?:manylinux_2_(\d+)|linux)_", tag)) or int(match[1] or 99) <= newest
    ]
    return described


def _uv(project: Path) -> Files:
    """As the guide of uv for Lambda says; sources are added by hand."""
    uv = Path(sys.executable).with_name("uv")
    _run(
        *(uv, "pip", "install", "--no-installer-metadata", "--no-compile-bytecode", "--no-config"),
        *(
            "--only-binary",
            ":all:",
            "--python-platform",
            "x86_64-manylinux2014",
            "--python",
            sys.executable,
            "--target",
            "packages",
        ),
        *("-r", project / "src" / "requirements.txt"),
        cwd=project,
    )
    return {**_folder(project / "packages"), **_folder(project / "src")}


def _started(files: Files, handler: str) -> str:
    """What becomes of an import of the handler's module, without anything but *files* and the standard library."""
    with tempfile.TemporaryDirectory(prefix="started-") as name:
        for path, content in files.items():
            place = Path(name, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        code = f"import sys; sys.path.insert(0, {name!r}); import importlib; importlib.import_module(sys.argv[1])"
        environment = {"AWS_DEFAULT_REGION": "eu-west-1", "POWERTOOLS_TRACE_DISABLED": "1", "HOME": name}
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, handler.rpartition(".")[0]],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
    return "the handler starts" if done.returncode == 0 else f"no start: {done.stderr.strip().splitlines()[-1][:120]}"


def _folder(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _run(*command: object, cwd: Path) -> None:
    subprocess.run([str(part) for part in command], cwd=cwd, check=True, capture_output=True, timeout=_MAX_S)


def _print(title: str, builder: str, ours: Files, theirs: Files, started: str) -> None:
    mine, others = _versions(ours), _versions(theirs)
    changed = {name for name in mine.keys() | others.keys() if mine.get(name) != others.get(name)}
    elsewhere = _listed(ours, changed) | _listed(theirs, changed)

    def kind(path: str) -> str:
        found = _kind(path)
        return _ANOTHER if path in elsewhere and found != _BYTECODE else found

    only_ours = Counter(map(kind, ours.keys() - theirs.keys()))
    only_theirs = Counter(map(kind, theirs.keys() - ours.keys()))
    both = ours.keys() & theirs.keys()
    differ = [path for path in both if ours[path] != theirs[path]]
    differing = Counter(map(kind, differ))
    print(f"\n{title}: lambdalint against {builder}; {len(both) - len(differ):,} files are the same; {started}")
    print(f"{'':<28}{'ours only':>10}{'theirs only':>13}{'differ':>8}")
    for name in (*(name for name, _ in _KINDS), _ANOTHER):
        counts = (only_ours[name], only_theirs[name], differing[name])
        if any(counts):
            print(f"{name:<28}{counts[0]:>10,}{counts[1]:>13,}{counts[2]:>8,}")
    unexplained = [path for path in (*(ours.keys() ^ theirs.keys()), *differ) if kind(path) == _KINDS[-1][0]]
    for path in sorted(unexplained)[:_SHOWN]:
        print(f"  {path}: {_size(ours, path)} here, {_size(theirs, path)} there")
    for name in sorted(changed):
        print(f"  {name}: {mine.get(name, 'none')} here, {others.get(name, 'none')} there")


def _listed(files: Files, names: set[str]) -> set[str]:
    """What the distributions called so have installed."""
    found = set()
    for path in files:
        match = _RECORD.match(path)
        if match and match[1].lower() in names:
            rows = csv.reader(files[path].decode().splitlines())
            found |= {row[0] for row in rows if row}
    return found


def _size(files: Files, path: str) -> str:
    return f"{len(files[path]):,} bytes" if path in files else "nothing"


def _kind(path: str) -> str:
    return next(kind for kind, pattern in _KINDS if re.search(pattern, path))


def _versions(files: Files) -> dict[str, str]:
    found = [_RECORD.match(path) for path in files]
    return {match[1].lower(): match[2] for match in found if match}


if __name__ == "__main__":
    main()
