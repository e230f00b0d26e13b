import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdalint.aws.secrets import SecretFormat, secret_formats
from lambdalint.facts.secrets import (
    entropy_bits,
    is_literal_secret,
    is_placeholder,
    is_secret_access_key,
    secret_format,
)

# In two parts, for scanners of this repository: none of these was ever valid.
STRIPE = "sk_live_" + "9fKq2ZtXw7LmB4cRv8NyG3sD"
GITHUB = "ghp_" + "9fKq2ZtXw7LmB4cRv8NyG3sDk6JfTa1UeHq5"


@pytest.mark.parametrize("form", secret_formats(), ids=lambda form: form.name)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_hint_stands_in_every_match(form: SecretFormat, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(form.regex), fullmatch=True))
    assert any(hint in text for hint in form.hints)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (STRIPE, "stripe-secret-key"),
        (f"prefix {GITHUB} suffix", "github-pat"),
        ("https://hooks.slack.com/services/" + "T7Q2ZK9XW/B4M8RJ1VD/hT3kq9ZpXw5LmB7cRv2NyG8s", "slack-webhook"),
        ("postgres://orders:hX7-qp2Zt9w@db.internal:5432/orders", "basic-auth-url"),
        ("redis://:hX7-qp2Zt9w@cache.internal", "basic-auth-url"),
        ("-----BEGIN " + "PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" + "AgEAAoIBAQ", "private-key"),
    ],
)
def test_a_secret_is_known_by_its_form(text: str, name: str) -> None:
    form = secret_format(text)
    assert form
    assert form.name == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
        "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz",
        "ghp_" + "a" * 36,
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaXXXX",
        "AIza" + "SyYOUR-KEY-HERE-your-key-here-000000",
        "postgres://orders:${DbPassword}@db.internal/orders",
        "postgres://user:password@db.internal/orders",
        "amqp://rabbit:hX7-qp2Zt9w@localhost:5672",
        "postgres://db.internal/orders",
        "https://example.com/a:b@c",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    ],
)
def test_what_is_made_up_is_no_secret(text: str) -> None:
    assert secret_format(text) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "h4mst3r-Wheel!"),
        ("DbPassword", "letmein-please"),
        ("PARTNER_API_KEY", "7f3a9c2e41d84b06a5"),
        ("JWT_SECRET", "k9/Qz+71xUe0VbYt"),
        ("CLIENT_SECRET", "3fd0b1c4-9a77-4e2e-8d7c-51b0a6f7e913"),
    ],
)
def test_a_value_under_a_telling_name_is_a_secret(name: str, value: str) -> None:
    assert is_literal_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TABLE", "k9/Qz+71xUe0VbYt"),
        ("DB_PASSWORD", "short"),
        ("DB_PASSWORD", "aaaaaaaaaaaa"),
        ("DB_PASSWORD", "<your password>"),
        ("DB_PASSWORD", "{{resolve:secretsmanager:x}}"),
        ("DB_PASSWORD_ARN", "k9/Qz+71xUe0VbYt"),
        ("DB_SECRET", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-a1B2c3"),
        ("DB_SECRET", "prod/orders-db/v2"),
        ("DB_SECRET", "OrdersDatabaseCredentials"),
        ("SSH_KEY", "/var/task/keys/id_ed25519"),
        ("PRIVATE_KEY", "keys/private-2.pem"),
        ("DATABASE_URL", "orders.c9akciq32.eu-central-1.rds.amazonaws.com:5432"),
        ("DATABASE_URL", "postgres://postgres:postgres@db/orders"),
        ("ENCRYPTION_KEY", "3fd0b1c4-9a77-4e2e-8d7c-51b0a6f7e913"),
        ("API_KEY", "KEYEXAMPLE1234"),
        ("GOOGLE_API_KEY", "AIzaXXXX"),
        ("MAX_TOKENS", "4096-8192-16384"),
        ("TOKEN_TTL", "86400 seconds 1"),
        ("DB_PASSWORD", "AQICAHh3kq9ZpXw5LmB7cRv2NyG8s"),
    ],
)
def test_what_only_looks_like_a_secret_is_none(name: str, value: str) -> None:
    assert not is_literal_secret(name, value)


def test_a_secret_access_key_has_forty_characters_of_high_entropy() -> None:
    assert is_secret_access_key("h7Qp2/Zt9XwLm4BcRv8+NyG3sDk6" + "JfTa1UeHq5Wz")
    assert not is_secret_access_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert not is_secret_access_key("a" * 40)


@given(st.text(max_size=300))
def test_any_text_can_be_judged(text: str) -> None:
    is_placeholder(text)
    is_literal_secret("PASSWORD", text)
    assert secret_format(text) is None or entropy_bits(text) > 0
