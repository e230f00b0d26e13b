"""A secret or parameter that every invocation fetches costs a call, and time, for what changes once in weeks.

Both services bill calls and throttle them, long before Lambda runs out of environments.  A value that is kept for some
minutes in the environment is as good: Powertools, AWS's caching client and the extension for parameters and secrets
keep it by themselves.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
"""

import re
from collections.abc import Mapping
from typing import Final

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.expressions import Literal
from lambdalint.facts.kept import Kept
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Function, PerModule, Problem, Problems, Severity, rule
from lambdalint_rules.handler.certain import certain_calls, entries, is_constant, is_scheduled, is_unconditional
from lambdalint_rules.handler.samples import orders

BAD = """\
import os
import boto3
from aws_lambda_powertools.utilities import parameters
from store import password

ssm = boto3.client("ssm")

def handler(event, context):
    try:
        host = ssm.get_parameter(Name=os.environ["HOST"], WithDecryption=True)  # finding
    except ssm.exceptions.ParameterNotFound:
        raise
    flags = parameters.get_parameter("/orders/flags", max_age=0)  # finding
    return host, flags, password()
"""
STORE = """\
import boto3

def secret(name):
    client = boto3.Session().client("secretsmanager")
    return client.get_secret_value(SecretId=name)  # finding

def password():
    return secret("orders")["SecretString"]
"""
CACHED = """\
import functools
import os
import time
import boto3
from aws_lambda_powertools.utilities import parameters
from aws_secretsmanager_caching import SecretCache

secrets = boto3.client("secretsmanager")
ssm = boto3.client("ssm")
cache = SecretCache()
HOST = ssm.get_parameter(Name="/orders/host")
_password = None
_fetched = 0.0
_values = {}

@functools.lru_cache
def token():
    return secrets.get_secret_value(SecretId="token")

def password():
    global _password
    if _password is None:
        _password = secrets.get_secret_value(SecretId="orders")
    return _password

def fresh():
    global _password, _fetched
    if time.time() - _fetched > 300:
        _password, _fetched = secrets.get_secret_value(SecretId="orders"), time.time()
    return _password

def value(name):
    if name in _values:
        return _values[name]
    _values[name] = ssm.get_parameter(Name=name)
    return _values[name]

def handler(event, context):
    tenant = secrets.get_secret_value(SecretId=event["tenant"])
    flags = parameters.get_parameter("/orders/flags", max_age=300)
    if event.get("refresh") and os.environ.get("STAGE") == "dev":
        secrets.get_secret_value(SecretId="orders")
    return tenant, flags, token(), password(), fresh(), value("a"), cache.get_secret_string("orders"), HOST
"""
ROTATION = """\
import boto3

secrets = boto3.client("secretsmanager")

def handler(event, context):
    current = secrets.get_secret_value(SecretId="orders")
    secrets.put_secret_value(SecretId="orders", SecretString="next")
    return current
"""
CURSOR = """\
import boto3

ssm = boto3.client("ssm")

def handler(event, context):
    last = ssm.get_parameter(Name="/orders/last")
    ssm.put_parameter(Name="/orders/last", Value="1", Overwrite=True)
    return last
"""
NIGHTLY = "      Events: {Nightly: {Type: Schedule, Properties: {Schedule: rate(5 minutes)}}}\n"

_READS: Final[Mapping[str, tuple[str, ...]]] = {
    "appconfig": ("get_configuration",),
    "secretsmanager": ("batch_get_secret_value", "get_secret_value"),
    "ssm": ("get_parameter", "get_parameters", "get_parameters_by_path"),
}
_WRITES: Final[Mapping[str, tuple[str, ...]]] = {
    "appconfig": (),
    "secretsmanager": ("put_secret_value", "rotate_secret", "update_secret", "update_secret_version_stage"),
    "ssm": ("put_parameter",),
}
_CLIENT_CALL: Final = re.compile(r"(?:boto3\.|.*Session\(\)\.)client\((\w+)\)\.(\w+)")
_POWERTOOLS: Final = re.compile(r"aws_lambda_powertools\.utilities\.parameters\.(?:\w+\.)?get_\w+")


@rule(
    "LI006",
    "secret-per-invocation",
    severity=Severity.WARNING,
    since="0.1.0",
    bad=orders(BAD, store=STORE),
    good=(
        orders(CACHED),
        orders(ROTATION),
        orders(CURSOR),
        orders(BAD.replace("  # finding", ""), NIGHTLY, store=STORE.replace("  # finding", "")),
    ),
)
def check(
    function: Function,
    calls: PathCalls,
    kept: Kept,
    arguments: PerModule[Arguments],
    symbols: PerModule[Symbols],
) -> Problems:
    if is_scheduled(function):
        return
    written = {service for each in calls.calls for service, method in _called(each) if method in _WRITES[service]}
    for each in certain_calls(calls, "invoke", entries(function, calls, symbols), is_unconditional):
        if (each.path, each.call.scope) in kept.scopes or not is_constant(each, arguments):
            continue
        fetched = [method for service, method in _called(each) if method in _READS[service] and service not in written]
        if fetched:
            what = f"{fetched[0]}() runs on every invocation; nothing caches it"
        elif _asks_for_no_cache(each):
            what = f"{(each.name or '').rpartition('.')[2]}() is told to fetch anew on every invocation"
        else:
            continue
        yield Problem(
            each.call.span,
            what,
            related=calls.way(each),
            hint="keep the value for some minutes, as Powertools' parameters do",
        )


def _called(each: PathCall) -> tuple[tuple[str, str], ...]:
    """The service and the method that a call of a client names, of the services that matter here."""
    found = _CLIENT_CALL.fullmatch(each.name or "")
    return ((found[1], found[2]),) if found is not None and found[1] in _READS else ()


def _asks_for_no_cache(each: PathCall) -> bool:
    if not _POWERTOOLS.fullmatch(each.name or ""):
        return False
    keywords = each.call.keywords
    return keywords.get("max_age") == Literal(0) or keywords.get("force_fetch") == Literal(True)
