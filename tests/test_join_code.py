import pytest

from lambdalint.model.function import Code, CodeKind, Handling
from lambdalint.model.values import Known, Unknown
from tests.code_facts import HERE, loaded

TWO = "def handler(event, context): ...\n"


@pytest.mark.parametrize(
    ("files", "handler", "place"),
    [
        ({"app.py": TWO}, "app.handler", ("app.py", "handler")),
        ({"pkg/__init__.py": TWO}, "pkg.handler", ("pkg/__init__.py", "handler")),
        ({"pkg/app.py": TWO}, "pkg/app.handler", ("pkg/app.py", "handler")),
        ({"pkg/app.py": TWO}, "pkg.app.handler", ("pkg/app.py", "handler")),
        ({"pkg/__init__.py": "from .app import handler", "pkg/app.py": TWO}, "pkg.handler", ("pkg/app.py", "handler")),
        ({"app.py": "from other import handler", "other.py": TWO}, "app.handler", ("other.py", "handler")),
        ({"app.py": "import other\nhandler = other.handler", "other.py": TWO}, "app.handler", ("other.py", "handler")),
        ({"app.py": "from other import *", "other.py": TWO}, "app.handler", ("other.py", "handler")),
        ({"app.py": "def wrap(f): ...\ndef main(e, c): ...\nhandler = wrap(main)"}, "app.handler", ("app.py", "main")),
        (
            {"app.py": "from w import wrap\nimport m\nhandler = wrap(m.go)", "m.py": "def go(e, c): ..."},
            "app.handler",
            ("m.py", "go"),
        ),
        (
            {"app.py": "import functools\ndef f(a, e, c): ...\nhandler = functools.partial(f, 1)"},
            "app.handler",
            ("app.py", "f"),
        ),
        (
            {"app.py": "class H:\n  def __call__(self, e, c): ...\nhandler = H()"},
            "app.handler",
            ("app.py", "H.__call__"),
        ),
        ({"app.py": "class H:\n  def run(self, e, c): ...\nhandler = H().run"}, "app.handler", ("app.py", "H.run")),
        ({"app.py": "@wrap\ndef handler(e, c): ..."}, "app.handler", ("app.py", "handler")),
        ({"app.py": "handler = None\ndef handler(e, c): ..."}, "app.handler", ("app.py", "handler")),
        ({"app.py": "def f(e, c): ...\nhandler = f\nhandler = wrap(handler)"}, "app.handler", ("app.py", "f")),
        ({"app.py": "from mangum import Mangum\nhandler = Mangum(app)"}, "app.handler", (None, None)),
        ({"app.py": "from lib import handler"}, "app.handler", (None, None)),
        ({"app.py": "if x:\n  def handler(e, c): ...\nelse:\n  handler = make()"}, "app.handler", (None, None)),
    ],
)
def test_a_handler_is_followed_to_the_code_that_runs(
    files: dict[str, str], handler: str, place: tuple[str | None, str | None]
) -> None:
    target = loaded(files, handler)[1].target
    assert target.state is Handling.RESOLVED
    assert (target.scope_path, target.scope) == place


@pytest.mark.parametrize(
    ("files", "handler", "state"),
    [
        ({"app.py": TWO}, "main.handler", Handling.NO_MODULE),
        ({"App.py": TWO}, "app.handler", Handling.NO_MODULE),
        ({"app.py": TWO}, "handler", Handling.NO_MODULE),
        ({"app.py": TWO}, "app.main", Handling.NO_SYMBOL),
        ({"app.py": "from other import *", "other.py": "_handler = 1"}, "app._handler", Handling.NO_SYMBOL),
        ({"app.py": "handler = 'x'"}, "app.handler", Handling.NOT_CALLABLE),
        (
            {"app.py": "from pkg import handler", "pkg/__init__.py": "", "pkg/handler.py": ""},
            "app.handler",
            Handling.NOT_CALLABLE,
        ),
        ({"app.py": "from lib import *"}, "app.handler", Handling.UNJUDGED),
        ({"app.py": "def __getattr__(name): ..."}, "app.handler", Handling.UNJUDGED),
        ({"app.py": "def ("}, "app.handler", Handling.UNJUDGED),
        ({"app.py": TWO}, "{{cookiecutter.module}}.handler", Handling.UNJUDGED),
        ({"app.py": TWO}, "run.sh", Handling.UNJUDGED),
        ({"app.py": TWO}, "wsgi_handler.handler", Handling.UNJUDGED),
        (
            {"dep/__init__.py": "", "dep-1.dist-info/top_level.txt": "dep\nnative\n"},
            "native.handler",
            Handling.UNJUDGED,
        ),
        ({"app.py": "from app import *"}, "app.handler", Handling.UNJUDGED),
        ({"app.py": "from app import handler"}, "app.handler", Handling.RESOLVED),
    ],
)
def test_what_is_wrong_with_a_handler_string_is_told(files: dict[str, str], handler: str, state: Handling) -> None:
    assert loaded(files, handler)[1].target.state is state


def test_a_missing_name_comes_with_the_callables_that_are_there() -> None:
    target = loaded({"app.py": "def main(e, c): ...\nX = 1\n"}, "app.handler")[1].target
    assert target.names == ("main",)
    assert target.path == "app.py"


def test_a_wrapper_of_a_vendor_hands_over_to_the_handler_in_its_variable() -> None:
    env = Known({"DD_LAMBDA_HANDLER": Known("app.handler", HERE)}, HERE)
    target = loaded({"app.py": TWO}, "datadog_lambda.handler.handler", env=env)[1].target
    assert (target.state, target.scope) == (Handling.RESOLVED, "handler")
    assert loaded({"app.py": TWO}, "datadog_lambda.handler.handler")[1].target.state is Handling.NO_SYMBOL
    hidden = Known({"DD_LAMBDA_HANDLER": Unknown("!Ref X", HERE)}, HERE)
    assert loaded({}, "datadog_lambda.handler.handler", env=hidden)[1].target.state is Handling.UNJUDGED


def test_inline_code_is_the_module_index() -> None:
    code = Code(CodeKind.INLINE, HERE, "template.yaml#Orders")
    files = {"template.yaml#Orders": TWO}
    function = loaded(files, "index.handler", (), code=code)[1]
    assert function.target.state is Handling.RESOLVED
    assert function.modules == {"index": "template.yaml#Orders"}
    assert loaded(files, "app.handler", (), code=code)[1].target.state is Handling.NO_MODULE


def test_a_module_that_an_unknown_layer_may_bring_is_not_missing() -> None:
    assert loaded({"app.py": TWO}, "main.handler", layers_complete=False)[1].target.state is Handling.UNJUDGED


def test_modules_are_those_that_imports_lead_to() -> None:
    files = {
        "src/app.py": "import a.b\nfrom pkg import sub, thing\nimport boto3, dep\nfrom shared import tools\n" + TWO,
        "src/a/__init__.py": "from . import c",
        "src/a/b.py": "from ..a.c import x\nfrom .d import y",
        "src/a/c.py": "import app",
        "src/a/d.py": "",
        "src/pkg/sub.py": "",
        "src/dep/__init__.py": "import inner",
        "src/inner.py": "",
        "src/dep-1.0.dist-info/RECORD": "dep/__init__.py,,\ndep-1.0.dist-info/RECORD,,\n",
        "src/never.py": "",
        "layer/python/shared/__init__.py": "",
        "layer/python/shared/tools.py": "",
    }
    function = loaded(files, "app.handler", ("src", "layer/python", "absent"))[1]
    assert function.modules == {
        "app": "src/app.py",
        "a": "src/a/__init__.py",
        "a.b": "src/a/b.py",
        "a.c": "src/a/c.py",
        "a.d": "src/a/d.py",
        "pkg.sub": "src/pkg/sub.py",
        "shared": "layer/python/shared/__init__.py",
        "shared.tools": "layer/python/shared/tools.py",
    }


def test_an_unknown_handler_is_not_judged() -> None:
    function = loaded({"app.py": TWO})[1]
    assert function.handler_path == "app.py"
    assert loaded({"app.py": TWO}, code=Code(CodeKind.REMOTE, HERE))[1].target.state is Handling.UNJUDGED
