"""Custom resources of CloudFormation, and examples of them."""

from typing import Final

from lambdalint.rule import Function, Related, TriggerKind

TEMPLATE: Final = """\
Resources:
  Domain:
    Type: Custom::Domain
    Properties:
      ServiceToken: !GetAtt Maker.Arn
  Maker:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Handler: app.handler
      Runtime: python3.13
      Role: arn:aws:iam::123456789012:role/maker
"""


def related(function: Function) -> tuple[Related, ...]:
    """The first custom resource that *function* stands behind."""
    for trigger in function.triggers:
        if trigger.kind is TriggerKind.CUSTOM_RESOURCE:
            return (Related(trigger.span, f"{trigger.name} waits for the answer"),)
    return ()
