"""Beside each distribution lies what it says about itself, and code asks for that: its version, its plugins, its files.

``importlib.metadata.version("name")`` raises where a tool has removed the folder to save bytes, ``entry_points`` finds
no plugins, and RECORD is how an installed package is told from one with parts missing or changed.

Source: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import ast
import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from lambdalint.facts.content import head
from lambdalint.facts.installed import Installed, InstalledDistribution, Recorded, comparable
from lambdalint.facts.package_imports import ImportClosure, PackageImports
from lambdalint.facts.shown import shown
from lambdalint.facts.surrounding import Surroundings, company_of
from lambdalint.rule import Artifact, Confidence, Entry, LambdalintError, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.metadata_samples import distribution

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
"""
HANDLER = "import rates\n\ndef handler(event, context):\n    return rates.answer\n"
RATES = distribution("rates", "1.0")
ASKING = "from importlib.metadata import version\n\n__version__ = version('rates')\nanswer = 42\n"
GUARDED = """\
from importlib.metadata import version

try:
    __version__ = version("rates")
except Exception:
    __version__ = "0"
answer = 42
"""

PLUGINS = """\
from importlib.metadata import entry_points

answer = [each.load() for each in entry_points(group="rates.sources")]
"""

#: More than this is not compared with its digest.
_MAX_COMPARED_BYTES: Final = 32 * 1024 * 1024
_MAX_SOURCE_BYTES: Final = 1024 * 1024
_TESTS: Final = re.compile(
    r"(?:^|/)_?(?:tests?|testing|docs?|examples?|benchmarks?)/|(?:^|/)(?:test_[^/]*|conftest)\.py$"
)
#: ``entry_points(group="rates.sources")``, ``iter_entry_points("rates.sources")``.
_GROUP: Final = re.compile(
    rb"""\bentry_points\(\s*group\s*=\s*["']([\w.-]+)["']|\biter_entry_points\(\s*(?:group\s*=\s*)?["']([\w.-]+)["']"""
)
_ASKED: Final = ("version", "distribution", "metadata", "get_distribution")


@rule(
    "LZ019",
    "broken-dist-info",
    severity=Severity.WARNING,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **{path: content for path, content in RATES.items() if not path.endswith("/METADATA")},
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **RATES,
            "src/rates-1.0.dist-info/RECORD": "rates/__init__.py,,\nrates/daily.py,,\n",
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **RATES,
            "src/rates-1.0.dist-info/RECORD": "rates/__init__.py,sha256=AAAA,1200\n",
        },
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, "src/rates/__init__.py": ASKING},
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, "src/rates/__init__.py": PLUGINS},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, **RATES},
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, "src/rates/__init__.py": GUARDED},
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            "src/rates/__init__.py": PLUGINS,
            "src/rates_daily-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: rates-daily\nVersion: 1.0\n",
            "src/rates_daily-1.0.dist-info/RECORD": "",
            "src/rates_daily-1.0.dist-info/entry_points.txt": "[rates.sources]\ndaily = rates_daily:answer\n",
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("rates", "1.0", code=PLUGINS),
        },
    ),
)
def check(artifact: Artifact, installed: Installed, surroundings: Surroundings, imports: PackageImports) -> Problems:
    yield from _incomplete(artifact, installed)
    yield from _untrue(artifact, installed)
    asked: dict[str, Entry] = {}
    for closure in imports.of_artifact(artifact):
        for name, entry in _asked_in_vain(closure, artifact, surroundings):
            asked.setdefault(name, entry)
    for name, entry in asked.items():
        yield Problem(
            artifact.member(entry),
            f"{entry.path} asks for the metadata of {name} as it is loaded; the dist-info of {name} is not there",
            hint="leave the dist-info folders in the package",
            confidence=Confidence.MEDIUM,
        )

    groups: dict[str, Entry] = {}
    for closure in imports.of_artifact(artifact):
        for group, entry in _groups_asked_in_vain(closure, artifact, surroundings):
            groups.setdefault(group, entry)
    for group, entry in groups.items():
        yield Problem(
            artifact.member(entry),
            f"{entry.path} looks for entry points of {group}; none is there, and its own dist-info is not either",
            hint="leave the dist-info folders in the package",
            confidence=Confidence.MEDIUM,
        )


def _incomplete(artifact: Artifact, installed: Installed) -> Problems:
    for file, effect in (
        ("METADATA", "nothing knows its version"),
        ("RECORD", "nothing knows which files are its own"),
    ):
        without = [each for each in installed.distributions if file not in each.files]
        if without:
            first = without[0]
            like = f", like {len(without) - 1} more" if len(without) > 1 else ""
            yield Problem(
                artifact.member(first.entry),
                f"{first.folder} has no {file}{like}: {effect}",
                hint="leave the dist-info folders as they are installed",
            )


def _untrue(artifact: Artifact, installed: Installed) -> Problems:
    entries = {entry.path: entry for entry in artifact.entries}
    owners = Counter(record.path for each in installed.distributions for record in each.records)
    left = _MAX_COMPARED_BYTES
    for each in installed.distributions:
        missing: list[str] = []
        altered: list[str] = []
        for record in each.records:
            if not record.path.endswith(".py") or record.path.startswith(("/", "..")) or owners[record.path] > 1:
                continue
            entry = entries.get(record.path)
            if entry is None:
                if not _TESTS.search(record.path) and record.path not in artifact.links:
                    missing.append(record.path)
            elif _differs(entry, record, left):
                altered.append(record.path)
            else:
                left -= entry.size
        yield from _said(artifact, each, missing, "that are not there")
        yield from _said(artifact, each, altered, "whose content is another")


def _said(artifact: Artifact, each: InstalledDistribution, paths: list[str], what: str) -> Problems:
    if paths:
        count = "one module" if len(paths) == 1 else f"{len(paths)} modules"
        tense = what if len(paths) > 1 else what.replace("that are", "that is")
        yield Problem(
            artifact.member(each.files["RECORD"]),
            f"RECORD of {each.title} names {count} {tense}: {', '.join(paths[:3])}{' …' if len(paths) > 3 else ''}",
            hint=f"install {each.name} anew, or correct RECORD with what is changed",
        )


def _differs(entry: Entry, record: Recorded, left: int) -> bool:
    if record.size is not None and record.size != entry.size:
        return True
    if record.size is None or record.digest is None or entry.size > left:
        return False
    algorithm, _, digest = record.digest.partition("=")
    if algorithm != "sha256":
        return False
    try:
        found = entry.sha256 or hashlib.sha256(entry.read()).hexdigest()
    except LambdalintError:
        return False
    return base64.urlsafe_b64encode(bytes.fromhex(found)).decode().rstrip("=") != digest.rstrip("=")


def _asked_in_vain(
    closure: ImportClosure, artifact: Artifact, surroundings: Surroundings
) -> Iterator[tuple[str, Entry]]:
    """Distributions whose modules are there without metadata, and the module that asks for it when it is loaded."""
    if not closure.complete:
        return
    known = {key for part in surroundings.parts(closure.function) for key in surroundings.installed(part).by_key}
    for path in closure.closure.init:
        packaged = closure.files[path]
        if packaged.artifact.path != artifact.path or not path.endswith(".py"):
            continue
        for name in shown(packaged.entry, _names_asked):
            if comparable(name) not in known and closure.index.find(comparable(name).replace("-", "_")):
                yield name, packaged.entry


def _groups_asked_in_vain(
    closure: ImportClosure, artifact: Artifact, surroundings: Surroundings
) -> Iterator[tuple[str, Entry]]:
    """Groups of entry points that nobody has, and the module that looks for them, whose own metadata is not there.

    A distribution that is whole may well have no plugins; its groups begin with its name.
    """
    company = company_of(closure.function)
    if not (company.complete and closure.uses_entry_points):
        return
    known = {
        group
        for part in company.artifacts
        for each in surroundings.installed(part).distributions
        for group in each.entry_point_groups
    }
    for path in (*closure.closure.init, *sorted(closure.closure.deferred)):
        packaged = closure.files[path]
        if packaged.artifact.path != artifact.path or packaged.distribution is not None or not path.endswith(".py"):
            continue
        for found in _GROUP.findall(head(packaged.entry, _MAX_SOURCE_BYTES)):
            group = (found[0] or found[1]).decode()
            name = comparable(group)
            own = {comparable(part.removesuffix(".py")) for part in packaged.entry.path.split("/")}
            if group not in known and any(name == each or name.startswith(f"{each}-") for each in own):
                yield group, packaged.entry


def _names_asked(entry: Entry) -> tuple[str, ...]:
    """The distributions whose metadata a module asks for when it is loaded, with nothing to catch it."""
    if entry.size > _MAX_SOURCE_BYTES:
        return ()
    try:
        content = entry.read()
        if b"metadata" not in content and b"pkg_resources" not in content:
            return ()
        return tuple(_asked(ast.parse(content).body))
    except (LambdalintError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _asked(body: list[ast.stmt]) -> Iterator[str]:
    asking = {
        alias.asname or alias.name
        for node in body
        if isinstance(node, ast.ImportFrom)
        and node.module in ("importlib.metadata", "importlib_metadata", "pkg_resources")
        for alias in node.names
        if alias.name in _ASKED
    }
    modules = ("importlib.metadata", "importlib_metadata", "pkg_resources", "metadata")
    for node in body:
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) or node.value is None:
            continue
        for call in ast.walk(node.value):
            match call:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(wanted)), *_]) if name in asking:
                    yield wanted
                case ast.Call(
                    func=ast.Attribute(value=owner, attr=name), args=[ast.Constant(value=str(wanted)), *_]
                ) if name in _ASKED and ast.unparse(owner) in modules:
                    yield wanted
