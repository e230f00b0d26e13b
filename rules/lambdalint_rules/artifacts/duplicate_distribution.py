"""Two versions of one distribution in one folder are a mixture of both: each file is of the one installed last.

So it comes about when dependencies are installed over older ones, without the older files being removed.  The same
happens where two distributions install files of one name, as ``opencv-python`` and ``opencv-python-headless`` do.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from collections.abc import Iterator

from lambdalint.facts.installed import Installed, InstalledDistribution, Recorded
from lambdalint.facts.package_imports import PackageImports
from lambdalint.rule import Artifact, Confidence, Entry, LambdalintError, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.metadata_samples import distribution
from lambdalint_rules.artifacts.reached import confidence

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
HANDLER = "import requests\n\ndef handler(event, context):\n    return requests.answer\n"

#: Folders of files that nobody means to be imported from the root, and that many distributions leave there.
_NOBODYS = ("test", "tests", "doc", "docs", "example", "examples", "benchmarks", "scripts", "bin", "..")
_JOINED = (b"extend_path", b"declare_namespace")


@rule(
    "LZ020",
    "duplicate-distribution",
    severity=Severity.ERROR,
    since="0.1.0",
    bad={
        "template.yaml": TEMPLATE,
        "src/app.py": HANDLER,
        **distribution("requests", "2.31.0"),
        **distribution("requests", "2.32.5"),
    },
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, **distribution("requests", "2.32.5")},
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("requests", "2.32.5"),
            **distribution("requests-more", "1.0", "requests_more.py", "requests/__init__.py"),
        },
    ),
)
def check(artifact: Artifact, installed: Installed, imports: PackageImports) -> Problems:
    entries = {entry.path: entry for entry in artifact.entries}
    twice: set[str] = set()
    for same in installed.by_key.values():
        for root in dict.fromkeys(each.root for each in same):
            here = [each for each in same if each.root == root]
            if len(here) > 1:
                twice.add(here[0].key)
                versions = " and ".join(dict.fromkeys(each.version for each in here))
                yield Problem(
                    artifact.member(here[0].entry),
                    f"{here[0].name} {versions} lie side by side; files of both are mixed",
                    hint="install the dependencies into an empty folder, as lambdalint package does",
                    confidence=confidence(imports, artifact, _files(here, entries)),
                )
    for first, second, shared in _overlapping(installed, twice):
        both = [entries[path] for path in shared if path in entries and not _is_joined(entries[path])]
        if both:
            more = f" and {len(both) - 1} more files" if len(both) > 1 else ""
            yield Problem(
                artifact.member(both[0]),
                f"{first.title} and {second.title} both install {both[0].path}{more}, and mean different ones",
                hint="leave one of the two out",
                confidence=confidence(imports, artifact, both, Confidence.MEDIUM),
            )


def _files(distributions: list[InstalledDistribution], entries: dict[str, Entry]) -> list[Entry]:
    paths = dict.fromkeys(record.path for each in distributions for record in each.records)
    found = [entries[path] for path in paths if path in entries and path.endswith((".py", ".so"))]
    return found or [each.entry for each in distributions]


def _overlapping(
    installed: Installed, left_out: set[str]
) -> Iterator[tuple[InstalledDistribution, InstalledDistribution, list[str]]]:
    """Distributions that record different content for the same modules."""
    owners: dict[str, tuple[InstalledDistribution, Recorded]] = {}
    found: dict[tuple[str, str], tuple[InstalledDistribution, InstalledDistribution, list[str]]] = {}
    for each in installed.distributions:
        for record in each.records if each.key not in left_out else ():
            if not record.path.endswith((".py", ".so")) or record.digest is None:
                continue
            if record.path[len(each.root) :].partition("/")[0] in _NOBODYS:
                continue
            owner, other = owners.setdefault(record.path, (each, record))
            if owner is not each and other.digest != record.digest:
                found.setdefault((owner.folder, each.folder), (owner, each, []))[2].append(record.path)
    yield from found.values()


def _is_joined(entry: Entry) -> bool:
    """Whether it only joins the parts of a package that several distributions bring."""
    if not entry.path.endswith("/__init__.py"):
        return False
    try:
        content = entry.read()
    except LambdalintError:
        return True
    return any(mark in content for mark in _JOINED) or not content.strip()
