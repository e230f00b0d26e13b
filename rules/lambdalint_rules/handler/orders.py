"""The function ``Orders``, whose code is in ``src/``, for examples."""

from typing import Final

#: Its template; the handler is to be filled in.
HANDLER: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Runtime: python3.13
      Handler: {handler}
"""

#: The same with the handler that most examples have.
ORDERS: Final = HANDLER.format(handler="app.handler")
