"""Which scope a line of a module belongs to."""

from dataclasses import dataclass

from lambdalint.facts.walk import ScopeKind, Walk


@dataclass(frozen=True, slots=True)
class Scopes:
    """The lines of every ``def``, and those that never run in Lambda (``__main__``, ``TYPE_CHECKING``).

    A range is its first line, its last, and the qualified name of the scope; an outer one stands before its inner ones.
    """

    ranges: tuple[tuple[int, int, str], ...]
    skipped: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, walk: Walk) -> "Scopes":
        ranges = {
            (scope.node.lineno, scope.node.end_lineno or scope.node.lineno, scope.name)  # type: ignore[attr-defined]
            for scope in walk.scopes
            if scope.kind is ScopeKind.DEF
        }
        skipped = {
            (context.node.lineno, context.node.end_lineno)
            for place in (*walk.calls, *walk.reads, *walk.imports)
            if place.context is not None and place.context.skipped
            for context in place.context.outwards()
            if context.skipped and not (context.outer and context.outer.skipped)
        }
        return cls(tuple(sorted(ranges, key=lambda each: (each[0], -each[1]))), tuple(sorted(skipped)))

    def at(self, line: int) -> str | None:
        """The qualified name of the ``def`` that *line* is in, ``""`` at module level; ``None`` where nothing runs."""
        if any(first <= line <= last for first, last in self.skipped):
            return None
        found = ""
        for first, last, name in self.ranges:
            if first > line:
                break
            if line <= last:
                found = name
        return found
