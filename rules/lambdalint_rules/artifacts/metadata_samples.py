"""Distributions for examples, a few lines each."""


def distribution(
    name: str,
    version: str,
    *files: str,
    root: str = "src/",
    metadata: str = "",
    code: str = "answer = 42\n",
) -> dict[str, str]:
    """The files of a distribution installed in *root*; without *files* it has one module of its own name."""
    module = name.replace("-", "_")
    folder = f"{module}-{version}.dist-info"
    made = dict.fromkeys(files or (f"{module}/__init__.py",), code)
    inside = {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}",
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*made, *inside, f"{folder}/RECORD"))
    return {f"{root}{path}": content for path, content in {**made, **inside, f"{folder}/RECORD": record}.items()}
