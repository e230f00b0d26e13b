"""Measure what importing packages costs, and write ``lambdalint/facts/import_costs.toml`` anew.

    python -m benchmarks.measure_imports --python python3.13
    python -m benchmarks.measure_imports --python python3.13 --compare

Every distribution gets an environment of its own.  Each number is the processor time, of user and system, of the import
alone in a fresh process, start-up left out, on one thread, with files in the page cache: with bytecode compiled, and
once more without it.  The least of several runs is taken, since whatever else the machine does only adds to it.  It is
written as measured: one vCPU of Lambda is taken to be as fast as the measuring machine.

With ``--compare`` the table stays; what it lists is measured anew, the same releases, and the order of the two held
against each other.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parents[1] / "lambdalint" / "facts" / "import_costs.toml"
RUNS: Final = 7
COLD_RUNS: Final = 4
#: What an import has to cost more than another, for their order to say something.
CLEARLY: Final = 2

#: Requirements to the modules that they bring; the first requirement gives its name to the row.
MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "aioboto3": ("aioboto3",),
    "aiobotocore": ("aiobotocore.session",),
    "aiohttp": ("aiohttp",),
    "alembic": ("alembic",),
    "altair": ("altair",),
    "anthropic": ("anthropic",),
    "arrow": ("arrow",),
    "asyncpg": ("asyncpg",),
    "attrs": ("attr",),
    "authlib": ("authlib.jose",),
    "avro": ("avro.schema",),
    "aws-encryption-sdk": ("aws_encryption_sdk",),
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
    "azure-identity": ("azure.identity",),
    "azure-storage-blob": ("azure.storage.blob",),
    "babel": ("babel.numbers",),
    "beautifulsoup4": ("bs4",),
    "bokeh": ("bokeh.plotting",),
    "boto3": ("boto3", "boto3.dynamodb.conditions", "botocore", "botocore.exceptions", "botocore.session"),
    "celery": ("celery",),
    "confluent-kafka": ("confluent_kafka",),
    "cryptography": ("cryptography.fernet", "cryptography.x509"),
    "dask[dataframe]": ("dask", "dask.dataframe"),
    "datadog-lambda": ("datadog_lambda.wrapper",),
    "ddtrace": ("ddtrace",),
    "discord.py": ("discord",),
    "django": ("django",),
    "dnspython": ("dns.resolver",),
    "docker": ("docker",),
    "duckdb": ("duckdb",),
    "elasticsearch": ("elasticsearch",),
    "faker": ("faker",),
    "fastapi": ("fastapi",),
    "fastavro": ("fastavro",),
    "feedparser": ("feedparser",),
    "firebase-admin": ("firebase_admin", "firebase_admin.firestore", "firebase_admin.messaging"),
    "flask": ("flask",),
    "fsspec": ("fsspec",),
    "gensim": ("gensim",),
    "geopandas": ("geopandas",),
    "gitpython": ("git",),
    "google-api-python-client": ("googleapiclient.discovery",),
    "google-auth": ("google.oauth2.service_account",),
    "google-cloud-bigquery": ("google.cloud.bigquery",),
    "google-cloud-firestore": ("google.cloud.firestore",),
    "google-cloud-pubsub": ("google.cloud.pubsub", "google.cloud.pubsub_v1"),
    "google-cloud-secret-manager": ("google.cloud.secretmanager",),
    "google-cloud-storage": ("google.cloud.storage",),
    "google-cloud-vision": ("google.cloud.vision",),
    "google-genai": ("google.genai",),
    "gql": ("gql",),
    "grpcio": ("grpc",),
    "gspread": ("gspread",),
    "html5lib": ("html5lib",),
    "httpx": ("httpx",),
    "hubspot-api-client": ("hubspot",),
    "jinja2": ("jinja2",),
    "jira": ("jira",),
    "joblib": ("joblib",),
    "jsonschema": ("jsonschema",),
    "kafka-python": ("kafka",),
    "kubernetes": ("kubernetes", "kubernetes.client"),
    "langchain": ("langchain", "langchain.agents", "langchain.chat_models"),
    "langchain-aws": ("langchain_aws",),
    "langchain-community": ("langchain_community.document_loaders", "langchain_community.vectorstores"),
    "langchain-core": ("langchain_core.messages", "langchain_core.prompts"),
    "langchain-openai": ("langchain_openai",),
    "langgraph": ("langgraph.graph",),
    "ldap3": ("ldap3",),
    "lightgbm": ("lightgbm",),
    "litellm": ("litellm",),
    "llama-index-core": ("llama_index.core",),
    "lxml": ("lxml.etree", "lxml.html"),
    "mangum": ("mangum",),
    "marshmallow": ("marshmallow",),
    "matplotlib": ("matplotlib", "matplotlib.pyplot"),
    "mcp": ("mcp",),
    "motor": ("motor.motor_asyncio",),
    "msgpack": ("msgpack",),
    "mysql-connector-python": ("mysql.connector",),
    "neo4j": ("neo4j",),
    "networkx": ("networkx",),
    "newrelic": ("newrelic.agent",),
    "nltk": ("nltk",),
    "numba": ("numba",),
    "numpy": ("numpy",),
    "onnxruntime": ("onnxruntime",),
    "openai": ("openai",),
    "opencv-python-headless": ("cv2",),
    "openpyxl": ("openpyxl",),
    "opensearch-py": ("opensearchpy",),
    "opentelemetry-sdk": ("opentelemetry.sdk", "opentelemetry.sdk.trace"),
    "oracledb": ("oracledb",),
    "orjson": ("orjson",),
    "pandas": ("pandas",),
    "paramiko": ("paramiko",),
    "pdfminer-six": ("pdfminer.high_level",),
    "pdfplumber": ("pdfplumber",),
    "pendulum": ("pendulum",),
    "pg8000": ("pg8000",),
    "phonenumbers": ("phonenumbers",),
    "pika": ("pika",),
    "pillow": ("PIL", "PIL.Image"),
    "pinecone": ("pinecone",),
    "playwright": ("playwright.sync_api",),
    "plotly": ("plotly", "plotly.graph_objects"),
    "polars": ("polars",),
    "protobuf": ("google.protobuf.json_format",),
    "psycopg2-binary": ("psycopg2",),
    "psycopg[binary]": ("psycopg",),
    "pyarrow": ("pyarrow", "pyarrow.parquet"),
    "pyathena": ("pyathena",),
    "pydantic": ("pydantic",),
    "pydantic-settings": ("pydantic_settings",),
    "pygithub": ("github",),
    "pyjwt": ("jwt",),
    "pymongo": ("pymongo",),
    "pymupdf": ("fitz", "pymupdf"),
    "pymysql": ("pymysql",),
    "pynamodb": ("pynamodb", "pynamodb.models"),
    "pypdf": ("pypdf",),
    "pyproj": ("pyproj",),
    "python-dateutil": ("dateutil.parser",),
    "python-docx": ("docx",),
    "python-gitlab": ("gitlab",),
    "python-jose": ("jose.jwt",),
    "python-pptx": ("pptx",),
    "python-telegram-bot": ("telegram", "telegram.ext"),
    "pytz": ("pytz",),
    "pyyaml": ("yaml",),
    "rasterio": ("rasterio",),
    "redis": ("redis",),
    "redshift-connector": ("redshift_connector",),
    "reportlab": ("reportlab.pdfgen.canvas", "reportlab.platypus"),
    "requests": ("requests",),
    "requests-oauthlib": ("requests_oauthlib",),
    "rich": ("rich.console",),
    "ruamel-yaml": ("ruamel.yaml",),
    "s3fs": ("s3fs",),
    "scikit-image": ("skimage",),
    "scikit-learn": ("sklearn", "sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics"),
    "scipy": ("scipy", "scipy.optimize", "scipy.signal", "scipy.sparse", "scipy.spatial", "scipy.stats"),
    "scrapy": ("scrapy",),
    "seaborn": ("seaborn",),
    "selenium": ("selenium.webdriver",),
    "sendgrid": ("sendgrid",),
    "sentry-sdk": ("sentry_sdk",),
    "shapely": ("shapely", "shapely.geometry"),
    "simple-salesforce": ("simple_salesforce",),
    "slack-bolt": ("slack_bolt",),
    "slack-sdk": ("slack_sdk",),
    "snowflake-connector-python": ("snowflake.connector",),
    "spacy": ("spacy",),
    "sqlalchemy": ("sqlalchemy", "sqlalchemy.orm"),
    "sqlglot": ("sqlglot",),
    "sqlmodel": ("sqlmodel",),
    "starlette": ("starlette.applications",),
    "statsmodels": ("statsmodels.api",),
    "strands-agents": ("strands",),
    "stripe": ("stripe",),
    "sympy": ("sympy",),
    "tenacity": ("tenacity",),
    "textblob": ("textblob",),
    "tiktoken": ("tiktoken",),
    "tldextract": ("tldextract",),
    "toml": ("toml",),
    "transformers": ("transformers",),
    "tweepy": ("tweepy",),
    "twilio": ("twilio.rest",),
    "ujson": ("ujson",),
    "urllib3": ("urllib3",),
    "weaviate-client": ("weaviate",),
    "xarray": ("xarray",),
    "xgboost-cpu": ("xgboost",),
    "xlsxwriter": ("xlsxwriter",),
    "xmltodict": ("xmltodict",),
    "yfinance": ("yfinance",),
    "zeep": ("zeep",),
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
# ms: processor time (user and system) of the import alone, the least of {runs} fresh processes with compiled bytecode
# and warm files, one thread.  One vCPU of Lambda (1,769 MB) is taken to be as fast as the measuring machine; with less
# memory it takes so much longer.
# cold_ms: the same without bytecode of the package and what it needs, the least of {cold_runs}; Lambda keeps none that
# it compiles, so that this is the price of every cold start of what was packed without.
# mb: the unpacked size of the distribution and all that it needs, in MiB, without bytecode and without boto3, which
# the runtime brings.
# loads: the other modules of this table that importing it imports.

as_of = {day}
python = "{python}"
machine = "{machine}"
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table."""

    module: str
    distribution: str
    version: str
    ms: float
    cold_ms: float
    mb: float
    loads: tuple[str, ...]

    def __str__(self) -> str:
        of = f'distribution = "{self.distribution}", version = "{self.version}"'
        costs = f"ms = {self.ms}, cold_ms = {self.cold_ms}, mb = {self.mb}"
        return f'"{self.module}" = {{ {of}, {costs}, loads = {json.dumps(self.loads)} }}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure with")
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--jobs", type=int, default=1, help="how many distributions to measure at a time")
    parser.add_argument(
        "--compare", action="store_true", help="hold the order of a fresh measurement against the table"
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="compare only each Nth distribution")
    options = parser.parse_args()
    if options.compare:
        sys.exit(_compared(options.python, options.jobs, options.every))
    rows = _all_imports(options.python, {wanted: wanted for wanted in MODULES}, options.jobs)
    constructing = [
        f'"{name}" = {ms}'
        for wanted, made in CONSTRUCTORS.items()
        for name, ms in _constructing(options.python, wanted, made)
    ]
    day, version = datetime.now(UTC).date(), _version(options.python)
    head = _HEAD.format(runs=RUNS, cold_runs=COLD_RUNS, day=day, python=version, machine=_machine())
    text = "\n".join((head, "[imports]", *sorted(map(str, rows)), "", "[constructing]", *sorted(constructing), ""))
    options.out.write_text(text, encoding="utf-8")


def _compared(python: str, jobs: int, every: int) -> int:
    """Print how far the order of the table is that of a fresh measurement; 1 when it is not."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))["imports"]
    versions = {row["distribution"]: row["version"] for row in table.values()}
    wanted = [each for each in MODULES if each.partition("[")[0] in versions][::every]
    fresh = _all_imports(python, {each: f"{each}=={versions[each.partition('[')[0]]}" for each in wanted}, jobs)
    agreed = True
    for kind in ("ms", "cold_ms"):
        pairs = {row.module: (float(table[row.module][kind]), float(getattr(row, kind))) for row in fresh}
        correlation = _rank_correlation(pairs.values())
        clear, swapped = _swapped(pairs)
        print(
            f"{kind}: {len(pairs)} modules, rank correlation {correlation:.4f}; of {clear:,} pairs of which one costs"
        )
        print(f"  {CLEARLY} times the other or more, {len(swapped)} are the other way round now")
        for cheap, dear in swapped[:20]:
            print(f"  {cheap} {pairs[cheap][0]} -> {pairs[cheap][1]}, {dear} {pairs[dear][0]} -> {pairs[dear][1]}")
        agreed = agreed and correlation >= 0.95
    return 0 if agreed else 1


def _rank_correlation(pairs: Iterable[tuple[float, float]]) -> float:
    """Spearman's, of the first with the second of each pair."""
    first, second = zip(*pairs, strict=True)
    return statistics.correlation(_ranks(first), _ranks(second))


def _ranks(values: tuple[float, ...]) -> list[float]:
    """The place of each in the order of all, the mean of their places for equal ones."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values)):
        places.setdefault(value, []).append(place)
    return [statistics.mean(places[value]) for value in values]


def _swapped(pairs: Mapping[str, tuple[float, float]]) -> tuple[int, list[tuple[str, str]]]:
    """How many pairs are clearly apart at first, and those of them whose order is another then."""
    apart = [
        (cheap, dear)
        for cheap, (low, _) in pairs.items()
        for dear, (high, _) in pairs.items()
        if high >= CLEARLY * low > 0
    ]
    return len(apart), [(cheap, dear) for cheap, dear in apart if pairs[cheap][1] > pairs[dear][1]]


def _all_imports(python: str, requirements: Mapping[str, str], jobs: int) -> list[Measured]:
    """The rows of all *requirements*, by the names they have in :data:`MODULES`."""

    def rows(wanted: str) -> list[Measured]:
        found = list(_imports(python, requirements[wanted], MODULES[wanted]))
        print(f"{wanted}: {', '.join(f'{row.module} {row.ms} ms' for row in found)}", file=sys.stderr, flush=True)
        return found

    with ThreadPoolExecutor(jobs) as pool:
        return [row for found in pool.map(rows, requirements) for row in found]


def _imports(python: str, wanted: str, modules: tuple[str, ...]) -> Iterator[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        interpreter = _environment(python, Path(folder), (wanted,))
        if interpreter is None:
            return
        name = wanted.partition("==")[0].partition("[")[0]
        version = _run(interpreter, f"import importlib.metadata as m; print(m.version('{name}'))")
        size = _size_mb(Path(folder), with_boto3=name == "boto3")
        warm = {module: _measured(interpreter, _IMPORT.format(module=module), RUNS) for module in modules}
        loaded = {
            module: set(_run(interpreter, f"import sys, {module}; print(*sys.modules)").split())
            for module, ms in warm.items()
            if ms is not None
        }
        _remove_bytecode(Path(folder))
        for module, there in loaded.items():
            ms, cold_ms = warm[module], _measured(interpreter, _IMPORT.format(module=module), COLD_RUNS)
            if ms is not None and cold_ms is not None:
                loads = tuple(sorted(each for each in _ALL & there if not f"{module}.".startswith(f"{each}.")))
                yield Measured(module, name, version, ms, cold_ms, size, loads)


def _remove_bytecode(folder: Path) -> None:
    """Remove that of the packages; the standard library keeps its own, as it does in Lambda."""
    for cache in list(folder.glob("lib/*/site-packages/**/__pycache__")):
        shutil.rmtree(cache)


def _constructing(
    python: str, wanted: tuple[str, ...], made: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        interpreter = _environment(python, Path(folder), wanted)
        for name, (setup, make) in made.items() if interpreter is not None else ():
            assert interpreter is not None
            ms = _measured(interpreter, _CONSTRUCT.format(setup=setup, make=make), RUNS)
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


def _measured(interpreter: Path, code: str, runs: int) -> float | None:
    """The least milliseconds that *code* prints in seconds; ``None`` when it fails."""
    try:
        seconds = [float(_run(interpreter, code)) for _ in range(runs + 1)]
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"{code}: {str(error.stderr).strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    ms = min(seconds) * 1000
    return round(ms) if ms >= 10 else round(ms, 1)


def _run(interpreter: Path, code: str) -> str:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    keys = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
    environment = {**os.environ, **threads, **keys, "PYTHONDONTWRITEBYTECODE": "1"}
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
