"""Templates of one function for examples."""

from typing import Final

#: The function ``Orders``, whose code is in ``src/``; ``handler`` is to be filled in.
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


def orders(code: str, settings: str = "", **modules: str) -> dict[str, str]:
    """The function with *code* in its module, *settings* more lines of its properties, and more *modules*."""
    more = {f"src/{name}.py": text for name, text in modules.items()}
    return {"template.yaml": ORDERS + settings, "src/app.py": code, **more}
