"""A layer says which runtimes and architectures it is made for, and Lambda attaches it to any other all the same.

What fails is the import, at the first invocation.  And a layer that promises several while its compiled modules are
made for one of them fails in the same way.

Source: https://docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html
"""

from collections.abc import Iterator
from functools import partial

from lambdalint.aws.runtimes import is_python, runtime
from lambdalint.facts.native import NativeFile, NativeFiles
from lambdalint.facts.surrounding import Surroundings
from lambdalint.rule import Confidence, Function, Known, Layer, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.samples import linux_library

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Layers: [!Ref Deps]
  Deps:{mark}
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: deps/
      CompatibleRuntimes: [{runtimes}]
      CompatibleArchitectures: [{architectures}]
"""
CODE = {"src/app.py": "def handler(event, context): ...\n", "deps/python/rates.py": "answer = 42\n"}
COMPILED = {"deps/python/fast.cpython-313-x86_64-linux-gnu.so": partial(linux_library, "x86_64")}
MARK = "  # finding"


@rule(
    "LY004",
    "incompatible-layer",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE.format(mark=MARK, runtimes="python3.13", architectures="arm64"), **CODE},
        {
            "template.yaml": TEMPLATE.format(mark=MARK, runtimes="python3.11, python3.12", architectures="x86_64"),
            **CODE,
        },
        {
            "template.yaml": TEMPLATE.format(mark=MARK, runtimes="python3.13, python3.12", architectures="x86_64"),
            **CODE,
            **COMPILED,
        },
        {
            "template.yaml": TEMPLATE.format(mark=MARK, runtimes="python3.13", architectures="x86_64, arm64"),
            **CODE,
            **COMPILED,
        },
    ),
    good=(
        {"template.yaml": TEMPLATE.format(mark="", runtimes="python3.12, python3.13", architectures="x86_64"), **CODE},
        {
            "template.yaml": TEMPLATE.format(mark="", runtimes="python3.13", architectures="x86_64"),
            **CODE,
            **COMPILED,
        },
    ),
)
def check(layer: Layer, surroundings: Surroundings) -> Problems:
    promises = [
        said
        for user in surroundings.users(layer)
        for said in (
            _outside(user.runtime, layer.compatible_runtimes, layer, user),
            *(_outside(each, layer.compatible_architectures, layer, user) for each in _architectures(user)),
        )
        if said
    ]
    if promises:
        yield Problem(
            layer.span, promises[0], hint="attach a layer that is made for the function, or correct what it says"
        )
        return
    if layer.artifact is not None:
        broken = next(_broken_promises(layer, NativeFiles.of(layer.artifact)), None)
        if broken:
            yield Problem(layer.span, broken, hint="make a layer for each of them", confidence=Confidence.MEDIUM)


def _outside(value: object, compatible: tuple[str, ...], layer: Layer, user: Function) -> str | None:
    if not compatible or not isinstance(value, Known) or value.value in compatible:
        return None
    return f"the layer {layer.name} says {' and '.join(compatible)} only; {user.name} runs {value.value}"


def _architectures(user: Function) -> Iterator[object]:
    match user.architectures:
        case None:
            yield Known("x86_64", user.span, stated=False)
        case Known(values):
            yield from values


def _broken_promises(layer: Layer, native: NativeFiles) -> Iterator[str]:
    """What the layer says it is for and holds no files for, as far as all its compiled modules agree."""
    modules = [file for file in native.files if file.module and not file.unreadable and not file.musl]
    machines = {machine for file in modules for machine in file.machines}
    for architecture in layer.compatible_architectures:
        if len(layer.compatible_architectures) > 1 and machines and architecture not in machines:
            held = " and ".join(sorted(machines))
            yield f"the layer {layer.name} says {architecture}; {modules[0].path} is for {held}"
    pythons = [known.version for name in layer.compatible_runtimes if is_python(name) and (known := runtime(name))]
    tied = [file for file in modules if file.abi and file.abi.implementation == "cpython"]
    for python in pythons if len(pythons) > 1 else ():
        served = {file.module for file in tied if file.abi and file.abi.version == python}
        lacking = [file for file in tied if file.module not in served and not _has_other(file, modules)]
        if python and lacking and not served:
            yield (
                f"the layer {layer.name} says python{python[0]}.{python[1]}; "
                f"{lacking[0].path} is for {lacking[0].abi.title if lacking[0].abi else 'another'}"
            )


def _has_other(file: NativeFile, modules: list[NativeFile]) -> bool:
    """Whether a file for every Python serves in the place of *file*."""
    return any(
        other.module == file.module and (other.abi is None or other.abi.implementation == "abi3") for other in modules
    )
