"""Sentences and places that several formats share."""

from lambdalint.engine.result import Failure, Result
from lambdalint.model.finding import Applicability, Severity
from lambdalint.model.places import Member, Place, Span
from lambdalint.reporters.visible import visible


def counted(number: int, noun: str) -> str:
    """*number* with its noun: ``1 file``, ``12 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: int) -> str:
    """A number of bytes as AWS says it: ``812 B``, ``3.4 KB``, ``12.3 MB``; a MB is 1,048,576 bytes."""
    amount = float(number)
    for unit in ("B", "KB", "MB"):
        if amount < 999.5 or unit == "MB":
            return f"{amount:.0f} B" if unit == "B" else f"{amount:,.1f} {unit}"
        amount /= 1024
    raise AssertionError


def listed(parts: list[str]) -> str:
    """*parts* as one reads them out: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def is_whole(span: Span) -> bool:
    """Whether the span only stands for its file."""
    return span == Span.whole(span.path)


def place(result: Result, at: Place) -> str:
    """Where a reader finds it: ``src/app.py:12:5``, ``template.yaml``, ``dist/orders.zip!numpy/core.so``."""
    path = visible(result.shown(at.path))
    match at:
        case Member(entry=entry):
            return f"{path}!{visible(entry)}"
        case Span() if is_whole(at):
            return path
        case Span(line=line, column=column):
            return f"{path}:{line}:{column + 1}"


def severities(result: Result) -> str:
    """``3 errors and 1 warning``; empty when there is nothing."""
    summary = result.summary
    counts = ((summary.errors, "error"), (summary.warnings, "warning"), (summary.infos, "info"))
    return listed([counted(count, noun) for count, noun in counts if count])


def worst(result: Result) -> Severity | None:
    """The severity of the worst finding."""
    return min((finding.severity for finding in result.findings), key=lambda each: each.rank, default=None)


def untold_failures(result: Result) -> list[Failure]:
    """The failures that are not among the findings as well."""
    told = {(finding.path, finding.message) for finding in result.findings}
    return [failure for failure in result.failures if (failure.path, failure.message) not in told]


def fixing(result: Result) -> str | None:
    """What was fixed, and what may be; whether the text is as a fix expects it shows only when it is applied."""
    fixes = [finding.fix.applicability for finding in result.findings if finding.fix]
    safe, unsafe = fixes.count(Applicability.SAFE), fixes.count(Applicability.UNSAFE)
    fixed = None if result.fixed is None else f"Fixed {counted(result.fixed, 'finding')}"
    if result.fixed is None and safe:
        more = f"{safe:,} may be fixed with --fix" + (f", {unsafe:,} more with --unsafe-fixes" if unsafe else "")
    elif unsafe:
        more = f"{unsafe:,}{' more' if fixed else ''} may be fixed with --fix --unsafe-fixes"
    else:
        more = ""
    return "; ".join(filter(None, (fixed, more))) or None


def conclusion(result: Result) -> list[str]:
    """The line that says how it went, and another one if that is not the whole story."""
    summary = result.summary
    functions = counted(summary.functions, "function")
    asides = [counted(summary.files, "file"), f"{summary.seconds:.2f} s"]
    if summary.suppressed:
        asides.insert(1, f"{summary.suppressed:,} suppressed")
    found = severities(result)
    if found:
        said = f"Found {found} in {functions}"
    elif not summary.functions and not result.failures:
        said = "All clear: no functions, only layers"
    elif not summary.functions:
        said = "Nothing was checked: no function found"
    elif result.failures:
        said = f"Found nothing in {functions}"
    else:
        said = f"All clear: {functions}"
    failed = [f"Incomplete: {counted(len(result.failures), 'failure')}"] if result.failures else []
    return [f"{said} ({', '.join(asides)})", *failed]
