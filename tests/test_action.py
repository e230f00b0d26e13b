"""Runs the steps of ``action.yml`` as a runner would."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

REPOSITORY = Path(__file__).parent.parent
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
BASH = shutil.which("bash")

pytestmark = pytest.mark.skipif(not BASH, reason="needs bash, which is not installed")

FAULTY = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      CodeUri: src/
      MemorySize: 64
"""


@dataclass
class Runner:
    """A job on a machine of its own, with a workspace that the action is to check."""

    folder: Path
    action_path: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.workspace = self.folder / "workspace"
        self.temporary = self.folder / "temporary"
        for folder in (self.workspace, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)

    def run(self, steps: dict[str, dict[str, str]] | None = None, **inputs: str) -> "Job":
        """Run the action; *steps* are the outputs of steps that have run before and need not run again."""
        given = {name: str(spec["default"]) for name, spec in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        outputs = dict(steps or {})
        job = Job(steps=outputs)
        for number, step in enumerate(ACTION["runs"]["steps"]):
            if step["id"] in outputs:
                continue

            def expanded(text: str) -> str:
                values = {f"inputs.{name}": value for name, value in given.items()}
                values["github.action_path"] = str(self.action_path)
                for name, step_outputs in outputs.items():
                    values |= {f"steps.{name}.outputs.{key}": value for key, value in step_outputs.items()}
                return re.sub(r"\$\{\{ *([^ }]+) *\}\}", lambda match: values[match[1]], text)

            script = self.folder / f"{number}.sh"
            script.write_text(step["run"], encoding="utf-8")
            written = {name: self.folder / f"{number}.{name}" for name in ("output", "summary")}
            for file in written.values():
                file.write_text("")
            done = subprocess.run(
                [str(BASH), "--noprofile", "--norc", "-eo", "pipefail", str(script)],
                cwd=self.workspace / expanded(step.get("working-directory", ".")),
                env={
                    **os.environ,
                    **self.environment,
                    **{name: expanded(value) for name, value in step.get("env", {}).items()},
                    "GITHUB_WORKSPACE": str(self.workspace),
                    "GITHUB_OUTPUT": str(written["output"]),
                    "GITHUB_STEP_SUMMARY": str(written["summary"]),
                    "RUNNER_TEMP": str(self.temporary),
                },
                capture_output=True,
                text=True,
                encoding="utf-8",
            )
            outputs[step["id"]] = dict(line.split("=", 1) for line in written["output"].read_text().splitlines())
            job.exit_code = done.returncode
            job.log += done.stdout + done.stderr
            job.summary += written["summary"].read_text(encoding="utf-8")
            if done.returncode:
                break
        job.outputs = {name: expanded_or_empty(spec["value"], outputs) for name, spec in ACTION["outputs"].items()}
        return job


@dataclass
class Job:
    steps: dict[str, dict[str, str]]
    exit_code: int = 0
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    def annotations(self) -> list[str]:
        return [line for line in self.log.splitlines() if line.startswith(("::error", "::warning", "::notice"))]


def expanded_or_empty(text: str, steps: dict[str, dict[str, str]]) -> str:
    matched = re.fullmatch(r"\$\{\{ steps\.(\S+)\.outputs\.(\S+) \}\}", text)
    assert matched, text
    return steps.get(matched[1], {}).get(matched[2], "")


def write_wheel(folder: Path) -> Path:
    """A wheel of lambdalint that leads to the working tree and what is installed beside it: nothing is downloaded."""
    version = distribution("lambdalint").version
    entry_points = distribution("lambdalint").read_text("entry_points.txt") or ""
    paths = [str(REPOSITORY), str(REPOSITORY / "rules"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    info = f"lambdalint-{version}.dist-info"
    wheel = folder / f"lambdalint-{version}-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("lambdalint-working-tree.pth", "\n".join(paths))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: lambdalint\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", entry_points)
        archive.writestr(f"{info}/RECORD", "")
    return wheel


@pytest.fixture(scope="module")
def action_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of the action whose build gives that wheel."""
    folder = tmp_path_factory.mktemp("action")
    wheel = write_wheel(folder)
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n', encoding="utf-8"
    )
    (folder / "backend.py").write_text(
        "import shutil\n"
        "def build_wheel(directory, config_settings=None, metadata_directory=None):\n"
        f"    shutil.copy({str(wheel)!r}, directory)\n"
        f"    return {wheel.name!r}\n",
        encoding="utf-8",
    )
    return folder


OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, action_path: Path) -> dict[str, dict[str, str]]:
    """What the install step says, once for all tests that are about the check."""
    job = Runner(tmp_path_factory.mktemp("install"), action_path, OFFLINE).run(args="--help")
    assert job.exit_code == 0, job.log
    return {"install": job.steps["install"]}


@pytest.fixture
def runner(tmp_path: Path, action_path: Path) -> Runner:
    runner = Runner(tmp_path, action_path, OFFLINE)
    write(runner.workspace, "template.yaml", FAULTY)
    write(runner.workspace, "src/app.py", "def handler(event, context):\n    return {}\n")
    return runner


def write(folder: Path, path: str, text: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")


def test_scripts_hold_no_expressions() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"], "an input pasted into a script is run as part of it"
        assert step["shell"] == "bash"


def test_every_input_and_output_is_described_and_used() -> None:
    text = (REPOSITORY / "action.yml").read_text(encoding="utf-8")
    for name, spec in ACTION["inputs"].items():
        assert spec["description"]
        assert f"${{{{ inputs.{name} }}}}" in text
    assert all(spec["description"] for spec in ACTION["outputs"].values())


def test_findings_annotate_the_lines_fail_the_job_and_are_summed_up(
    runner: Runner, installed: dict[str, dict[str, str]]
) -> None:
    job = runner.run(installed)
    assert job.exit_code == 1, job.log
    (error,) = [line for line in job.annotations() if "memory-out-of-range" in line]
    assert error.startswith("::error file=template.yaml,line=9,")
    assert job.outputs["exit-code"] == "1"
    assert job.outputs["errors"] == "1"
    document: Any = json.loads(Path(job.outputs["findings"]).read_text(encoding="utf-8"))
    assert document["summary"]["errors"] == 1
    assert str(document["summary"]["warnings"]) == job.outputs["warnings"]
    assert str(document["summary"]["infos"]) == job.outputs["infos"]
    assert job.summary.startswith("## lambdalint: 1 error")
    assert "memory-out-of-range" in job.summary


def test_a_clean_project_passes(runner: Runner, installed: dict[str, dict[str, str]]) -> None:
    write(runner.workspace, "template.yaml", FAULTY.replace("64", "128"))
    job = runner.run(installed, select="memory-out-of-range")
    assert job.exit_code == 0, job.log
    assert job.annotations() == []
    assert job.outputs["exit-code"] == job.outputs["errors"] == "0"
    assert job.summary.startswith("## lambdalint: all clear")


def test_inputs_are_passed_on(runner: Runner, installed: dict[str, dict[str, str]]) -> None:
    job = runner.run(installed, fail_on="never", args="--min-confidence high\n--no-cache", select="LC")
    assert job.exit_code == 0, job.log
    assert job.outputs["errors"] == "1"


def test_paths_are_one_a_line_and_annotated_from_the_root_of_the_repository(
    runner: Runner, installed: dict[str, dict[str, str]]
) -> None:
    write(runner.workspace, "services/some orders/template.yaml", FAULTY)
    write(runner.workspace, "services/some orders/src/app.py", "def handler(event, context):\n    return {}\n")
    job = runner.run(installed, working_directory="services", paths="some orders\n\n", select="memory-out-of-range")
    assert job.exit_code == 1, job.log
    (error,) = job.annotations()
    assert error.startswith("::error file=services/some orders/template.yaml,line=9,")


def test_what_inputs_hold_is_never_run(runner: Runner, installed: dict[str, dict[str, str]]) -> None:
    hostile = '$(touch pwned); `touch pwned`; "; touch pwned #'
    job = runner.run(installed, paths=hostile, select=hostile, fail_on=hostile, args=hostile)
    assert job.exit_code == 2, job.log
    assert job.outputs["exit-code"] == "2"
    assert job.outputs["errors"] == ""
    assert not list(runner.folder.rglob("pwned"))


def test_what_the_repository_holds_is_never_run(runner: Runner) -> None:
    for name in ("json", "venv", "pip", "runpy", "lambdalint", "click"):
        write(runner.workspace, f"{name}.py", "raise SystemExit('this was to be checked, and ran')")
    job = runner.run()
    assert job.exit_code == 1, job.log
    assert job.outputs["errors"] == "1"


def test_a_release_is_installed_by_its_version(tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    write_wheel(links)
    runner = Runner(tmp_path / "job", tmp_path / "nowhere", {**OFFLINE, "PIP_FIND_LINKS": str(links)})
    job = runner.run(version=distribution("lambdalint").version, args="--help")
    assert job.exit_code == 0, job.log


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    job = Runner(tmp_path / "job", tmp_path, {"PATH": str(tools)}).run()
    assert job.exit_code == 2
    assert job.annotations() == [
        "::error title=lambdalint::Python 3.11 or newer is needed; run actions/setup-python before this action"
    ]
