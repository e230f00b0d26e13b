"""What was measured, for people and for machines."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that may be: of the figure itself, or of its ratio to what it is compared with."""

    most: float
    ratio: bool = False

    def shown(self, unit: str) -> str:
        return f"≤ {times(self.most)}" if self.ratio else f"≤ {self.most:g} {unit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of ours, what it is compared with if with anything, and what it may be."""

    work: str
    ours: float
    unit: str
    other: str = ""
    theirs: float | None = None
    budget: Budget | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    @property
    def kept(self) -> bool | None:
        """Whether the budget holds; ``None`` where there is none."""
        figure = self.ratio if self.budget and self.budget.ratio else self.ours
        return figure <= self.budget.most if self.budget and figure is not None else None


def times(ratio: float) -> str:
    """As in ``2.50``, and ``1/15.0`` for what is much less."""
    return f"1/{1 / ratio:.1f}" if ratio < 0.2 else f"{ratio:.2f}"


def as_text(rows: Iterable[Row]) -> str:
    """A table with a line for each row."""
    head = ("", "lambdalint", "compared with", "ratio", "budget", "")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines) + "\n"


def as_data(rows: Iterable[Row], versions: Sequence[str]) -> dict[str, Any]:
    """For JSON."""
    listed = [{**asdict(row), "ratio": row.ratio, "kept": row.kept} for row in rows]
    return {"versions": list(versions), "rows": listed}


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.work,
        f"{row.ours:.3g} {row.unit}",
        f"{row.theirs:.3g} {row.unit}, {row.other}" if row.theirs is not None else row.other,
        times(row.ratio) if row.ratio is not None else "",
        row.budget.shown(row.unit) if row.budget else "",
        {True: "kept", False: "NOT KEPT", None: ""}[row.kept],
    )
