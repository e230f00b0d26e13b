"""What a function may do: its execution role, as far as the project declares it."""

from dataclasses import dataclass

from lambdalint.model.places import Span
from lambdalint.model.values import Property, Value


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement of a policy; lists are those of IAM, a single value being a list of one.

    *resources* are ARNs as far as they are known, or refer to what they come from.  *principals* and *conditions* are
    as written.  *conditional* says that a condition of the template decides whether the statement is there.
    *policy* is the name of the policy, or of the resource, that holds it.
    """

    span: Span
    effect: Value[str] | None = None
    actions: tuple[Property, ...] = ()
    not_actions: tuple[Property, ...] = ()
    resources: tuple[Property, ...] = ()
    not_resources: tuple[Property, ...] = ()
    principals: Property | None = None
    not_principals: Property | None = None
    conditions: Property | None = None
    sid: Value[str] | None = None
    conditional: bool = False
    policy: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """An execution role that the project declares, or that a dialect makes for a function.

    *name* is the resource's, *span* its place.  *managed* are the managed policies as written: ARNs (those of AWS in
    the partition ``aws``), or references to policies of the project, whose statements are among *statements*.
    *trust* says who may assume it, ``None`` where that is unknown.  *complete* says that all that the role may do is
    here, the content of AWS's managed policies apart.
    *generated* says that nobody wrote it: a transform of the template makes it.
    """

    name: str
    span: Span
    managed: tuple[Value[str], ...] = ()
    statements: tuple[Statement, ...] = ()
    trust: tuple[Statement, ...] | None = None
    boundary: Value[str] | None = None
    complete: bool = True
    generated: bool = False
