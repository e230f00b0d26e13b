"""Moving a function to the runtime that comes after its own."""

from lambdalint.aws.removed_modules import removed_modules
from lambdalint.aws.runtimes import Runtime, runtime
from lambdalint.facts.imports import Imports
from lambdalint.facts.per_module import PerModule
from lambdalint.rule import Fix, Function, Known
from lambdalint_rules.configuration.ranges import rewriting


def moving_on(function: Function, stated: Known[str], known: Runtime, imports: PerModule[Imports]) -> Fix | None:
    """The fix that states the runtime's successor, unless the function's code is seen to need what that lacks."""
    new = runtime(known.successor) if known.successor else None
    if new is None or known.successor is None or _loses_something(function, known, new, imports):
        return None
    return rewriting(stated, known.successor, f"move to {known.successor}")


def _loses_something(function: Function, old: Runtime, new: Runtime, imports: PerModule[Imports]) -> bool:
    if old.version is None or new.version is None:
        return False
    if function.artifact and any(entry.path.endswith(".so") for entry in function.artifact.entries):
        return True
    gone = removed_modules(old.version, new.version)
    return any(
        each.top_level in gone and not each.optional
        for path in set(function.modules.values())
        if (found := imports.get(path)) is not None
        for each in found.imports
    )
