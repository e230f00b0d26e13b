"""Container images that functions are made of."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from lambdalint.aws.tables import table

_TABLE: Final = "images"
_VERSION: Final = re.compile(r"\d+\.\d+(?![\d.])")


@dataclass(frozen=True, slots=True)
class BaseImage:
    """A base image of AWS; *version* is the language's, as ``3.12``, ``None`` where the tag does not begin with one."""

    family: str
    version: str | None
    task_root: str
    entrypoint: str


def base_image(reference: str) -> BaseImage | None:
    """What is known of the image at *reference*; ``None`` for one that is not of AWS, or that brings no runtime."""
    name = reference.partition("@")[0]
    host, slash, last = name.rpartition("/")
    own, _, tag = last.partition(":")
    repository = f"{host}{slash}{own}"
    for row in table(_TABLE)["base"]:
        if repository in row["repositories"]:
            match = _VERSION.match(tag)
            return BaseImage(row["family"], match[0] if match else None, row["task_root"], row["entrypoint"])
    return None


def runtime_image(version: str, architecture: str) -> str:
    """The image of AWS with the Python *version* for *architecture*, by its tag."""
    row = next(row for row in table(_TABLE)["base"] if row["family"] == "python")
    return f"{row['repositories'][0]}:{version}-{architecture}"


def base_environment() -> dict[str, str]:
    """The variables that the base images of AWS set."""
    rows = table(_TABLE)["environment"]
    return {name: value for name, value in rows.items() if name.isupper()}


def runtime_client() -> str:
    """The module that runs a handler in an image without a runtime of AWS."""
    return str(table(_TABLE)["client"]["module"])


def starts_web_server(wrapper: str) -> bool:
    """Whether *wrapper*, a script around the runtime, starts a web server in place of a handler."""
    return wrapper in table(_TABLE)["web_adapter"]["wrappers"]


def web_adapter() -> str:
    """Where the extension that does so lies in an image."""
    return str(table(_TABLE)["web_adapter"]["extension"])


@cache
def harmless_commands() -> frozenset[str]:
    """Programs that put no module of the project's anywhere."""
    return frozenset(table(_TABLE)["harmless"]["commands"])


@cache
def installers() -> frozenset[str]:
    """Programs that install distributions of Python."""
    return frozenset(table(_TABLE)["harmless"]["installers"])
