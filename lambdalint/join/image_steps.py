"""The commands and steps of workflows by which a project builds an image and sends it to a registry."""

import re
import shlex
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from lambdalint.aws.images import attestations
from lambdalint.errors import UnreadableInput
from lambdalint.join.serverless_nodes import at, items, text
from lambdalint.model import document
from lambdalint.model.function import ImageBuild
from lambdalint.model.image import BuildStep
from lambdalint.model.places import Span
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree, joined
from lambdalint.readers.yaml import read_yaml

#: Where projects keep such commands, in the folder of the context or in one around it.
_PLACES: Final = (
    ("", ("Makefile", "*.sh", "*.mk", "justfile", "buildspec*.y*ml", ".gitlab-ci.yml", "bitbucket-pipelines.yml")),
    ("scripts", ("*.sh",)),
    ("bin", ("*.sh",)),
    (".github/workflows", ("*.yml", "*.yaml")),
)
_MAX_FILES: Final = 200
_MAX_BYTES: Final = 512 * 1024
_COMMAND: Final = re.compile(r"docker\s+(?:buildx\s+)?build\b((?:\\.|[^\n\\;&|])*)", re.DOTALL)
#: What leads to another folder than the file's before a command runs.
_ELSEWHERE: Final = re.compile(r"(?:^|[\s;&|(])(?:cd|pushd)\s|working-directory:|\bdir:", re.MULTILINE)
_SWITCHES: Final = frozenset(
    ("push", "load", "no-cache", "pull", "q", "quiet", "rm", "force-rm", "squash", "compress", "debug")
)
_OFF: Final = ("false", "0")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a build is asked for; an option that is not given is not there."""

    context: str
    options: Mapping[str, list[str]] = field(default_factory=dict)

    def last(self, *names: str) -> str | None:
        """The last value of an option by any of its names."""
        return next((self.options[name][-1] for name in names if name in self.options), None)


def build_steps(tree: Tree, build: ImageBuild) -> tuple[BuildStep, ...]:
    """What around the context of *build* builds just that Dockerfile and pushes it."""
    return tuple(step for path, base in _files(tree, build.context) for step in _steps(tree, path, base, build))


def _files(tree: Tree, context: str) -> Iterator[tuple[str, str]]:
    """Paths that may hold commands, each with the folder from which they are run."""
    count = 0
    parts = context.split("/") if context else []
    for depth in range(len(parts), -1, -1):
        base = "/".join(parts[:depth])
        for inner, patterns in _PLACES:
            folder = "/".join(filter(None, (base, inner)))
            for name in tree.names(folder):
                if any(fnmatchcase(name, pattern) for pattern in patterns):
                    count += 1
                    if count > _MAX_FILES:
                        return
                    yield (f"{folder}/{name}" if folder else name), base


def _steps(tree: Tree, path: str, base: str, build: ImageBuild) -> Iterator[BuildStep]:
    if not tree.is_file(path) or tree.size(path) > _MAX_BYTES:
        return
    try:
        content = decoded(tree.read(path), path)
    except UnreadableInput:
        return  # it is no file of ours to complain about
    rows = attestations()
    if rows.variable in content:
        return
    if "docker" in content and not _ELSEWHERE.search(content):
        yield from _commands(content, path, base, build)
    if f"{rows.action}@" in content:
        yield from _actions(content, path, base, build)


def _commands(content: str, path: str, base: str, build: ImageBuild) -> Iterator[BuildStep]:
    starts = [0, *(match.end() for match in re.finditer("\n", content))]
    for match in _COMMAND.finditer(content):
        line_start = content.rfind("\n", 0, match.start()) + 1
        asked = None if "#" in content[line_start : match.start()] else _asked(match[1])
        if asked is None or not _is_of(asked, base, build):
            continue
        platforms = _listed(asked.last("platform"))
        if not _pushes(asked) or platforms is None:
            continue
        word = match.start(1)
        first = _place(starts, path, match.start(), word)
        end = Span(path, first.end_line, first.end_column, first.end_line, first.end_column)
        yield _step(first, platforms, asked, (end, f" {attestations().flags[0]}"))


def _asked(text: str) -> _Asked | None:
    """What the words after ``build`` ask for; ``None`` where they are not to be taken apart."""
    try:
        words = shlex.split(text.replace("\\\n", " "), comments=True)
    except ValueError:
        return None
    options: dict[str, list[str]] = {}
    places: list[str] = []
    left = iter(words)
    for word in left:
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or word == "-":
            places.append(word)
        elif equals:
            options.setdefault(name, []).append(value)
        elif name in _SWITCHES:
            options.setdefault(name, []).append("")
        else:
            options.setdefault(name, []).append(next(left, ""))
    return _Asked(places[-1], options) if places else None


def _actions(content: str, path: str, base: str, build: ImageBuild) -> Iterator[BuildStep]:
    try:
        workflow = read_yaml(content, path)
    except UnreadableInput:
        return
    rows, lines = attestations(), content.split("\n")
    jobs = at(workflow, "jobs")
    for job in jobs.items.values() if isinstance(jobs, document.Mapping) else ():
        for step in items(at(job, "steps")):
            uses, settings = at(step, "uses"), at(step, "with")
            used = re.fullmatch(rf"{re.escape(rows.action)}@v(\d+)(?:\.\d+)*", text(uses) or "")
            if used is None or uses is None or int(used[1]) < rows.since or not isinstance(settings, document.Mapping):
                continue
            options = {
                name: [value.text] for name, value in settings.items.items() if isinstance(value, document.Scalar)
            }
            asked = _Asked(options.get("context", ["."])[0], options)
            platforms = _listed(asked.last("platforms"))
            if not _is_of(asked, base, build) or not _pushes(asked) or platforms is None:
                continue
            key = next(iter(settings.keys.values()), None)
            edit = None
            if key is not None and "{" not in "".join(lines[key.line - 1 : key.line])[: key.column]:
                before = Span(path, key.line, key.column, key.line, key.column)
                edit = (before, f"provenance: false\n{' ' * key.column}")
            yield _step(uses.span, platforms, asked, edit)


def _step(at: Span, platforms: tuple[str, ...], asked: _Asked, edit: tuple[Span, str] | None) -> BuildStep:
    wanted = [name for name in ("provenance", "sbom") if asked.last(name) not in (None, *_OFF)]
    attests = bool(wanted) or "attest" in asked.options or asked.last("provenance") is None
    flags = attestations().flags
    if not wanted and "attest" not in asked.options:
        return BuildStep(at, platforms, attests, flags[0], edit)
    return BuildStep(at, platforms, attests, " ".join(flags))


def _is_of(asked: _Asked, base: str, build: ImageBuild) -> bool:
    """Whether it is *build* that is asked for, by the paths as they are seen from *base*."""
    file = asked.last("f", "file")
    if any(sign in f"{asked.context}{file or ''}" for sign in "$`") or "://" in asked.context:
        return False
    context = joined(base, asked.context)
    if context is None:
        return False
    dockerfile = joined(context, "Dockerfile") if file is None else joined(base, file)
    return dockerfile == build.dockerfile and context == build.context


def _pushes(asked: _Asked) -> bool:
    push = asked.last("push")
    if push is not None and push not in _OFF:
        return True
    return any(
        "type=registry" in each or "push=true" in each
        for each in asked.options.get("o", asked.options.get("output", []))
    )


def _listed(platforms: str | None) -> tuple[str, ...] | None:
    """The platforms in a list; none where the builder's own is meant, ``None`` where a variable hides them."""
    if platforms is None:
        return ()
    if "$" in platforms:
        return None
    return tuple(each for each in re.split(r"[,\s]+", platforms.strip("|>\n ")) if each)


def _place(starts: list[int], path: str, start: int, end: int) -> Span:
    line, end_line = bisect_right(starts, start), bisect_right(starts, end)
    return Span(path, line, start - starts[line - 1], end_line, end - starts[end_line - 1])
