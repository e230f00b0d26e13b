"""Measure what importing packages costs, and write ``lambdalint/facts/import_costs.toml`` anew.

    python -m benchmarks.measure_imports --python python3.13

Every distribution gets an environment of its own.  Each number is the median of fresh processes whose bytecode is
compiled and whose files are in the page cache: the processor time of the import alone, start-up left out, on one
thread.  It is written as measured: one vCPU of Lambda is taken to be as fast as the measuring machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parents[1] / "lambdalint" / "facts" / "import_costs.toml"
RUNS: Final = 5

#: Requirements to the modules that they bring; the first requirement gives its name to the row.
MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "aioboto3": ("aioboto3",),
    "aiohttp": ("aiohttp",),
    "anthropic": ("anthropic",),
    "arrow": ("arrow",),
    "aws-lambda-powertools[aws-sdk,validation]": (
        "aws_lambda_powertools",
        "aws_lambda_powertools.event_handler",
        "aws_lambda_powertools.logging",
        "aws_lambda_powertools.metrics",
        "aws_lambda_powertools.utilities.batch",
        "aws_lambda_powertools.utilities.data_classes",
        "aws_lambda_powertools.utilities.idempotency",
        "aws_lambda_powertools.utilities.parameters",
        "aws_lambda_powertools.utilities.typing",
        "aws_lambda_powertools.utilities.validation",
    ),
    "aws-xray-sdk": ("aws_xray_sdk.core",),
    "awswrangler": ("awswrangler",),
    "beautifulsoup4": ("bs4",),
    "boto3": ("boto3", "boto3.dynamodb.conditions", "botocore", "botocore.exceptions", "botocore.session"),
    "cryptography": ("cryptography.fernet", "cryptography.x509"),
    "dask[dataframe]": ("dask", "dask.dataframe"),
    "django": ("django",),
    "duckdb": ("duckdb",),
    "elasticsearch": ("elasticsearch",),
    "fastapi": ("fastapi",),
    "flask": ("flask",),
    "geopandas": ("geopandas",),
    "google-api-python-client": ("googleapiclient.discovery",),
    "google-cloud-bigquery": ("google.cloud.bigquery",),
    "google-cloud-firestore": ("google.cloud.firestore",),
    "google-cloud-pubsub": ("google.cloud.pubsub", "google.cloud.pubsub_v1"),
    "google-cloud-storage": ("google.cloud.storage",),
    "grpcio": ("grpc",),
    "httpx": ("httpx",),
    "jinja2": ("jinja2",),
    "jsonschema": ("jsonschema",),
    "kubernetes": ("kubernetes", "kubernetes.client"),
    "langchain": ("langchain", "langchain.agents", "langchain.chat_models"),
    "langchain-aws": ("langchain_aws",),
    "langchain-core": ("langchain_core.messages", "langchain_core.prompts"),
    "lightgbm": ("lightgbm",),
    "lxml": ("lxml.etree", "lxml.html"),
    "matplotlib": ("matplotlib", "matplotlib.pyplot"),
    "networkx": ("networkx",),
    "nltk": ("nltk",),
    "numba": ("numba",),
    "numpy": ("numpy",),
    "openai": ("openai",),
    "opencv-python-headless": ("cv2",),
    "openpyxl": ("openpyxl",),
    "opensearch-py": ("opensearchpy",),
    "opentelemetry-sdk": ("opentelemetry.sdk", "opentelemetry.sdk.trace"),
    "pandas": ("pandas",),
    "paramiko": ("paramiko",),
    "pillow": ("PIL", "PIL.Image"),
    "plotly": ("plotly", "plotly.graph_objects"),
    "polars": ("polars",),
    "psycopg2-binary": ("psycopg2",),
    "psycopg[binary]": ("psycopg",),
    "pyarrow": ("pyarrow", "pyarrow.parquet"),
    "pydantic": ("pydantic",),
    "pymongo": ("pymongo",),
    "pymupdf": ("fitz", "pymupdf"),
    "pymysql": ("pymysql",),
    "pynamodb": ("pynamodb", "pynamodb.models"),
    "pypdf": ("pypdf",),
    "python-docx": ("docx",),
    "redis": ("redis",),
    "reportlab": ("reportlab.pdfgen.canvas", "reportlab.platypus"),
    "requests": ("requests",),
    "s3fs": ("s3fs",),
    "scikit-image": ("skimage",),
    "scikit-learn": ("sklearn", "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics"),
    "scipy": (
        "scipy",
        "scipy.optimize",
        "scipy.signal",
        "scipy.sparse",
        "scipy.spatial",
        "scipy.stats",
    ),
    "seaborn": ("seaborn",),
    "sentry-sdk": ("sentry_sdk",),
    "shapely": ("shapely", "shapely.geometry"),
    "slack-sdk": ("slack_sdk",),
    "snowflake-connector-python": ("snowflake.connector",),
    "sqlalchemy": ("sqlalchemy", "sqlalchemy.orm"),
    "statsmodels": ("statsmodels.api",),
    "stripe": ("stripe",),
    "sympy": ("sympy",),
    "tiktoken": ("tiktoken",),
    "twilio": ("twilio.rest",),
}

#: Requirements to callables: the code to make one, and what has to run before.  Made once before it is measured, as in
#: an environment that has served an event already.
CONSTRUCTORS: Final[Mapping[tuple[str, ...], Mapping[str, tuple[str, str]]]] = {
    ("boto3",): {
        "boto3.client": ("import boto3", "boto3.client('dynamodb')"),
        "boto3.resource": ("import boto3", "boto3.resource('dynamodb')"),
        "boto3.Session": ("import boto3", "boto3.Session()"),
        "boto3.Session().client": ("import boto3", "boto3.Session().client('dynamodb')"),
        "boto3.Session().resource": ("import boto3", "boto3.Session().resource('dynamodb')"),
    },
    ("requests",): {"requests.Session": ("import requests", "requests.Session()")},
    ("httpx",): {"httpx.Client": ("import httpx", "httpx.Client()")},
    ("urllib3",): {"urllib3.PoolManager": ("import urllib3", "urllib3.PoolManager()")},
    ("sqlalchemy", "psycopg[binary]"): {
        "sqlalchemy.create_engine": ("import sqlalchemy", "sqlalchemy.create_engine('postgresql://host/db')")
    },
    ("redis",): {"redis.Redis": ("import redis", "redis.Redis()")},
}

#: What the runtime brings and nobody has to pack.
_OF_THE_RUNTIME: Final = frozenset(("boto3", "botocore", "jmespath", "s3transfer"))

_ALL: Final = frozenset(module for modules in MODULES.values() for module in modules)

_IMPORT: Final = "import time; start = time.process_time(); import {module}; print(time.process_time() - start)"
_CONSTRUCT: Final = """\
import time
{setup}
{make}
start = time.process_time()
made = [{make} for _ in range(5)]
print((time.process_time() - start) / 5)
"""

_HEAD: Final = """\
# What importing a package costs, and what making a client does: our own measurement, by benchmarks/measure_imports.py.
#
# ms: processor time, median of {runs} fresh processes with compiled bytecode and warm files, one thread.  One vCPU of
# Lambda (1,769 MB) is taken to be as fast as the measuring machine; with less memory it takes so much longer.
# mb: the unpacked size of the distribution and all that it needs, in MiB, without bytecode and without boto3, which
# the runtime brings.
# loads: the other modules of this table that importing it imports.

as_of = {day}
python = "{python}"
machine = "{machine}"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure with")
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    imports = [row for wanted, modules in MODULES.items() for row in _imports(options.python, wanted, modules)]
    constructing = [
        f'"{name}" = {ms}'
        for wanted, made in CONSTRUCTORS.items()
        for name, ms in _constructing(options.python, wanted, made)
    ]
    head = _HEAD.format(runs=RUNS, day=datetime.now(UTC).date(), python=_version(options.python), machine=_machine())
    text = "\n".join((head, "[imports]", *sorted(imports), "", "[constructing]", *sorted(constructing), ""))
    options.out.write_text(text, encoding="utf-8")


def _imports(python: str, wanted: str, modules: tuple[str, ...]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        interpreter = _environment(python, Path(folder), (wanted,))
        if interpreter is None:
            return
        name = wanted.partition("[")[0]
        version = _run(interpreter, f"import importlib.metadata as m; print(m.version('{name}'))")
        size = _size_mb(Path(folder), with_boto3=name == "boto3")
        for module in modules:
            ms = _measured(interpreter, _IMPORT.format(module=module))
            if ms is None:
                continue
            loaded = set(_run(interpreter, f"import sys, {module}; print(*sys.modules)").split())
            loads = json.dumps(sorted(each for each in _ALL & loaded if not f"{module}.".startswith(f"{each}.")))
            of = f'distribution = "{name}", version = "{version}"'
            yield f'"{module}" = {{ {of}, ms = {ms}, mb = {size}, loads = {loads} }}'


def _constructing(
    python: str, wanted: tuple[str, ...], made: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        interpreter = _environment(python, Path(folder), wanted)
        for name, (setup, make) in made.items() if interpreter is not None else ():
            assert interpreter is not None
            ms = _measured(interpreter, _CONSTRUCT.format(setup=setup, make=make))
            if ms is not None:
                yield name, ms


def _environment(python: str, folder: Path, wanted: tuple[str, ...]) -> Path | None:
    """The interpreter of a new environment with *wanted* in it; ``None`` when there are no wheels for it."""
    interpreter = folder / "bin" / "python"
    subprocess.run(["uv", "venv", "--quiet", "--allow-existing", "--python", python, folder], check=True)
    install = ["uv", "pip", "install", "--quiet", "--only-binary", ":all:", "--compile-bytecode", "--python"]
    done = subprocess.run([*install, interpreter, *wanted], check=False)
    if done.returncode:
        print(f"{wanted[0]} cannot be installed", file=sys.stderr)
        return None
    return interpreter


def _measured(interpreter: Path, code: str) -> float | None:
    try:
        seconds = [float(_run(interpreter, code)) for _ in range(RUNS + 1)]
    except subprocess.CalledProcessError as error:
        print(f"{code}: {error.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    ms = statistics.median(seconds[1:]) * 1000
    return round(ms) if ms >= 10 else round(ms, 1)


def _run(interpreter: Path, code: str) -> str:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    keys = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
    environment = {**os.environ, **threads, **keys}
    done = subprocess.run(
        [interpreter, "-c", code], capture_output=True, text=True, check=True, timeout=120, env=environment
    )
    return done.stdout.strip().rpartition("\n")[2]


def _size_mb(folder: Path, *, with_boto3: bool) -> float:
    (packages,) = folder.glob("lib/*/site-packages")
    total = 0
    for path in packages.rglob("*"):
        first = path.relative_to(packages).parts[0].partition("-")[0]
        if path.is_file() and path.suffix != ".pyc" and first != "_virtualenv.py":
            total += path.stat().st_size if with_boto3 or first not in _OF_THE_RUNTIME else 0
    return round(total / 1024 / 1024, 1)


def _version(python: str) -> str:
    code = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def _machine() -> str:
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


if __name__ == "__main__":
    main()
