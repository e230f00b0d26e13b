"""How much of what projects declare is known, by dialect.

    python -m benchmarks.known_shares FOLDER [FOLDER ...]

Each folder is a checked-out project.  A setting that is not stated does not count: its default is known.  What stays
unknown is listed by the expression that stands in its place, the most frequent first.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from lambdalint.engine.cache import Cache
from lambdalint.engine.executors import Serial
from lambdalint.engine.run import Options, join
from lambdalint.model.function import CodeKind, Function
from lambdalint.model.values import Known, Unknown
from lambdalint.readers.tree import Folder

SETTINGS: Final = ("runtime", "handler", "timeout_s", "memory_mb", "env", "code")
SHOWN: Final = 12


def known(function: Function) -> Iterator[tuple[str, bool, str]]:
    """Each stated setting: its name, whether it is known, and what stands there when it is not."""
    for name in SETTINGS[:-1]:
        match getattr(function, name):
            case Known(stated=True):
                yield name, True, ""
            case Unknown(expression):
                yield name, False, expression
    code = function.code
    if code is None:
        yield "code", False, "code"
    elif code.kind not in (CodeKind.REMOTE, CodeKind.IMAGE):
        yield "code", True, ""


def main(folders: list[str]) -> int:
    if not folders:
        print(__doc__)
        return 2
    counts: Counter[tuple[str, str, bool]] = Counter()
    functions: Counter[str] = Counter()
    hidden: Counter[tuple[str, str, str]] = Counter()
    for folder in folders:
        options = Options(today=date.today())
        project = join(Folder(Path(folder)), ("",), options, cache=Cache(None), executor=Serial())
        for function in project.functions:
            dialect = function.dialect.value
            functions[dialect] += 1
            for name, is_known, expression in known(function):
                counts[dialect, name, is_known] += 1
                if not is_known:
                    hidden[dialect, name, re.sub(r"\s+", " ", expression)[:60]] += 1
    print(f"{'dialect':<16}{'functions':>10}" + "".join(f"{name:>16}" for name in SETTINGS))
    for dialect, number in sorted(functions.items()):
        cells = []
        for name in SETTINGS:
            yes, no = counts[dialect, name, True], counts[dialect, name, False]
            cells.append(f"{yes}/{yes + no} {100 * yes // (yes + no)} %" if yes + no else "-")
        print(f"{dialect:<16}{number:>10}" + "".join(f"{cell:>16}" for cell in cells))
    print("\nwhat stays unknown")
    for (dialect, name, expression), number in hidden.most_common(SHOWN):
        print(f"{number:>6}  {dialect:<16}{name:<12}{expression}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
