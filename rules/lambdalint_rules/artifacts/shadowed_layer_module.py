"""A distribution that the function and a layer both have ships twice, and only one of the two is ever imported.

Python looks into the function first, then into the layers; a later layer is unpacked over an earlier one.  Whoever
updates the copy that loses sees no change.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
"""

from collections.abc import Iterator
from itertools import combinations

from lambdalint.facts.installed import InstalledDistribution
from lambdalint.facts.surrounding import Surroundings, python_of
from lambdalint.rule import Artifact, Function, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.metadata_samples import distribution

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/{mark}
      Handler: app.handler
      Runtime: python3.13
      Layers: [!Ref Deps]
  Deps:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: deps/
"""
HANDLER = "import requests\n\ndef handler(event, context):\n    return requests.answer\n"
LAYER = distribution("requests", "2.32.5", root="deps/python/")


@rule(
    "LY008",
    "shadowed-layer-module",
    severity=Severity.WARNING,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE.format(mark="  # finding"),
            "src/app.py": HANDLER,
            **distribution("requests", "2.31.0"),
            **LAYER,
        },
        {
            "template.yaml": TEMPLATE.format(mark="  # finding"),
            "src/app.py": HANDLER,
            **distribution("requests", "2.32.5"),
            **LAYER,
        },
    ),
    good=(
        {"template.yaml": TEMPLATE.format(mark=""), "src/app.py": HANDLER, **LAYER},
        {
            "template.yaml": TEMPLATE.format(mark=""),
            "src/app.py": HANDLER,
            **distribution("rates", "1.0"),
            **LAYER,
            **distribution("requests", "2.31.0", root="deps/python/lib/python3.9/site-packages/"),
        },
    ),
)
def check(function: Function, surroundings: Surroundings) -> Problems:
    python = python_of(function)
    if python is None:
        return
    places = [(title, part, dict(_found(surroundings, part, python))) for title, part in _parts(function)]
    at = function.code.span if function.code else function.span
    for (title, part, found), (other_title, other_part, others) in combinations(places, 2):
        both = sorted(found.keys() & others.keys(), key=lambda key: (-_bytes(other_part, others[key]), key))
        if not both:
            continue
        first, other = found[both[0]], others[both[0]]
        size = sum(_bytes(other_part, others[key]) for key in both)
        more = f", like {len(both) - 1} more" if len(both) > 1 else ""
        twice = f"; {size / 1048576:.1f} MB ship twice" if size >= 104_858 else ""
        if first.version == other.version:
            said = f"{first.title} is in {title} and in {other_title}{more}{twice}"
        elif part.layer and first.root == other.root:
            said = f"{other_title} writes its {other.title} over {first.title} of {title}{more}{twice}"
        else:
            winner, loser = (
                ((other_title, other), (title, first))
                if _is_later(first, other)
                else ((title, first), (other_title, other))
            )
            said = f"{winner[1].title} in {winner[0]} hides {loser[1].title} of {loser[0]}{more}{twice}"
        yield Problem(at, said, hint="keep each distribution in one place")


def _parts(function: Function) -> Iterator[tuple[str, Artifact]]:
    """What the function runs with, each under a name for the reader."""
    if function.artifact is not None:
        yield "the function", function.artifact
    for layer in function.local_layers:
        if layer.artifact is not None:
            yield f"the layer {layer.name}", layer.artifact


def _found(
    surroundings: Surroundings, part: Artifact, python: tuple[int, int]
) -> Iterator[tuple[str, InstalledDistribution]]:
    """The distributions on the path of that Python."""
    versioned = f"python/lib/python{python[0]}.{python[1]}/site-packages/"
    for key, same in surroundings.installed(part).by_key.items():
        here = [each for each in same if not each.root.startswith("python/lib/") or each.root == versioned]
        if here:
            yield key, max(here, key=lambda each: each.root == versioned)


def _is_later(first: InstalledDistribution, other: InstalledDistribution) -> bool:
    """Whether Python looks into the folder of *other* before that of *first*, a layer's too."""
    return first.root == "python/" and other.root.startswith("python/lib/")


def _bytes(part: Artifact, installed: InstalledDistribution) -> int:
    own = {record.path for record in installed.records}
    return sum(entry.size for entry in part.entries if entry.path in own)
