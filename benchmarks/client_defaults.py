"""Hold ``lambdalint/facts/clients.toml`` against the libraries that it is about.

    python -m benchmarks.client_defaults --python python3.12

The libraries are installed into an environment of their own, at the versions of the table.  Then every constructor is
called in a process of its own, with the address of a server that takes connections and never says a word, or, where
only connecting is bounded, does not even take them:

- whether it connects is what the server sees, and whether it waits is whether it comes back; what a thread of its own
  does meanwhile keeps nobody waiting;
- that it heeds its keyword, in that unit, is whether it, or the first call of what it makes, gives up in time;
- its default is read off the library where there is a place to read it, and else only seen: a client that is still
  waiting waits longer than that.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).parents[1] / "lambdalint" / "facts" / "clients.toml"
#: How long a client is watched that may wait for ever, and how long one may take that is told to wait a second.
WATCHED_S: Final = 4
IN_TIME_S: Final = 15
#: What the drivers need besides themselves.
ALSO: Final = ("psycopg-binary", "cryptography")


@dataclass(frozen=True, slots=True)
class Probe:
    """How to call a constructor with the silent server's address, the default that its library states, and a first
    call of what it makes, ``made``.
    """

    arguments: str
    default: str | None = None
    use: str | None = None
    #: What to import besides the module of the constructor.
    setup: str = ""
    is_coroutine: bool = False


def _parameter(callee: str, name: str) -> str:
    return f"inspect.signature({callee}).parameters[{name!r}].default"


_AT: Final = "'127.0.0.1', port=PORT"
_URL: Final = "f'http://127.0.0.1:{PORT}'"
_OF_SOCKETS: Final = "socket.getdefaulttimeout()"

PROBES: Final[Mapping[str, Probe]] = {
    "requests.Session": Probe("", _parameter("requests.Session.request", "timeout"), f"made.get({_URL}, timeout=1)"),
    "httpx.Client": Probe("", _parameter("httpx.Client", "timeout") + ".read", f"made.get({_URL})"),
    "httpx.AsyncClient": Probe(
        "", _parameter("httpx.AsyncClient", "timeout") + ".read", f"asyncio.run(made.get({_URL}))"
    ),
    "aiohttp.ClientSession": Probe("", "aiohttp.client.DEFAULT_TIMEOUT.total"),
    "urllib3.PoolManager": Probe(
        "", "urllib3.HTTPConnectionPool('h').timeout.read_timeout", f"made.request('GET', {_URL})"
    ),
    "urllib3.HTTPConnectionPool": Probe(
        _AT, "urllib3.HTTPConnectionPool('h').timeout.read_timeout", "made.request('GET', '/')"
    ),
    "urllib3.HTTPSConnectionPool": Probe(
        _AT, "urllib3.HTTPSConnectionPool('h').timeout.read_timeout", "made.request('GET', '/')"
    ),
    "urllib.request.urlopen": Probe(_URL, _OF_SOCKETS),
    "http.client.HTTPConnection": Probe(_AT, _OF_SOCKETS, "made.request('GET', '/') or made.getresponse()"),
    "http.client.HTTPSConnection": Probe(_AT, _OF_SOCKETS, "made.request('GET', '/') or made.getresponse()"),
    "xmlrpc.client.ServerProxy": Probe(_URL, _OF_SOCKETS),
    "socket.create_connection": Probe("('127.0.0.1', PORT)", _OF_SOCKETS, "made.recv(1)"),
    "smtplib.SMTP": Probe(_AT, _OF_SOCKETS),
    "smtplib.SMTP_SSL": Probe(_AT, _OF_SOCKETS),
    "ftplib.FTP": Probe("'127.0.0.1'", _OF_SOCKETS, setup="ftplib.FTP.port = PORT"),
    "ftplib.FTP_TLS": Probe("'127.0.0.1'", _OF_SOCKETS, setup="ftplib.FTP.port = PORT"),
    "imaplib.IMAP4": Probe(_AT, _parameter("imaplib.IMAP4", "timeout")),
    "imaplib.IMAP4_SSL": Probe(_AT, _parameter("imaplib.IMAP4_SSL", "timeout")),
    "poplib.POP3": Probe(_AT, _OF_SOCKETS),
    "poplib.POP3_SSL": Probe(_AT, _OF_SOCKETS),
    "paramiko.SSHClient().connect": Probe(_AT, _parameter("paramiko.SSHClient.connect", "timeout")),
    "fabric.Connection": Probe(_AT, "fabric.Config().timeouts.connect"),
    "ldap3.Server": Probe(
        _AT,
        _parameter("ldap3.Server", "connect_timeout"),
    ),
    "psycopg2.connect": Probe("host='127.0.0.1', port=PORT"),
    "psycopg2.pool.SimpleConnectionPool": Probe("1, 2, host='127.0.0.1', port=PORT", setup="import psycopg2.pool"),
    "psycopg2.pool.ThreadedConnectionPool": Probe("1, 2, host='127.0.0.1', port=PORT", setup="import psycopg2.pool"),
    "psycopg.connect": Probe("host='127.0.0.1', port=PORT", "psycopg.conninfo._DEFAULT_CONNECT_TIMEOUT"),
    "psycopg.Connection.connect": Probe("host='127.0.0.1', port=PORT", "psycopg.conninfo._DEFAULT_CONNECT_TIMEOUT"),
    "psycopg_pool.ConnectionPool": Probe(
        "f'host=127.0.0.1 port={PORT}', open=True",
        _parameter("psycopg_pool.ConnectionPool", "timeout"),
        "made.getconn()",
    ),
    "asyncpg.connect": Probe(
        "host='127.0.0.1', port=PORT, user='u', password='p', ssl=False",
        _parameter("asyncpg.connect", "timeout"),
        is_coroutine=True,
    ),
    "pg8000.connect": Probe("'u', host='127.0.0.1', port=PORT", _parameter("pg8000.connect", "timeout")),
    "pg8000.dbapi.connect": Probe("'u', host='127.0.0.1', port=PORT", _parameter("pg8000.dbapi.connect", "timeout")),
    "pg8000.native.Connection": Probe(
        "'u', host='127.0.0.1', port=PORT", _parameter("pg8000.core.CoreConnection.__init__", "timeout")
    ),
    "redshift_connector.connect": Probe(
        "host='127.0.0.1', port=PORT, user='u', password='p', database='d', ssl=False",
        _parameter("redshift_connector.connect", "timeout"),
    ),
    "pymysql.connect": Probe(
        "host='127.0.0.1', port=PORT, read_timeout=9", _parameter("pymysql.connect", "connect_timeout")
    ),
    "mysql.connector.connect": Probe(
        "host='127.0.0.1', port=PORT, use_pure=True",
        "mysql.connector.connection.MySQLConnection()._connection_timeout",
    ),
    "aiomysql.connect": Probe(
        "host='127.0.0.1', port=PORT", _parameter("aiomysql.connect", "connect_timeout"), is_coroutine=True
    ),
    "pymssql.connect": Probe(
        "server='127.0.0.1', port=PORT, user='u', password='p'", _parameter("pymssql.connect", "login_timeout")
    ),
    "oracledb.connect": Probe(
        "host='127.0.0.1', port=PORT, service_name='s', user='u', password='p'",
        "oracledb.ConnectParams().tcp_connect_timeout",
    ),
    "clickhouse_connect.get_client": Probe(
        "host='127.0.0.1', port=PORT, send_receive_timeout=1",
        _parameter("clickhouse_connect.driver.httpclient.HttpClient.__init__", "connect_timeout"),
        setup="import clickhouse_connect.driver.httpclient",
    ),
    "clickhouse_driver.Client": Probe(
        "host='127.0.0.1', port=PORT, send_receive_timeout=1, sync_request_timeout=1",
        _parameter("clickhouse_driver.connection.Connection.__init__", "connect_timeout"),
        "made.execute('SELECT 1')",
    ),
    "trino.dbapi.connect": Probe(
        "host='127.0.0.1', port=PORT, max_attempts=1",
        "trino.constants.DEFAULT_REQUEST_TIMEOUT",
        "made.cursor().execute('SELECT 1')",
        setup="import trino.constants",
    ),
    "pymongo.MongoClient": Probe(_AT, "pymongo.common.SERVER_SELECTION_TIMEOUT", "made.server_info()"),
    "motor.motor_asyncio.AsyncIOMotorClient": Probe(
        _AT, "pymongo.common.SERVER_SELECTION_TIMEOUT", setup="import pymongo.common"
    ),
    "redis.Redis": Probe(
        f"{_AT}, socket_timeout=1, retry=None", _parameter("redis.Redis", "socket_connect_timeout"), "made.ping()"
    ),
    "redis.StrictRedis": Probe(
        f"{_AT}, socket_timeout=1, retry=None", _parameter("redis.Redis", "socket_connect_timeout"), "made.ping()"
    ),
    "redis.from_url": Probe(
        "f'redis://127.0.0.1:{PORT}', socket_timeout=1, retry=None",
        _parameter("redis.connection.AbstractConnection", "socket_connect_timeout"),
        "made.ping()",
    ),
    "redis.cluster.RedisCluster": Probe(
        "host='127.0.0.1', port=PORT, socket_timeout=1",
        _parameter("redis.connection.AbstractConnection", "socket_connect_timeout"),
    ),
    "redis.asyncio.Redis": Probe("host='127.0.0.1'", _parameter("redis.asyncio.Redis", "socket_connect_timeout")),
    "valkey.Valkey": Probe(
        f"{_AT}, socket_timeout=1", _parameter("valkey.Valkey", "socket_connect_timeout"), "made.ping()"
    ),
    "elasticsearch.Elasticsearch": Probe(
        f"{_URL}, max_retries=0",
        _parameter("elastic_transport.NodeConfig", "request_timeout"),
        "made.info()",
        setup="import elastic_transport",
    ),
    "opensearchpy.OpenSearch": Probe(
        "[{'host': '127.0.0.1', 'port': PORT}], max_retries=0",
        _parameter("opensearchpy.connection.base.Connection.__init__", "timeout"),
        "made.info()",
    ),
    "cassandra.cluster.Cluster": Probe(
        "['127.0.0.1'], port=PORT, control_connection_timeout=1",
        "cassandra.cluster.Cluster.connect_timeout",
        "made.connect()",
    ),
    "neo4j.GraphDatabase.driver": Probe(
        "f'bolt://127.0.0.1:{PORT}'",
        "neo4j._sync.config.PoolConfig.connection_timeout",
        setup="import neo4j._sync.config",
    ),
    "influxdb_client.InfluxDBClient": Probe(
        f"{_URL}, 't', org='o', retries=False",
        _parameter("influxdb_client.InfluxDBClient", "timeout") + " / 1000",
        "made.query_api().query('x')",
    ),
    "pymemcache.client.base.Client": Probe(
        "('127.0.0.1', PORT), timeout=1",
        _parameter("pymemcache.client.base.Client", "connect_timeout"),
        "made.get('k')",
    ),
    "kafka.KafkaProducer": Probe(
        "bootstrap_servers=[f'127.0.0.1:{PORT}']", "kafka.KafkaProducer.DEFAULT_CONFIG['bootstrap_timeout_ms'] / 1000"
    ),
    "kafka.KafkaConsumer": Probe(
        "bootstrap_servers=[f'127.0.0.1:{PORT}']", "kafka.KafkaConsumer.DEFAULT_CONFIG['bootstrap_timeout_ms'] / 1000"
    ),
    "pika.ConnectionParameters": Probe(
        "'127.0.0.1', PORT, stack_timeout=1, connection_attempts=1",
        "pika.ConnectionParameters.DEFAULT_SOCKET_TIMEOUT",
        "pika.BlockingConnection(made)",
    ),
    "nats.connect": Probe(
        "f'nats://127.0.0.1:{PORT}', allow_reconnect=False, max_reconnect_attempts=0",
        "nats.aio.client.DEFAULT_CONNECT_TIMEOUT",
        is_coroutine=True,
    ),
    "botocore.config.Config": Probe(
        "retries={'total_max_attempts': 1}",
        "botocore.config.Config.OPTION_DEFAULTS['read_timeout']",
        "botocore.session.get_session().create_client('sts', region_name='eu-west-1', config=made,"
        f" aws_access_key_id='a', aws_secret_access_key='b', endpoint_url={_URL}).get_caller_identity()",
        setup="import botocore.session",
    ),
    "openai.OpenAI": Probe(
        f"api_key='k', base_url={_URL}, max_retries=0", "openai.DEFAULT_TIMEOUT.read", "made.models.list()"
    ),
    "openai.AsyncOpenAI": Probe(
        f"api_key='k', base_url={_URL}, max_retries=0",
        "openai.DEFAULT_TIMEOUT.read",
    ),
    "anthropic.Anthropic": Probe(
        f"api_key='k', base_url={_URL}, max_retries=0", "anthropic.DEFAULT_TIMEOUT.read", "made.models.list()"
    ),
    "anthropic.AsyncAnthropic": Probe(
        f"api_key='k', base_url={_URL}, max_retries=0",
        "anthropic.DEFAULT_TIMEOUT.read",
    ),
    "slack_sdk.WebClient": Probe(
        f"'t', base_url={_URL} + '/'", _parameter("slack_sdk.WebClient", "timeout"), "made.api_test()"
    ),
    "slack_sdk.webhook.WebhookClient": Probe(
        _URL, _parameter("slack_sdk.webhook.WebhookClient", "timeout"), "made.send(text='x')"
    ),
    "twilio.rest.Client": Probe("'u', 'p'", "twilio.rest.Client('u', 'p').http_client.timeout"),
    "twilio.http.http_client.TwilioHttpClient": Probe(
        "", _parameter("twilio.http.http_client.TwilioHttpClient", "timeout"), f"made.request('GET', {_URL})"
    ),
    "sendgrid.SendGridAPIClient": Probe("'k'", "sendgrid.SendGridAPIClient('k').client.timeout"),
    "stripe.RequestsClient": Probe(
        "", _parameter("stripe.RequestsClient", "timeout"), f"made.request('get', {_URL}, {{}})"
    ),
    "hvac.Client": Probe(_URL, _parameter("hvac.Client", "timeout"), "made.sys.read_health_status()"),
    "github.Github": Probe(
        f"base_url={_URL}, retry=None", _parameter("github.Github", "timeout"), "made.get_rate_limit()"
    ),
    "gitlab.Gitlab": Probe(_URL, _parameter("gitlab.Gitlab", "timeout"), "made.version() and made.http_get('/x')"),
    "jira.JIRA": Probe(f"{_URL}, max_retries=0", _parameter("jira.JIRA", "timeout")),
    "docker.from_env": Probe(
        "environment={'DOCKER_HOST': f'tcp://127.0.0.1:{PORT}'}, version='1.44'",
        "docker.constants.DEFAULT_TIMEOUT_SECONDS",
        "made.ping()",
    ),
    "zeep.transports.Transport": Probe("", _parameter("zeep.transports.Transport", "timeout"), f"made.load({_URL})"),
}

_RUN: Final = """\
import asyncio, inspect, json, socket, threading, time

server = socket.create_server(("127.0.0.1", 0))
PORT = server.getsockname()[1]
taken = []

def take():
    while True:
        taken.append(server.accept()[0])

threading.Thread(target=take, daemon=True).start()
import {module}
{setup}

def finished(work, seconds):
    "What became of work() within so many seconds, ``None`` for nothing, and what it returned."
    told = []

    def run():
        try:
            told.append(("returned", work()))
        except BaseException as error:
            told.append((f"{{type(error).__name__}}: {{error}}"[:200], None))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return told[0] if told else (None, None)

def make(**more):
    {make}

def deaf():
    "The port of a server that takes no connection."
    global server
    server = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = server.getsockname()[1]
    for _ in range(4):
        held.append(socket.socket())
        held[-1].setblocking(False)
        held[-1].connect_ex(("127.0.0.1", port))
    return port

seen, held, silent, use = {{}}, [server], PORT, {use!r}
if {bounding!r}:
    if {deaf}:
        PORT = deaf()
    start = time.monotonic()
    how, made = finished(lambda: make(**{bounding!r}), {in_time})
    if use and how == "returned":
        how, _ = finished(lambda: eval(use), {in_time})
    seen = {{"bounded": how is not None, "bounded_how": how, "bounded_s": round(time.monotonic() - start, 1)}}
PORT = silent
taken.clear()
how, made = finished(make, {watched})
time.sleep(0.2)
seen |= {{"connects": bool(taken), "waits": how is None, "how": how, "default": {default}}}
print("SEEN", json.dumps(seen), flush=True)
import os
os._exit(0)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to install the libraries for")
    parser.add_argument("--environment", type=Path, help="where the libraries are installed already")
    options = parser.parse_args()
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        environment = options.environment or _environment(options.python, Path(folder), table)
        interpreter = environment / "bin" / "python"
        with ThreadPoolExecutor(4) as pool:
            differing = [
                line
                for lines in pool.map(lambda name: _differences(interpreter, name, table[name]), table)
                for line in lines
            ]
    missing = sorted(table.keys() ^ PROBES.keys())
    for line in (*differing, *(f"{name}: in the table or here, not in both" for name in missing)):
        print(line)
    print(f"{len(table)} constructors, {len(differing) + len(missing)} differences")
    sys.exit(1 if differing or missing else 0)


def _environment(python: str, folder: Path, table: Mapping[str, Any]) -> Path:
    """A new environment with the releases of the table."""
    wanted = {f"{row['distribution']}=={row['version']}" for row in table.values() if row["distribution"] != "python"}
    subprocess.run(["uv", "venv", "--quiet", "--allow-existing", "--python", python, folder], check=True)
    install = ["uv", "pip", "install", "--quiet", "--only-binary", ":all:", "--python", str(folder / "bin" / "python")]
    subprocess.run([*install, *sorted(wanted), *ALSO], check=True)
    return folder


def _differences(interpreter: Path, name: str, row: Mapping[str, Any]) -> Iterator[str]:
    """What the library does otherwise than the table says."""
    probe = PROBES.get(name)
    if probe is None:
        return
    try:
        seen = _seen(interpreter, name, row, probe)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, ValueError) as error:
        yield f"{name}: cannot be tried: {str(getattr(error, 'stderr', '') or error).strip()[-300:]}"
        return
    stated = None if row["default_s"] == "never" else row["default_s"]
    if probe.default is not None and seen["default"] != stated:
        yield f"{name}: waits {seen['default']} s by default, not {row['default_s']}"
    if row["connects"] and not seen["connects"]:
        yield f"{name}: does not connect: {seen['how']}"
    if not row["connects"] and seen["waits"]:
        yield f"{name}: waits for the other side"
    if row["connects"] and stated is None and not seen["waits"] and probe.use is None:
        yield f"{name}: does not wait for ever: {seen['how']}"
    if seen.get("bounded") is False:
        yield f"{name}: does not heed {row['keyword']}"
    if str(seen.get("bounded_how", "")).startswith(("TypeError", "AttributeError", "NameError")):
        yield f"{name}: {row['keyword']} cannot be passed: {seen['bounded_how']}"


def _seen(interpreter: Path, name: str, row: Mapping[str, Any], probe: Probe) -> dict[str, Any]:
    module, callee = _module(name), name.replace("paramiko.SSHClient().", "client().")
    if name.startswith("aiohttp."):
        make = f"async def session():\n        return {callee}(**more)\n    return asyncio.run(session())"
    elif probe.is_coroutine:
        call = f"{callee}({probe.arguments}, **more)"
        make = f"async def awaited():\n        return await {call}\n    return asyncio.run(awaited())"
    else:
        make = f"return {callee}({probe.arguments}{', ' if probe.arguments else ''}**more)"
    setup = probe.setup
    if callee.startswith("client()."):
        setup = """\
def client():
    it = paramiko.SSHClient()
    it.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    return it
"""
    bounding = {row["keyword"]: 1000 if row.get("unit") == "ms" else 1} if "keyword" in row else {}
    if name.startswith("aiohttp."):
        bounding = {}
    code = _RUN.format(
        module=module,
        setup=setup,
        make=make,
        watched=WATCHED_S,
        in_time=IN_TIME_S,
        default=probe.default or "None",
        bounding=bounding,
        deaf=row.get("only_connecting", False),
        use=probe.use,
    )
    done = subprocess.run(
        [interpreter, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, timeout=90
    )
    found = next((line for line in done.stdout.splitlines() if line.startswith("SEEN ")), None)
    if found is None:
        raise ValueError(done.stderr)
    return json.loads(found.removeprefix("SEEN "))  # type: ignore[no-any-return]


def _module(name: str) -> str:
    """The module to import for a constructor: all in front of its first capital, or of its last part."""
    parts = name.replace("()", "").split(".")
    lower = [part for part in parts[:-1] if part.islower()]
    return ".".join(lower[: next((at for at, part in enumerate(parts) if not part.islower()), len(parts))]) or parts[0]


if __name__ == "__main__":
    main()
