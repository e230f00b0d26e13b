"""Container images that functions are made of."""

import re
from dataclasses import dataclass
from datetime import date
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


def python_entrypoint() -> str:
    """What starts the runtime in the images of AWS with Python."""
    return str(next(row for row in table(_TABLE)["base"] if row["family"] == "python")["entrypoint"])


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


@dataclass(frozen=True, slots=True)
class Tag:
    """What the tag of an image of AWS says.

    *runtime* is the one in it, ``None`` where the tag does not say; *number* is the part of the tag that stands for
    it.  *is_newest* says that whatever is newest is meant, *made* is the day that it was made.
    """

    runtime: str | None
    number: str
    is_newest: bool
    made: date | None


def tag_of(reference: str) -> Tag | None:
    """What is known of the image of AWS at *reference* by its tag; ``None`` for another image, or one by digest."""
    if "@" in reference:
        return None
    rules = table(_TABLE)["tags"]
    registry = next((each for each in rules["registries"] if reference.startswith(each)), None)
    if registry is None:
        return None
    repository, _, tag = reference.removeprefix(registry).partition(":")
    row = next((row for row in table(_TABLE)["tagged"] if row["repository"] == repository), None)
    if row is None:
        return None
    if tag in ("", rules["newest"]):
        return Tag(None, tag, True, None)
    number = re.match(rf"{row['tag']}(?![\d])", tag)
    day = re.search(rules["day"], tag)
    return Tag(
        row["runtime"].format(number[1]) if number else None,
        number[1] if number else "",
        False,
        _day(*map(int, day.groups())) if day else None,
    )


def is_of_aws(reference: str) -> bool:
    """Whether *reference* names an image of AWS for Lambda, with a runtime or without."""
    return reference.startswith(tuple(table(_TABLE)["tags"]["registries"]))


def tag_architecture(reference: str) -> str | None:
    """The architecture that the tag of an image names."""
    name = reference.partition("@")[0]
    for architecture, endings in table(_TABLE)["tags"]["architectures"].items():
        if name.endswith(tuple(endings)):
            return str(architecture)
    return None


def architecture_named(platform: str) -> str | None:
    """What Lambda calls the architecture of a *platform*, ``linux/amd64`` or only ``amd64``; ``None``: it has none."""
    parts = platform.lower().split("/")
    rows = table(_TABLE)["platforms"]
    if len(parts) > 1 and parts[0] != rows["os"]:
        return None
    found: str | None = rows["architectures"].get(parts[1] if len(parts) > 1 else parts[0])
    return found


def platform_system() -> str:
    """The operating system of all images that Lambda takes."""
    return str(table(_TABLE)["platforms"]["os"])


def rejected_manifest(media_type: str) -> str | None:
    """What people call a document of that type which Lambda does not take in place of an image's manifest."""
    found: str | None = table(_TABLE)["manifests"]["rejected"].get(media_type)
    return found


@dataclass(frozen=True, slots=True)
class LayerRules:
    """What Lambda wants of layers: the type of Docker's that it takes, types it never does, and its errors."""

    docker_prefix: str
    docker: str
    foreign: tuple[str, ...]
    not_gzip: str
    without_folder: str


def layer_rules() -> LayerRules:
    """The types of layers."""
    row = table(_TABLE)["layers"]
    return LayerRules(
        row["docker_prefix"], row["docker"], tuple(row["foreign"]), row["not_gzip"], row["without_folder"]
    )


def needed_paths() -> tuple[str, ...]:
    """What the runtime in an image of AWS cannot do without."""
    return tuple(table(_TABLE)["needed"]["paths"])


def needed_folders() -> dict[str, str]:
    """The variables of an image of AWS, each with the folder that it has to name."""
    return dict(table(_TABLE)["needed"]["variables"])


def client_words() -> tuple[str, ...]:
    """Words, in lower case, by which a build shows that something will answer the Runtime API."""
    return tuple(table(_TABLE)["clients"]["words"])


def client_files() -> tuple[str, ...]:
    """Files of an image that answer the Runtime API."""
    return tuple(table(_TABLE)["clients"]["files"])


def adapter_word() -> str:
    """What the extension's file is called, or begins with, that puts a web server behind Lambda."""
    return str(table(_TABLE)["clients"]["adapter"])


def declarations() -> tuple[str, ...]:
    """Patterns of files that say which distributions are installed."""
    return tuple(table(_TABLE)["clients"]["declarations"])


@cache
def server_programs() -> frozenset[str]:
    """Programs that serve HTTP."""
    return frozenset(table(_TABLE)["servers"]["programs"])


def ineffective(keyword: str) -> str | None:
    """Why an instruction changes nothing on Lambda; ``None`` where it does."""
    row = table(_TABLE)["ineffective"]
    return str(row[keyword]) if keyword.isupper() and keyword in row else None


def emulator() -> str:
    """The file name of the emulator that answers in place of Lambda."""
    return str(table(_TABLE)["emulator"]["name"])


def private_region(host: str) -> str | None:
    """The region of the private registry *host*; ``None``: it is none."""
    found = re.fullmatch(table(_TABLE)["registry"]["pattern"], host)
    return found[1] if found else None


def is_like_private(host: str) -> bool:
    """Whether *host* is meant to be a private registry, though parts of it are still to be filled in."""
    return table(_TABLE)["registry"]["like"] in host


@dataclass(frozen=True, slots=True)
class Attestations:
    """What keeps a build from adding attestations: *flags*, or a *variable*.

    The *action* of a workflow adds them from the version *since* on.
    """

    flags: tuple[str, ...]
    variable: str
    action: str
    since: int


def attestations() -> Attestations:
    """How builds add attestations."""
    row = table(_TABLE)["attestations"]
    return Attestations(tuple(row["flags"]), row["variable"], row["action"], row["since"])


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
