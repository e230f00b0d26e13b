"""Lambda refuses a handler in a module that has the name of one built into Python.

``time`` and ``sys`` are part of the interpreter: importing them never looks at the files, so that ``time.py`` could not
be loaded.  Every invocation fails with ``Runtime.BuiltInModuleConflict``, and the deployment says nothing about it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from lambdalint.aws.builtin_modules import builtin_modules
from lambdalint.aws.runtimes import is_python
from lambdalint.rule import Confidence, Function, Handling, Known, Problem, Problems, Severity, rule
from lambdalint_rules.handler.orders import HANDLER

HANDLES = "def handler(event, context): ...\n"


@rule(
    "LH002",
    "builtin-handler-module",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": HANDLER.format(handler="time.handler  # finding"), "src/time.py": HANDLES},
        {"template.yaml": HANDLER.format(handler="itertools.orders.handler  # finding").replace("src/", "s3://b/k")},
    ),
    good=(
        {"template.yaml": HANDLER.format(handler="timer.handler"), "src/timer.py": HANDLES},
        {"template.yaml": HANDLER.format(handler="orders.time.handler"), "src/orders/time.py": HANDLES},
        {"template.yaml": HANDLER.format(handler="time/orders.handler"), "src/time/orders.py": HANDLES},
        {"template.yaml": HANDLER.format(handler="email.handler"), "src/email.py": HANDLES},
        # missing-handler says that there is no such file, which is to be made first.
        {"template.yaml": HANDLER.format(handler="time.handler"), "src/app.py": HANDLES},
        {
            "template.yaml": HANDLER.format(handler="time.handler").replace("python3.13", "nodejs22.x"),
            "src/time.mjs": "export const handler = async () => {}\n",
        },
    ),
)
def check(function: Function) -> Problems:
    match function:
        case Function(handler=Known(str(handler), span, parameter=parameter), runtime=Known(str(runtime))):
            module = handler.rpartition(".")[0]
            first = module.partition(".")[0]
            missing = function.target.state is Handling.NO_MODULE
            if first in builtin_modules() and is_python(runtime) and not missing:
                yield Problem(
                    span,
                    f"handler module {first} is built into Python, and Lambda refuses to load it as a handler",
                    hint="rename the file and the handler",
                    confidence=Confidence.MEDIUM if parameter else None,
                )
