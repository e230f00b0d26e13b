"""What a package reads when it is imported, held against a Python that imports it."""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from lambdalint.facts.import_closure import Closure, ModuleIndex, closure
from lambdalint.facts.import_scan import Scan, scanned, scanned_native

SITE = Path(sysconfig.get_path("purelib"))
LOADED = """\
import json, sys
sys.path.insert(0, {folder!r})
import {module}
print(json.dumps([getattr(each, "__file__", None) for each in list(sys.modules.values())]))
"""


def loaded(folder: Path, module: str) -> set[str]:
    """The files below *folder* that a fresh Python has loaded after importing *module*."""
    code = LOADED.format(folder=str(folder), module=module)
    answer = subprocess.run([sys.executable, "-S", "-I", "-c", code], capture_output=True, text=True, check=True)
    files = json.loads(answer.stdout.splitlines()[-1])
    return {file[len(f"{folder}/") :] for file in files if file and file.startswith(f"{folder}/")}


def reached(folder: Path, *start: str) -> Closure:
    """The closure over what is in *folder*."""
    paths = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return closure(ModuleIndex.of(paths), start, lambda path: scan(folder / path))


def scan(path: Path) -> Scan:
    if path.suffix == ".pyc":
        return Scan()
    return scanned_native(path.read_bytes()) if path.suffix == ".so" else scanned(path.read_bytes())


@pytest.mark.parametrize(
    "module", ["click", "yaml", "packaging.requirements", "hypothesis", "boto3", "pytest", "pydantic", "jsonschema"]
)
def test_what_python_loads_of_real_packages_is_reached(module: str) -> None:
    found = reached(SITE, module)
    assert loaded(SITE, module) <= found.deferred.union(found.init)


@pytest.mark.parametrize("module", ["click", "yaml", "packaging.requirements", "hypothesis", "boto3", "jsonschema"])
def test_what_python_loads_at_once_is_called_so_where_nothing_is_loaded_by_a_worked_out_name(module: str) -> None:
    assert loaded(SITE, module) <= set(reached(SITE, module).init)


FILES: Mapping[str, str] = {
    "app.py": "from orders import rates\nfrom plain.inner import f\ndef handler(event, context):\n    import late\n",
    "orders/__init__.py": "from .base import *\nimport json\n",
    "orders/base/__init__.py": "__all__ = ['listed', 'other']\n",
    "orders/base/listed.py": "",
    "orders/base/hidden.py": "",
    "orders/rates.py": "from . import base\nfrom .. import nothing\n",
    "orders/unused.py": "import never\n",
    "plain/inner.py": "def f():\n    from orders import deferred_one\n",
    "orders/deferred_one.py": "import late\n",
    "late.py": "try:\n    import absent\nexcept ImportError:\n    absent = None\n",
    "rates.py": "",
}


def test_submodules_stars_namespaces_and_functions_are_followed(tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    found = reached(tmp_path, "app")
    assert found.init == (
        "app.py",
        "orders/__init__.py",
        "orders/base/__init__.py",
        "orders/base/listed.py",
        "orders/rates.py",
        "plain/inner.py",
    )
    assert found.deferred == {"orders/deferred_one.py", "late.py"}
    assert found.missing["absent"] == "late.py"
    assert found.missing["json"] == "orders/__init__.py"
    assert "never" not in found.missing


def test_the_first_root_with_a_package_wins_and_parts_of_namespaces_come_together() -> None:
    paths = (
        "a/__init__.py",
        "layer/a/b.py",
        "n/x.py",
        "layer/n/y.py",
        "layer/m.cpython-313-x86_64-linux-gnu.so",
        "m.py",
    )
    index = ModuleIndex.of(paths, ("", "layer/"))

    def at(module: str) -> tuple[str, ...] | None:
        located = index.find(module)
        return located.paths if located else None

    assert at("a") == ("a/__init__.py",)
    assert at("a.b") is None
    assert (at("n"), at("n.x"), at("n.y")) == ((), ("n/x.py",), ("layer/n/y.py",))
    assert at("m") == ("m.py",)
    assert sorted(index.submodules("n")) == ["x", "y"]


def test_a_source_is_taken_where_what_is_compiled_is_for_another_python() -> None:
    paths = ("a.py", "a.cpython-39-x86_64-linux-gnu.so", "b.cpython-39-x86_64-linux-gnu.so", "c.py", "c.abi3.so")
    index = ModuleIndex.of(paths, python=(3, 13))
    assert [located.paths for name in "abc" if (located := index.find(name))] == [
        ("a.py",),
        ("b.cpython-39-x86_64-linux-gnu.so",),
        ("c.abi3.so", "c.py"),
    ]


def test_modules_that_import_each_other_end() -> None:
    texts = {
        "a.py": b"import b\n",
        "b.py": b"import a\nimport c.d\n",
        "c/__init__.py": b"from a import x\n",
        "c/d.py": b"",
    }
    found = closure(ModuleIndex.of(texts), ["a"], lambda path: scanned(texts[path]))
    assert found.init == ("a.py", "b.py", "c/__init__.py", "c/d.py")


def test_a_long_chain_of_imports_is_followed_to_its_end() -> None:
    texts = {f"m{number}.py": f"import m{number + 1}\n".encode() for number in range(5_000)}
    assert len(closure(ModuleIndex.of(texts), ["m0"], lambda path: scanned(texts[path])).init) == 5_000
