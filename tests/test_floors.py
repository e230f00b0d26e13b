"""Imports point down only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: From the top floor to the ground; folders on one floor do not import each other.
FLOORS = (
    (
        "cli",
        "config",
        "api",
        "packaging",
        "inspection",
        "comparison",
        "booting",
        "imaging",
        "emission",
        "verification",
        "watching",
        "",
    ),
    ("reporters", "fixer", "testing"),
    ("engine", "packager"),
    ("rule",),
    ("join",),
    ("readers", "facts"),
    ("model", "aws", "errors", "store"),
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}

#: What stands beside ``cli``: the configuration is read by all of them, and the command line calls the wiring.
ENTRANCE = FLOORS[0]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def place(module: str) -> str:
    """The folder or single module of ``lambdalint`` that a dotted name is in; ``""`` is the package itself."""
    part = module.split(".")[1] if "." in module else ""
    return part if part in FLOOR else ""


def violations() -> Iterator[str]:
    package = ROOT / "lambdalint"
    for path in sorted(package.rglob("*.py")):
        own = place(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for line, imported in imports(path):
            if imported.partition(".")[0] not in ("lambdalint", "lambdalint_rules"):
                continue
            if imported.startswith("lambdalint_rules"):
                yield f"{path}:{line}: the rules are loaded by their entry point, never imported"
                continue
            other = place(imported)
            if own == other or (own in ENTRANCE and other in ENTRANCE):
                continue
            if other in ENTRANCE or FLOOR[other] <= FLOOR[own]:
                yield f"{path}:{line}: {own or 'lambdalint'} imports {other or 'lambdalint'}, which is not below it"


def test_imports_point_down() -> None:
    assert list(violations()) == []


def test_every_folder_has_a_floor() -> None:
    folders = {path.name for path in (ROOT / "lambdalint").iterdir() if (path / "__init__.py").is_file()}
    modules = {path.stem for path in (ROOT / "lambdalint").glob("*.py")} - {"__init__", "__main__"}
    assert folders | modules <= set(FLOOR)


@pytest.mark.parametrize("path", sorted((ROOT / "rules").rglob("*.py")), ids=lambda path: path.stem)
def test_a_rule_imports_only_what_rule_authors_have(path: Path) -> None:
    allowed = ("lambdalint.rule", "lambdalint.facts", "lambdalint.aws", "lambdalint_rules")
    for line, imported in imports(path):
        if imported.startswith("lambdalint"):
            assert imported.startswith(allowed), f"{path}:{line}: {imported}"
