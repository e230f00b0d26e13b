"""The SDK that comes with Lambda's Python runtimes."""

from dataclasses import dataclass
from typing import Final

from lambdalint.aws.tables import table

#: The distributions of the SDK, and those that it needs; a runtime has all of them.
SDK: Final = ("boto3", "botocore", "s3transfer")
SDK_NEEDS: Final = ("jmespath", "python-dateutil", "urllib3", "six")


@dataclass(frozen=True, slots=True)
class SeenSdk:
    """Versions that a runtime was seen with, and on which day; it has those or newer ones."""

    versions: dict[str, str]
    as_of: str


def seen_sdk(runtime: str) -> SeenSdk | None:
    """What *runtime* was last seen with; ``None`` where nobody wrote it down."""
    for row in table("runtime_sdk")["seen"]:
        if row["runtime"] == runtime:
            return SeenSdk({name: row[name] for name in SDK if name in row}, row["as_of"])
    return None
