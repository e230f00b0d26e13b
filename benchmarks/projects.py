"""The projects that are measured, made in a folder of their own."""

import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ORDERS: Final = Path(__file__).parents[1] / "fixtures" / "projects" / "orders"
HEALTHY: Final = ORDERS.with_name("orders-healthy")

#: This many times the three functions of the example.
COPIES: Final = 14
_COPIED: Final = (
    "OrdersApi",
    "OrdersWorker",
    "InvoiceImporter",
    "PaymentsQueue",
    "FailedPaymentsQueue",
    "InvoicesBucket",
)

#: Packages of the standard library: much code, written by many people, that every machine has.
_LIBRARY: Final = (
    "asyncio",
    "concurrent",
    "ctypes",
    "curses",
    "dbm",
    "email",
    "html",
    "http",
    "json",
    "logging",
    "multiprocessing",
    "sqlite3",
    "tomllib",
    "unittest",
    "urllib",
    "wsgiref",
    "xml",
    "xmlrpc",
)

#: The largest file that is written often: the mean of those below is 120 lines, as in real projects.
_OFTEN_BYTES: Final = 12_000

_ONE_FUNCTION: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Main:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: src/, Handler: {handler}, Runtime: {runtime}}}
"""

_REPORTS: Final = """\
import pandas as pd


def handler(event, context):
    return pd.DataFrame(event["rows"]).describe().to_csv()
"""

# Without the bound, sam build finds no numpy for Amazon Linux 2 and gives up.
_REPORTS_NEED: Final = "pandas\nnumpy<2.3; python_version < '3.12'\n"


def runtime() -> str:
    """The runtime of the running Python: all tools can build for it, and what is built can be started."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def faulty(folder: Path) -> Path:
    """The example with faults."""
    return _copy(ORDERS, folder / "orders")


def healthy(folder: Path) -> Path:
    """The example without faults, on the runtime of the running Python."""
    project = _copy(HEALTHY, folder / "orders-healthy")
    template = project / "template.yaml"
    template.write_text(re.sub(r"python3\.\d+", runtime(), template.read_text("utf-8")), "utf-8")
    return project


def application(folder: Path) -> Path:
    """A SAM application of 42 functions: the example's three, again and again under other names."""
    project = folder / "application"
    project.mkdir()
    text = (ORDERS / "template.yaml").read_text("utf-8")
    head, resources = text.split("\nResources:\n")
    blocks = re.split(r"\n\n(?=  [\w#])", resources.partition("\nOutputs:\n")[0].rstrip())
    copied = [block for block in blocks if block.split(":")[0].strip() in _COPIED]
    others = [block for block in blocks if block not in copied]
    for number in range(1, COPIES + 1):
        for block in copied:
            renamed = re.sub(rf"\b({'|'.join(_COPIED)})\b", rf"\g<1>{number}", block)
            moved = renamed.replace("CodeUri: ", f"CodeUri: {number:02}/")
            others.append(
                moved.replace("/orders}", f"/orders/{number}}}").replace('"invoices-', f'"invoices-{number}-')
            )
        _copy(ORDERS, project / f"{number:02}")
        (project / f"{number:02}" / "template.yaml").unlink()
    for path in project.rglob("*.py"):
        # Files that differ, as in a real application: equal ones are judged once only.
        path.write_text(f"{path.read_text('utf-8')}\nPLACE = {str(path.relative_to(project))!r}\n", "utf-8")
    joined = "\n\n".join(others)
    (project / "template.yaml").write_text(f"{head}\nResources:\n{joined}\n", "utf-8")
    return project


def library(folder: Path) -> Path:
    """A function that carries a large part of the standard library as its own code, and imports all of it."""
    project = folder / "library"
    source = project / "src"
    standard = Path(sysconfig.get_path("stdlib"))
    names = [name for name in _LIBRARY if (standard / name).is_dir()]
    for name in names:
        shutil.copytree(standard / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "test*", "*.so"))
    _import_all(source)
    return one_function(project, "app.handler")


def one_function(project: Path, handler: str) -> Path:
    """*project*, with a template of a function ``Main`` whose code is in ``src``."""
    (project / "template.yaml").write_text(_ONE_FUNCTION.format(handler=handler, runtime=runtime()), "utf-8")
    return project


def repository(folder: Path, files: int) -> Path:
    """Functions that together carry more than *files* files of the standard library, and import all of them."""
    original = library(folder) / "src"
    for path in original.rglob("*.py"):
        if path.stat().st_size > _OFTEN_BYTES:
            path.unlink()
    _import_all(original)
    project = folder / "repository"
    resources = []
    for number in range(1 + files // sum(1 for _ in _modules(original))):
        copy = shutil.copytree(original, project / f"{number:03}")
        for path in copy.rglob("*.py"):
            path.write_bytes(path.read_bytes() + f"\nCOPY = {number}\n".encode())
        place = f"CodeUri: {number:03}/, Handler: app.handler, Runtime: {runtime()}"
        resources.append(f"  F{number:03}: {{Type: AWS::Serverless::Function, Properties: {{{place}}}}}\n")
    head = "Transform: AWS::Serverless-2016-10-31\nResources:\n"
    (project / "template.yaml").write_text(head + "".join(resources), "utf-8")
    return project


def _import_all(source: Path) -> None:
    """Write a handler whose module imports all others of the folder."""
    app = source / "app.py"
    app.unlink(missing_ok=True)
    imports = "".join(f"import {name}\n" for name in sorted(_modules(source)))
    app.write_text(f"{imports}\n\ndef handler(event, context):\n    return event\n", "utf-8")


def reports(folder: Path) -> Path:
    """A function with some 110 MB of dependencies."""
    project = folder / "reports"
    source = project / "src"
    source.mkdir(parents=True)
    (source / "app.py").write_text(_REPORTS, "utf-8")
    (source / "requirements.txt").write_text(_REPORTS_NEED, "utf-8")
    return one_function(project, "app.handler")


def _copy(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__")))


def _modules(source: Path) -> Iterator[str]:
    for path in source.rglob("*.py"):
        parts = path.relative_to(source).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
