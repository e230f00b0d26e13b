"""How the bytecode of each Python is marked."""

from functools import cache

from lambdalint.aws.tables import table


@cache
def magic_numbers() -> dict[tuple[int, int], int]:
    """The number at the start of bytecode, by the version of Python that makes and takes it."""
    return {_pair(version): int(number) for version, number in table("bytecode")["magic"].items()}


@cache
def hashed_alike_since() -> tuple[int, int]:
    """The first Python that hashes sources as the one does that runs lambdalint."""
    return _pair(table("bytecode")["hashed_alike_since"])


def _pair(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


def compiling_ms(source_bytes: int) -> float:
    """What compiling so much source takes on one vCPU."""
    return float(table("bytecode")["compiling"]["ms_per_mb"]) * source_bytes / 1_000_000
