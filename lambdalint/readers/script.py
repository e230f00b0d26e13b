"""Inline metadata of a script: the comment that says what a single file needs.

Source: https://packaging.python.org/en/latest/specifications/inline-script-metadata/
"""

import re
from collections.abc import Iterator
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.readers.pyproject import Pyproject, project_of, toml_of
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree

_OPENING: Final = re.compile(r"^# /// (?P<type>[a-zA-Z0-9-]+)$")


def script(tree: Tree, path: str) -> Pyproject | None:
    """What the metadata in the file at *path* says; ``None`` when it has none.

    Raises:
        UnreadableInput: it is no text, has more than one block, or one that is no TOML or asks for nonsense.
    """
    blocks = list(_blocks(decoded(tree.read(path), path).splitlines()))
    if not blocks:
        return None
    if len(blocks) > 1:
        raise UnreadableInput("the file has two blocks of script metadata", path=path, line=blocks[1][0])
    metadata = toml_of(blocks[0][1], path, blocks[0][0] + 1)
    project = {key: metadata[key] for key in ("dependencies", "requires-python") if key in metadata}
    return project_of({"project": project, "tool": metadata.get("tool", {})}, path)


def _blocks(lines: list[str]) -> Iterator[tuple[int, str]]:
    number = 0
    while number < len(lines):
        match = _OPENING.match(lines[number])
        number += 1
        if match is None or match["type"] != "script":
            continue
        start = number
        content: list[str] = []
        while number < len(lines) and (lines[number] == "#" or lines[number].startswith("# ")):
            content.append(lines[number][2:])
            number += 1
        # The block ends with the last line that looks like its end.
        ends = [place for place, line in enumerate(content) if line == "///"]
        if ends:
            yield start, "\n".join(content[: ends[-1]])
