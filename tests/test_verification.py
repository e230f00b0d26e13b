"""``lambdalint package --verify``: everything is built once more, and compared."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.fake_index import buildable, wheel
from tests.test_package_images import base
from tests.test_package_kinds import APP, FUNCTION, LAYER, ORDERS, Bench, bench, stable
from tests.test_package_outputs import holds_to_its_schema
from tests.test_reporters import matches_snapshot

__all__ = ["base", "bench"]

#: Builds what it is asked for, and writes the time of it into a module.
CLOCK = """\
import os, shutil, time, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "clock-1-py3-none-any.whl"
    shutil.copy("wheel.zip", os.path.join(folder, name))
    with zipfile.ZipFile(os.path.join(folder, name), "a") as archive:
        archive.writestr("clock.py", f"built = {time.time_ns()}\\n")
    return name
"""


@pytest.fixture
def clock(bench: Bench) -> Bench:
    made = wheel("clock", "1", files={"clock_data.py": ""})
    bench.index.add(buildable("clock", "1", made, {"backend.py": CLOCK}))
    return bench.holds({**ORDERS, "src/requirements.txt": "helper\nclock\n"})


@pytest.mark.parametrize("kind", ["zip", "layer", "dir", "image"])
def test_what_is_built_again_is_the_same_in_every_form(bench: Bench, base: str, kind: str) -> None:
    bench.holds({**ORDERS, "template.yaml": FUNCTION + LAYER, "layer/requirements.txt": "native\n"})
    done = bench.package("--kind", kind, "--base", base, "--verify")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("built again: identical") == 2
    assert "differs" not in done.stdout
    assert "→" not in done.stdout


def test_the_folder_of_packages_is_no_part_of_what_is_built_again(bench: Bench) -> None:
    bench.holds({**ORDERS, "template.yaml": FUNCTION.replace("src/", "."), "app.py": ORDERS["src/app.py"]})
    bench.holds({"requirements.txt": "helper\n"})
    assert bench.package().exit_code == 0
    done = bench.package("--verify")
    assert "built again: identical" in done.stdout, done.output


def test_what_differs_is_shown_file_by_file(clock: Bench) -> None:
    assert clock.package("--sdist", "pure").exit_code == 0
    done = clock.package("--sdist", "pure", "--verify")
    assert done.exit_code == 1, done.output
    matches_snapshot("package-verify.txt", re.sub(r"[+-]\d+ B", "+0 B", stable(done.stdout)))
    shown = clock.package("--sdist", "pure", "--verify", "--output-format", "json")
    found = json.loads(shown.stdout)
    holds_to_its_schema(found)
    verification: Any = found["packages"][0]["verification"]
    assert verification["identical"] is False
    files = {each["path"] for each in verification["comparison"]["files"] if "__pycache__" not in each["path"]}
    assert files == {"clock.py", "clock-1.dist-info/RECORD"}


def test_an_image_that_differs_names_the_files(clock: Bench, base: str) -> None:
    done = clock.package("--sdist", "pure", "--verify", "--kind", "image", "--base", base)
    assert done.exit_code == 1
    assert "clock.py has another sha256" in done.stdout


def test_what_cannot_be_built_again_is_a_failure(bench: Bench) -> None:
    bench.holds(ORDERS)
    assert bench.package().exit_code == 0
    bench.index.failing["helper"] = 503
    done = bench.package("--verify")
    assert done.exit_code == 3
    assert "built again: Orders cannot be packaged" in done.stdout
    assert "packaged  Orders" in done.stdout


@pytest.mark.parametrize("asked", [(), ("--function", "Bills")])
def test_what_could_not_be_built_at_first_is_said_once(bench: Bench, asked: tuple[str, ...]) -> None:
    two = FUNCTION + FUNCTION[FUNCTION.index("  Orders:") :].replace("Orders", "Bills").replace("src/", "bills/")
    bench.holds({**ORDERS, "template.yaml": two, "bills/app.py": APP, "bills/requirements.txt": "missing\n"})
    done = bench.package("--verify", *asked)
    assert done.exit_code == 3
    assert done.stdout.count("Bills cannot be packaged") == 1
    assert ("built again: identical" in done.stdout) is not bool(asked)


@pytest.mark.parametrize("other", ["--plan", "--watch"])
def test_there_has_to_be_something_to_compare(bench: Bench, other: str) -> None:
    bench.holds(ORDERS)
    done = bench.package("--verify", other)
    assert done.exit_code == 2
    assert other in done.stderr
    assert not Path("dist").exists()
