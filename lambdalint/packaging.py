"""Packaging, wired: plan each function, let the rules look at the plans, write those that they pass."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from time import perf_counter

from lambdalint.engine.result import Failure, Result
from lambdalint.errors import LambdalintError, UnreadableInput, UsageError
from lambdalint.model.artifact import Artifact
from lambdalint.model.finding import Severity
from lambdalint.model.function import Function
from lambdalint.model.project import Project
from lambdalint.packager.build import Packager
from lambdalint.packager.options import Options
from lambdalint.packager.plan import Plan, Skipped
from lambdalint.packager.write import Written, write
from lambdalint.readers.tree import Folder
from lambdalint.reporters.packages import Package, Packaging, Part

#: Functions planned at a time; each waits for downloads, and shares what it can with the others.
_AT_ONCE = 4


@dataclass(slots=True)
class Workshop:
    """Plans the functions of a project; what cannot be built goes to *failures*.

    *out* is where the archives go, as the reader sees it; *functions* are the only ones wanted, if there are any.
    """

    packager: Packager
    out: Path
    functions: Sequence[str]
    plans: list[Plan] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def artifacts(self, project: Project) -> Sequence[Artifact]:
        """The plans of the project's functions as artifacts for the rules.

        Raises:
            UsageError: a wanted function does not exist, or two functions would be written to the same file.
        """
        wanted = self._wanted(project)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for function, outcome in zip(wanted, pool.map(self._outcome, wanted), strict=True):
                match outcome:
                    case Plan():
                        self.plans.append(outcome)
                    case Skipped():
                        self.skipped.append(outcome)
                    case error:
                        self.failures.append(_failure(function, error))
        self.skipped += [Skipped(layer.name, "it is a layer; functions are packaged") for layer in project.layers]
        stems: dict[str, Plan] = {}
        for plan in self.plans:
            other = stems.setdefault(plan.stem, plan)
            if other is not plan:
                raise UsageError(
                    f"{other.name} and {plan.name} would both be written to {plan.stem}.zip",
                    hint="package them one at a time, with --function and --out",
                )
        via_s3 = {each.name: each.artifact.via_s3 if each.artifact else None for each in wanted}
        return [plan.artifact(self.path(plan), via_s3=via_s3[plan.name]) for plan in self.plans]

    def path(self, plan: Plan) -> str:
        """Where the archive of *plan* is or would be."""
        return (self.out / f"{plan.stem}.zip").as_posix()

    def _outcome(self, function: Function) -> Plan | Skipped | LambdalintError:
        try:
            return self.packager.plan(function)
        except LambdalintError as error:
            return error

    def _wanted(self, project: Project) -> list[Function]:
        declared = [each for each in project.functions if each.template is not None]
        names = [function.name for function in declared]
        for name in self.functions:
            if name not in names:
                close = get_close_matches(name, names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names) or 'none'}"
                raise UsageError(f"no function is called {name!r}", hint=hint)
        wanted = [each for each in declared if not self.functions or each.name in self.functions]
        first: dict[str, Function] = {}
        for function in wanted:
            other = first.setdefault(function.name, function)
            if other is not function:
                raise UsageError(
                    f"{other.template} and {function.template} both declare {function.name}",
                    hint="give one of the templates as PATH",
                )
        return wanted


def _failure(function: Function, error: LambdalintError) -> Failure:
    path, line = function.template or function.span.path, ""
    if isinstance(error, UnreadableInput):
        path, line = error.path, f"line {error.line}: " if error.line > 1 else ""
    return Failure(path, f"{function.name} cannot be packaged: {line}{error.message}", error.hint)


def packaged(
    tree: Folder,
    out: Path,
    functions: Sequence[str],
    *,
    plan_only: bool,
    progress: Callable[[str], None],
    options: Options,
    check: Callable[[Callable[[Project], Sequence[Artifact]]], Result],
) -> Packaging:
    """Plan, check and, unless *plan_only*, write the packages of *functions* (all of them if none is named).

    *options* say how to build; the folder *out* is left out of packages in any case.  *check* runs the rules over the
    artifacts that its argument gives for a project.  A function with an error is not written.

    Raises:
        LambdalintError: nothing can be packaged as asked; what cannot be built is a failure in the answer instead.
    """
    started = perf_counter()

    def say(stage: str, name: str, done: int, total: int) -> None:
        progress(f"{stage} {name}" + (f" ({done} of {total})" if total > 1 else ""))

    folder = out.resolve()
    inside = folder.relative_to(tree.root).as_posix() if folder.is_relative_to(tree.root) else None
    leaving = replace(options.leaving, out=(inside,) if inside and inside != "." else ())
    with Packager(tree, replace(options, leaving=leaving), progress=say) as packager:
        shop = Workshop(packager, out, functions)
        result = check(shop.artifacts)
        refused = {each.function for each in result.findings if each.severity is Severity.ERROR}
        packages = []
        for plan in shop.plans:
            written = None
            if plan.name not in refused and not plan_only:
                written = write(plan, folder, say)
            packages.append(_package(plan, shop.path(plan), written, refused=plan.name in refused))
    return Packaging(
        packages=tuple(packages),
        skipped=tuple((each.name, each.reason) for each in shop.skipped),
        check=replace(result, failures=(*result.failures, *shop.failures)),
        seconds=perf_counter() - started,
    )


def _package(plan: Plan, path: str, written: Written | None, *, refused: bool) -> Package:
    parts = tuple(Part(each.origin, each.files, each.unpacked_bytes, each.packed_bytes) for each in plan.shares())
    return Package(
        name=plan.name,
        path=path,
        runtime=plan.target.runtime,
        architecture=plan.target.architecture,
        files=len(plan.entries),
        unpacked_bytes=plan.unpacked_bytes,
        packed_bytes=written.packed_bytes if written else None,
        sha256=written.sha256 if written else None,
        asides=plan.notes,
        parts=parts,
        refused=refused,
    )
