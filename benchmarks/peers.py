"""The tools that lambdalint is compared with, each in an environment of its own: their requirements clash."""

import subprocess
import sys
from pathlib import Path
from typing import Final

#: Command to the distribution that brings it.
PEERS: Final = {"cfn-lint": "cfn-lint", "checkov": "checkov", "bandit": "bandit", "sam": "aws-sam-cli", "pex3": "pex"}


def peer(command: str, home: Path) -> Path:
    """The executable of a peer, installed below *home* when it is not there yet."""
    executable = _environment(command, home) / "bin" / command
    if not executable.exists():
        print(f"installing {PEERS[command]}", file=sys.stderr)
        folder = _environment(command, home)
        uv = Path(sys.executable).with_name("uv")
        subprocess.run((uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder), check=True)
        install = (uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", folder / "bin" / "python")
        subprocess.run((*install, PEERS[command]), check=True)
    return executable


def peer_python(command: str, home: Path) -> Path:
    """The interpreter of a peer's environment."""
    return peer(command, home).with_name("python")


def peer_version(command: str, home: Path) -> str:
    """As in ``cfn-lint 1.2.3``."""
    code = f"import importlib.metadata as m; print(m.version({PEERS[command]!r}))"
    said = subprocess.run([peer_python(command, home), "-c", code], capture_output=True, text=True, check=True)
    return f"{PEERS[command]} {said.stdout.strip()}"


def _environment(command: str, home: Path) -> Path:
    return home / "peers" / PEERS[command]
