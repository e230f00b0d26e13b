"""Measure lambdalint beside its peers, in one run, and print ratios.

    python -m benchmarks [--only small --only code] [--json FILE]

The peers are installed into ``.benchmarks/``; packaging downloads from PyPI.
"""

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import auditing, checking, images, packaging, starting
from benchmarks.measure import CommandFailed
from benchmarks.peers import PEERS, peer_version
from benchmarks.table import Row, as_data, as_text
from lambdalint import __version__

HOME: Final = Path(__file__).parents[1] / ".benchmarks"

PARTS: Final[dict[str, Callable[[Path, Path], Iterator[Row]]]] = {
    "check-small": lambda folder, home: checking.small(folder),
    "check-code": lambda folder, home: checking.code(folder),
    "check-large": checking.large,
    "check-many": lambda folder, home: checking.many(folder),
    "audit": lambda folder, home: auditing.archive(folder),
    "package-small": packaging.small,
    "package-large": packaging.large,
    "image": lambda folder, home: images.appended(folder),
    "start": starting.artifacts,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part; can be given several times")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    options = parser.parse_args()
    rows: list[Row] = []
    failed = False
    for name in options.only or PARTS:
        print(f"measuring {name}", file=sys.stderr)
        with TemporaryDirectory() as folder:
            try:
                rows.extend(PARTS[name](Path(folder), HOME))
            except (CommandFailed, subprocess.CalledProcessError) as error:
                failed = True
                print(f"{name} could not be measured: {error}", file=sys.stderr)
    versions = [f"lambdalint {__version__}", f"Python {platform.python_version()}", *_peer_versions()]
    print(as_text(rows))
    print(", ".join(versions))
    if options.json:
        options.json.write_text(json.dumps(as_data(rows, versions), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return int(failed)


def _peer_versions() -> list[str]:
    """Those of the peers that are installed: what is measured alone needs none."""
    return [peer_version(command, HOME) for command in PEERS if (HOME / "peers" / PEERS[command]).exists()]


sys.exit(main())
