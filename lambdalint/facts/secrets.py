"""Whether a text is a secret, by its form, or by the name it stands under."""

import re
from collections import Counter
from math import log2
from typing import Final

from lambdalint.aws.secrets import (
    SecretFormat,
    harmless_names,
    local_hosts,
    placeholder_words,
    secret_access_key,
    secret_formats,
    sensitive_names,
    throwaway_passwords,
)

#: AWS's documentation uses it; it opens nothing.
_DOCUMENTED: Final = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
_MIN_LITERAL_CHARACTERS: Final = 8
_MIN_LITERAL_ENTROPY_BITS: Final = 3.0

_FILLED_IN_LATER = re.compile(r"\$\{|\{\{|<[^>]*>|%\(|^\$\w+$|^%\w+%$|\.\.\.|\*\*\*|…")
_REPEATED = re.compile(r"(.)\1{4}")
_RUNS: Final = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "9876543210", "qwertyuiop")
_RUN_LENGTH: Final = 6

#: Names of things, URLs (those with a password have a format), and KMS ciphertext.
_REFERENCE = re.compile(r"arn:|alias/|[a-z][\w+.-]*://|AQICAH", re.IGNORECASE)
_PATH = re.compile(r"(?:[A-Za-z]:)?[.~]{0,2}[/\\].*|[\w.-]+\.(?:pem|key|json|ya?ml|env|txt|crt|cer|p12|jks)")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+){2,}(?::\d+)?(?:/\S*)?")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: Words with something between them, digits only as words of their own: ``prod/orders-db/v2``, ``OrdersApiKey``.
_WORDS = re.compile(r"[A-Za-z]+(?:[-_./: ,]+(?:[A-Za-z]+|v?\d{1,4}))*")
_PASSWORD_NAME = re.compile(r"pass|pwd", re.IGNORECASE)
_KEY_REFERENCE_NAME = re.compile(r"encrypt|kms|cmk|master", re.IGNORECASE)


def secret_format(text: str) -> SecretFormat | None:
    """The format of the secret in *text*; ``None`` when there is none, or one that is made up."""
    for form in secret_formats():
        if not any(hint in text for hint in form.hints):
            continue
        for match in re.finditer(form.regex, text):
            if not _is_made_up(match, form):
                return form
    return None


def is_secret_access_key(text: str) -> bool:
    """Whether *text* has the form of AWS's secret access key, which says something only beside an access key id."""
    regex, floor = secret_access_key()
    return bool(re.fullmatch(regex, text)) and entropy_bits(text) >= floor and not is_placeholder(text)


def is_literal_secret(name: str, text: str) -> bool:
    """Whether *text* under *name* is a secret of no known format, rather than a placeholder or what names a secret."""
    if not is_sensitive_name(name) or len(text) < _MIN_LITERAL_CHARACTERS:
        return False
    if entropy_bits(text) < _MIN_LITERAL_ENTROPY_BITS or is_placeholder(text):
        return False
    if _REFERENCE.match(text) or _PATH.fullmatch(text) or _HOST.fullmatch(text):
        return False
    if _UUID.fullmatch(text) and _KEY_REFERENCE_NAME.search(name):
        return False
    return bool(_PASSWORD_NAME.search(name)) or not _WORDS.fullmatch(text)


def is_sensitive_name(name: str) -> bool:
    """Whether a variable of that name should hold a secret, and not where one is or how long it lasts."""
    return bool(sensitive_names().search(name)) and not harmless_names().search(name)


def is_placeholder(text: str) -> bool:
    """Whether somebody is to put something else in the place of *text*."""
    lowered = text.strip().lower()
    if not lowered or text in _DOCUMENTED or lowered in throwaway_passwords():
        return True
    if _FILLED_IN_LATER.search(text) or placeholder_words().search(text) or _REPEATED.search(text):
        return True
    return any(
        run[start : start + _RUN_LENGTH] in lowered for run in _RUNS for start in range(len(run) - _RUN_LENGTH + 1)
    )


def entropy_bits(text: str) -> float:
    """Shannon's entropy per character."""
    total = len(text)
    return -sum(count / total * log2(count / total) for count in Counter(text).values()) if total else 0.0


def _is_made_up(match: re.Match[str], form: SecretFormat) -> bool:
    parts = match.groupdict()
    if (parts.get("host") or "").lower() in local_hosts():
        return True
    text = parts.get("secret") or match.group()
    if entropy_bits(text) < form.min_entropy_bits:
        return True
    for hint in form.hints:
        text = text.replace(hint, "", 1)
    # A format may be all hint: then there is nothing that anyone could have filled in.
    return bool(text) and is_placeholder(text)
