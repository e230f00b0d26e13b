"""boto3, botocore and s3transfer of one time belong together; bundled in part, they meet those of the runtime.

A package comes first on Python's path, so its botocore is used by the runtime's newer boto3, and then arguments and
data files do not match.  Bundling a complete and current SDK on purpose is right.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
"""

from collections.abc import Mapping

from lambdalint.aws.installed import botocore_released, old_sdk_years, runtime_released, sdk_distributions
from lambdalint.aws.runtimes import is_python, runtime
from lambdalint.facts.installed import Installed, InstalledDistribution
from lambdalint.facts.package_imports import PackageImports
from lambdalint.facts.surrounding import Company, Surroundings
from lambdalint.facts.unmet import requirements_of
from lambdalint.rule import Artifact, Confidence, Problem, Problems, Severity, rule
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
HANDLER = "import boto3\n\ndef handler(event, context):\n    return boto3.answer\n"
BOTO3 = "Requires-Dist: botocore<1.41,>=1.40\nRequires-Dist: s3transfer<0.15,>=0.14\n"


@rule(
    "LZ022",
    "mismatched-sdk",
    severity=Severity.WARNING,
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, **distribution("botocore", "1.40.2")},
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("boto3", "1.40.2", metadata=BOTO3),
            **distribution("botocore", "1.38.1"),
            **distribution("s3transfer", "0.14.0"),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("boto3", "1.20.0"),
            **distribution("botocore", "1.23.0"),
            **distribution("s3transfer", "0.5.0"),
        },
    ),
    good=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **distribution("boto3", "1.40.2", metadata=BOTO3),
            **distribution("botocore", "1.40.2"),
            **distribution("s3transfer", "0.14.0"),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER.replace("boto3", "botocore"),
            **distribution("botocore", "1.40.2"),
        },
    ),
)
def check(artifact: Artifact, installed: Installed, surroundings: Surroundings, imports: PackageImports) -> Problems:
    own = [each for name in sdk_distributions() for each in installed.by_key.get(name, ())[:1]]
    if not own or not artifact.runtime or not is_python(artifact.runtime):
        return
    at = artifact.member(own[0].entry)
    companies = surroundings.companies(artifact)
    bundled = [_bundled(each, surroundings) for each in companies]
    for company, found in zip(companies, bundled, strict=True):
        problem = _excluding(found, artifact)
        absent = [name for name in sdk_distributions() if name not in found]
        if problem:
            yield Problem(at, problem, hint="take boto3, botocore and s3transfer of one resolution")
            return
        if absent and company.complete and _uses_boto3(company, found, imports):
            yield Problem(
                at,
                f"{' and '.join(each.title for each in found.values())} {'is' if len(found) == 1 else 'are'} bundled "
                f"without {' and '.join(absent)}, and meet{'s' if len(found) == 1 else ''} the runtime's",
                hint="bundle all of boto3, botocore and s3transfer, or none",
                confidence=Confidence.HIGH if "boto3" in found else Confidence.MEDIUM,
            )
            return
    yield from _old(artifact, own)


def _bundled(company: Company, surroundings: Surroundings) -> Mapping[str, InstalledDistribution]:
    """The parts of the SDK that a function finds in what it runs with."""
    found: dict[str, InstalledDistribution] = {}
    for part in company.artifacts:
        for name in sdk_distributions():
            for each in surroundings.installed(part).by_key.get(name, ())[:1]:
                found.setdefault(name, each)
    return {name: found[name] for name in sdk_distributions() if name in found}


def _excluding(found: Mapping[str, InstalledDistribution], artifact: Artifact) -> str | None:
    known = runtime(artifact.runtime or "")
    if known is None or known.version is None:
        return None
    for required in requirements_of(found.values(), known.version, artifact.architecture):
        other = found.get(required.key)
        if other is not None and not required.accepts(other.version):
            return f"{required.by.title} requires {required.title}; {other.title} lies beside it"
    return None


def _uses_boto3(company: Company, found: Mapping[str, InstalledDistribution], imports: PackageImports) -> bool:
    if "boto3" in found:
        return True
    return company.function is not None and "boto3" in imports.of_function(company.function).importers()


def _old(artifact: Artifact, own: list[InstalledDistribution]) -> Problems:
    since = runtime_released(artifact.runtime or "")
    botocore = next((each for each in own if each.key == "botocore"), None)
    made = botocore_released(botocore.version) if botocore else None
    if botocore and since and made and (since - made).days > 365 * old_sdk_years() + 1:
        yield Problem(
            artifact.member(botocore.entry),
            f"{botocore.title} is of {made:%Y-%m}, {(since - made).days // 365} years older than {artifact.runtime}",
            hint="take a current SDK, or none: the runtime has one",
        )
