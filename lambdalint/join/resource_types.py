"""What CloudFormation calls the resources that a function is declared by."""

from typing import Final

FUNCTION: Final = "AWS::Lambda::Function"
LAYER: Final = "AWS::Lambda::LayerVersion"
PERMISSION: Final = "AWS::Lambda::Permission"
