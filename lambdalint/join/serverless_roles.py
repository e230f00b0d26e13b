"""The roles that the Serverless Framework makes for the functions of a service.

Source: https://www.serverless.com/framework/docs/providers/aws/guide/iam
"""

from lambdalint.aws.serverless import role
from lambdalint.join.serverless_nodes import at, block, is_hidden, is_true, items, known, several, substituted
from lambdalint.join.serverless_stack import Compiled, Stack
from lambdalint.model.document import Node, Sequence
from lambdalint.model.places import Span


def compile_roles(stack: Stack, functions: list[Compiled]) -> None:
    """Add the roles that the framework makes, with the statements of the service, of functions and of events."""
    provider = stack.service.provider
    for_all = at(provider, "iam", "role", "statements") or at(provider, "iamRoleStatements")
    managed = at(provider, "iam", "role", "managedPolicies") or at(provider, "iamManagedPolicies")
    common = str(role("name"))
    span = for_all.span if for_all else stack.service.span
    for name in dict.fromkeys(function.role for function in functions if function.role):
        own = next((function for function in functions if function.role == name and name != common), None)
        statements: list[Node | None] = [for_all] if own is None else _own_statements(own, for_all)
        hidden = next((each for each in statements if is_hidden(each)), None)
        listed = [item for each in statements for item in items(each)]
        document: Node = hidden or Sequence((*_log_statements(span), *listed, *stack.statements.get(name, ())), span)
        policies = (*items(managed), *stack.policies.get(name, ()))
        properties = {
            "AssumeRolePolicyDocument": _assumed_by_lambda(span),
            "Policies": several(
                span,
                block(
                    span,
                    {
                        "PolicyName": known(stack.service.own_name("lambda") or "lambda", span, stated=False),
                        "PolicyDocument": block(span, {"Version": known("2012-10-17", span), "Statement": document}),
                    },
                ),
            ),
            "ManagedPolicyArns": managed if is_hidden(managed) else several(span, *policies) if policies else None,
            "PermissionsBoundary": at(provider, "iam", "role", "permissionsBoundary")
            or at(provider, "rolePermissionsBoundary"),
        }
        stack.add(name, "AWS::IAM::Role", properties, own.span if own else span)


def _own_statements(function: Compiled, for_all: Node | None) -> list[Node | None]:
    own = at(function.node, "iamRoleStatements") or at(function.node, "iam", "role", "statements")
    inherits = is_true(at(function.node, "iamRoleStatementsInherit"))
    return [own, for_all] if inherits or at(function.node, "iamRoleStatements") is None else [own]


def _log_statements(span: Span) -> tuple[Node, ...]:
    groups = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/*:*"
    rows = (("log_group_actions", groups), ("log_event_actions", f"{groups}:*"))
    return tuple(
        block(
            span,
            {
                "Effect": known("Allow", span),
                "Action": several(span, *(known(action, span) for action in role(actions))),
                "Resource": several(span, substituted(resource, span)),
            },
        )
        for actions, resource in rows
    )


def _assumed_by_lambda(span: Span) -> Node:
    statement = block(
        span,
        {
            "Effect": known("Allow", span),
            "Principal": block(span, {"Service": several(span, known("lambda.amazonaws.com", span))}),
            "Action": several(span, known("sts:AssumeRole", span)),
        },
    )
    return block(span, {"Version": known("2012-10-17", span), "Statement": several(span, statement)})
