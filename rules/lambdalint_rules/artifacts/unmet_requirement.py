"""What a distribution requires has to be in the package, a layer or the runtime, in a version that it takes.

Installed one by one, copied from a folder or trimmed by hand, dependencies miss one another.  It shows at import, or
only on the path that needs them.  Markers are read for the function's Python, for Linux and its architecture, not for
the machine that packed it, and so are the tags by which a wheel says for which Pythons and systems it is.

Source: https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from collections.abc import Iterable, Iterator
from typing import Final

from lambdalint.aws.installed import provided_distributions, sdk_distributions
from lambdalint.aws.runtimes import is_python, runtime
from lambdalint.facts.import_closure import ModuleIndex
from lambdalint.facts.installed import Installed, InstalledDistribution
from lambdalint.facts.package_imports import PackageImports
from lambdalint.facts.requirements import listed_requirements
from lambdalint.facts.surrounding import Company, Surroundings
from lambdalint.facts.unmet import Required, excludes, excludes_tags, requirements_of
from lambdalint.rule import Artifact, ArtifactKind, Confidence, Entry, Problem, Problems, Severity, rule
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
LAYER = """\
      Layers: [!Ref Models]
  Models:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: models/
"""
HANDLER = "import pydantic\n\ndef handler(event, context):\n    return pydantic.answer\n"
WHEEL = "Wheel-Version: 1.0\nTag: {tag}\n"
REQUIRES = "Requires-Dist: pydantic-core==2.41.1\nRequires-Dist: boto3\nRequires-Dist: colorama; os_name == 'nt'\n"

#: What other rules look at: native code says itself for what it is made.
_NATIVE: Final = (".so", ".pyd", ".dylib", ".dll")


@rule(
    "LZ021",
    "unmet-requirement",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("pydantic", "2.12.0", metadata=REQUIRES),
            **distribution("pydantic-core", "2.33.2"),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("pydantic", "2.12.0", metadata=REQUIRES),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("pydantic", "1.10.2", metadata="Requires-Python: >=3.7,<3.13\n"),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("pydantic", "1.10.2"),
            "src/pydantic-1.10.2.dist-info/WHEEL": WHEEL.format(tag="cp310-none-any"),
        },
    ),
    good=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("pydantic", "2.12.0", metadata=REQUIRES),
            **distribution("pydantic-core", "2.41.1"),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("pydantic", "1.10.2"),
            "src/pydantic-1.10.2.dist-info/WHEEL": WHEEL.format(tag="py36-none-any\nTag: cp310-none-any"),
        },
        {
            "template.yaml": f"{TEMPLATE}      Layers: [!Ref Models]\n",
            "src/app.py": HANDLER,
            **distribution("pydantic", "2.12.0", metadata=REQUIRES),
        },
        {
            "template.yaml": TEMPLATE + LAYER,
            "src/app.py": HANDLER,
            **distribution("pydantic", "2.12.0", root="models/python/lib/python3.13/site-packages/"),
            **distribution(
                "pydantic",
                "1.10.2",
                root="models/python/lib/python3.9/site-packages/",
                metadata="Requires-Python: <3.13\nRequires-Dist: typing-extensions\n",
            ),
        },
    ),
)
def check(artifact: Artifact, installed: Installed, surroundings: Surroundings, imports: PackageImports) -> Problems:
    known = runtime(artifact.runtime) if artifact.runtime and is_python(artifact.runtime) else None
    if known is None or known.version is None:
        return
    seen = installed.seen_by(known.version)
    for each in seen:
        wanted = ",".join(each.headers("Requires-Python"))
        if excludes(wanted, known.version):
            yield Problem(
                artifact.member(each.entry),
                f"{each.title} requires Python {wanted}; the function runs on {known.name}",
                confidence=confidence(imports, artifact, _modules(artifact, each)),
            )
    yield from _tagged_otherwise(artifact, seen, known.version, imports)
    companies = surroundings.companies(artifact)
    unmet: dict[str, list[Required]] = {}
    for required in requirements_of(seen, known.version, artifact.architecture):
        if not _is_the_runtimes(required) and any(_lacks(required, each, surroundings) for each in companies):
            unmet.setdefault(required.key, []).append(required)
    pending = bool(unmet) and _is_unbuilt(artifact, installed)
    for required_by in unmet.values():
        first = required_by[0]
        versions = _versions(first.key, companies, surroundings)
        if (pending and not versions) or (not versions and _is_there(first, companies, known.version)):
            continue
        more = f", as {len(required_by) - 1} more do" if len(required_by) > 1 else ""
        users = [entry for each in required_by for entry in _modules(artifact, each.by)]
        yield Problem(
            artifact.member(first.by.entry),
            f"{first.by.title} requires {first.title}{more}; "
            + (f"the package has {' and '.join(versions)}" if versions else "neither the package nor a layer has it"),
            hint="install the dependencies of one lock or one resolution, as lambdalint package does",
            confidence=confidence(imports, artifact, users, Confidence.HIGH),
        )


def _tagged_otherwise(
    artifact: Artifact, seen: Iterable[InstalledDistribution], python: tuple[int, int], imports: PackageImports
) -> Problems:
    """Wheels that say they are for another Python or system; of those with native code, other rules look at that."""
    native = {entry.path for entry in artifact.entries if entry.path.endswith(_NATIVE)}
    for each in seen:
        if not excludes_tags(each.tags, python, artifact.architecture):
            continue
        if any(record.path in native for record in each.records):
            continue
        yield Problem(
            artifact.member(each.files["WHEEL"]),
            f"the wheel of {each.title} is for {' and '.join(each.tags[:3])}; the function runs on {artifact.runtime}"
            + (f" and {artifact.architecture}" if artifact.architecture else ""),
            hint=f"install {each.name} for the function's runtime, as lambdalint package does",
            confidence=confidence(imports, artifact, _modules(artifact, each)),
        )


def _is_the_runtimes(required: Required) -> bool:
    """Whether the runtime has it, in a version that nobody states, or whether another rule judges it."""
    sdk = sdk_distributions()
    return required.key in sdk and required.by.key in sdk


def _lacks(required: Required, company: Company, surroundings: Surroundings) -> bool:
    """Whether that function has nothing that is asked for, for certain."""
    found = [each for part in company.artifacts for each in surroundings.installed(part).by_key.get(required.key, ())]
    if not found:
        return company.complete and required.key not in provided_distributions()
    # What the function has itself is found first, whatever a layer has.
    return not any(required.accepts(each.version) for each in found)


def _versions(key: str, companies: tuple[Company, ...], surroundings: Surroundings) -> tuple[str, ...]:
    found = (
        each.version
        for company in companies
        for part in company.artifacts
        for each in surroundings.installed(part).by_key.get(key, ())
    )
    return tuple(dict.fromkeys(found))


def _is_unbuilt(artifact: Artifact, installed: Installed) -> bool:
    """Whether it is a folder into which what it lists is still to be installed."""
    if artifact.kind is not ArtifactKind.FOLDER:
        return False
    lists = [entry for entry in artifact.entries if entry.path in ("requirements.txt", "python/requirements.txt")]
    listed = [name for entry in lists for name in listed_requirements(entry)]
    return any(name not in installed.by_key and name not in provided_distributions() for name in listed)


def _is_there(required: Required, companies: tuple[Company, ...], python: tuple[int, int]) -> bool:
    """Whether modules of that name are there, though no metadata says so."""
    names = {required.key.replace("-", "_"), required.key.replace("-", "_").removeprefix("python_")}
    roots = ("", "python/", f"python/lib/python{python[0]}.{python[1]}/site-packages/")
    for company in companies:
        for part in company.artifacts:
            index = ModuleIndex.of((entry.path for entry in part.entries), roots)
            if any(index.find(name) or index.find(required.name.replace("-", ".")) for name in names):
                return True
    return False


def _modules(artifact: Artifact, installed: InstalledDistribution) -> Iterator[Entry]:
    paths = {record.path for record in installed.records}
    found = [entry for entry in artifact.entries if entry.path in paths and entry.path.endswith((".py", ".so"))]
    yield from found or (installed.entry,)
