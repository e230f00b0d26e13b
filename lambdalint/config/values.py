"""Settings as TOML has them, each made into what the program uses, or refused in words that follow its name."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from enum import Enum
from typing import Any, Final, TypeVar

from lambdalint.errors import ConfigError

Choice = TypeVar("Choice", bound=Enum)

_ACCOUNT: Final = re.compile(r"\d{12}")


def names(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if isinstance(value, list):
        odd = next(each for each in value if not isinstance(each, str))
        raise ConfigError(f"must be a list of strings, but holds {described(odd)}")
    hint = f'write ["{value}"]' if isinstance(value, str) else None
    raise ConfigError(f"must be a list of strings, not {described(value)}", hint=hint)


def patterns(value: Any) -> tuple[str, ...]:
    found = names(value)
    for pattern in found:
        _check_pattern(pattern)
    return found


def _check_pattern(pattern: str) -> None:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        raise ConfigError(f"holds {pattern!r}, which is no pattern as git has them") from None


def names_by_pattern(value: Any) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ConfigError(
            f"must be a table of patterns, not {described(value)}", hint='for example "tests/**" = ["LG"]'
        )
    by_pattern = {}
    for pattern, given in value.items():
        _check_pattern(pattern)
        try:
            by_pattern[pattern] = names(given)
        except ConfigError as error:
            raise ConfigError(f"of {pattern!r} {error.message}", hint=error.hint) from None
    return by_pattern


def entries(table: Mapping[str, Any], settings: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """The *settings* in *table*, by their names with ``_`` for ``-``."""
    given: dict[str, Any] = {}
    for key, value in table.items():
        if key not in settings:
            close = get_close_matches(key.replace("_", "-"), settings, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(settings)}"
            raise ConfigError(f"has no setting {key!r}", hint=hint)
        try:
            given[key.replace("-", "_")] = settings[key](value)
        except ConfigError as error:
            raise ConfigError(f"has the setting {key}, which {error.message}", hint=error.hint) from None
    return given


def number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ConfigError(f"must be a whole number, not {described(value)}")


def share(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100:
        return float(value)
    raise ConfigError(f"must be a share, not {described(value)}", hint="0.1 is a tenth")


def accounts(value: Any) -> tuple[str, ...]:
    accounts = names(value)
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise ConfigError(f'must be a list of accounts, which have 12 digits, but holds "{account}"')
    return accounts


def word(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise ConfigError(f"must be a string, not {described(value)}")


def texts_by_name(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ConfigError(f"must be a table, not {described(value)}", hint='for example Stage = "prod"')
    return {name: text(given) for name, given in value.items()}


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ConfigError(f"must be a string, not {described(value)}")


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ConfigError(f"must be true or false, not {described(value)}")


def one_of(choices: type[Choice]) -> Callable[[Any], Choice]:
    return lambda value: choices(text_of(value, [choice.value for choice in choices]))


def text_of(value: Any, texts: list[str]) -> str:
    if value in texts:
        return str(value)
    close = get_close_matches(value, texts, n=1) if isinstance(value, str) else []
    hint = f'did you mean "{close[0]}"?' if close else None
    offered = f"{', '.join(texts[:-1])} or {texts[-1]}"
    raise ConfigError(f"must be {offered}, not {described(value)}", hint=hint)


def described(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"the {type(value).__name__} {value}"
