from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.reach import Reach
from tests.code_facts import loaded, work_out


def reach(files: dict[str, str] | str, handler: str = "app.handler") -> Reach:
    return work_out(Reach, *loaded({"app.py": files} if isinstance(files, str) else files, handler))


def invoked(files: dict[str, str] | str, handler: str = "app.handler") -> set[str]:
    return {f"{path}:{scope}" if path != "app.py" else scope for path, scope in reach(files, handler).invoke}


def imported(files: dict[str, str] | str, handler: str = "app.handler") -> set[str]:
    return {f"{path}:{scope}" if path != "app.py" else scope for path, scope in reach(files, handler).init}


def test_what_the_handler_calls_is_reached_and_nothing_else() -> None:
    source = """
        def handler(event, context):
            first()
        def first(): second()
        def second(): ...
        def never(): first()
        if __name__ == "__main__":
            never()
    """
    assert invoked(source) == {"handler", "first", "second"}
    assert imported(source) == {""}


def test_callbacks_nested_functions_partials_and_lambdas_are_reached() -> None:
    source = """
        from functools import partial
        def handler(event, context):
            def nested(x): return inner(x)
            list(map(callback, event))
            run(partial(bound, 1))
            table["a"](event)
            sorted(event, key=lambda x: key(x))
            nested(1)
        def run(f): f()
        def callback(x): ...
        def bound(x): ...
        def inner(x): ...
        def key(x): ...
        def entry(x): ...
        table = {"a": entry}
    """
    found = {name for name in invoked(source) if "lambda" not in name}
    assert found == {"handler", "handler.nested", "run", "callback", "bound", "inner", "key", "entry"}


def test_methods_constructors_and_context_managers_are_reached() -> None:
    source = """
        class Base:
            def save(self): self.log()
            def log(self): ...
        class Store(Base):
            def __init__(self): self.open()
            def open(self): ...
            def __enter__(self): return self
            def __exit__(self, *args): ...
            def unused(self): ...
        store = Store()
        def handler(event, context):
            store.save()
            with Store() as other:
                other.log()
    """
    assert invoked(source) == {
        "handler",
        "Base.save",
        "Base.log",
        "Store.__init__",
        "Store.open",
        "Store.__enter__",
        "Store.__exit__",
    }
    assert imported(source) == {"", "Store.__init__", "Store.open"}


def test_calls_lead_into_other_modules() -> None:
    files = {
        "app.py": """
            from lib import work
            from lib.deep import Tool as T
            import lib.clients as clients
            def handler(event, context):
                work()
                T().use()
                clients.client().get_object()
                import late
                late.go()
        """,
        "lib/__init__.py": "from .deep import work",
        "lib/deep.py": "def work(): ...\nclass Tool:\n  def use(self): helper()\ndef helper(): ...",
        "lib/clients.py": "import boto3\ndef client(): return boto3.client('s3')",
        "late.py": "setup()\ndef setup(): ...\ndef go(): ...",
    }
    assert invoked(files) == {
        "handler",
        "lib/deep.py:work",
        "lib/deep.py:Tool.use",
        "lib/deep.py:helper",
        "lib/clients.py:client",
        "late.py:",
    } | {"late.py:go"} | ({"late.py:setup"})
    assert imported(files) == {"", "lib/__init__.py:", "lib/deep.py:", "lib/clients.py:"}


def test_routes_of_loaded_modules_count_as_the_handlers() -> None:
    files = {
        "app.py": """
            from aws_lambda_powertools.event_handler import APIGatewayRestResolver
            from routes import router
            app = APIGatewayRestResolver()
            app.include_router(router)
            @app.get("/")
            def index(): return page()
            def page(): ...
            def handler(event, context): return app.resolve(event, context)
        """,
        "routes.py": """
            from aws_lambda_powertools.event_handler.router import Router
            import functools
            router = Router()
            @router.get("/x")
            def show(): ...
            @functools.lru_cache
            def cached(): ...
        """,
    }
    assert invoked(files) == {"handler", "index", "page", "routes.py:show"}


def test_what_an_object_of_the_project_registers_counts_as_the_handlers() -> None:
    files = {
        "app.py": """
            from registry import Registry, traced
            registry = Registry()
            @registry.on("created")
            def created(event): save()
            @traced
            def unused(): ...
            def save(): ...
            def handler(event, context):
                return registry.run(event)
        """,
        "registry.py": """
            class Registry:
                known = {}
                def on(self, name):
                    return lambda function: self.known.setdefault(name, function)
                def run(self, event):
                    return self.known[event["name"]](event)
            def traced(function):
                return function
        """,
    }
    found = invoked(files)
    assert {"handler", "created", "save", "registry.py:Registry.run"} <= found
    assert "unused" not in found


def test_what_a_decorator_keeps_in_a_variable_counts_as_the_handlers() -> None:
    source = """
        known, listed = {}, []
        def route(name):
            def register(function):
                known[name] = function
                return function
            return register
        def step(function):
            listed.append(function)
            return function
        def timed(wrapped):
            return lambda *args: wrapped(*args)
        @route("orders")
        def orders(event): save()
        @step
        def first(event): ...
        @timed
        def unused(event): ...
        def save(): ...
        def handler(event, context):
            return known[event["path"]](event)
    """
    found = invoked(source)
    assert {"handler", "orders", "save", "first"} <= found
    assert "unused" not in found


def test_a_wrapped_handler_reaches_the_wrapper_and_what_it_wraps() -> None:
    source = """
        import functools
        def wrap(f):
            @functools.wraps(f)
            def inner(event, context):
                check(event)
                return f(event, context)
            return inner
        def check(event): ...
        def main(event, context): ...
        handler = wrap(main)
        @wrap
        def other(event, context): ...
    """
    assert {"main", "wrap.inner", "check"} <= invoked(source)
    assert {"other", "wrap.inner", "check"} <= invoked(source, "app.other")
    assert "main" not in imported(source)


def test_a_handler_that_is_not_resolved_reaches_nothing() -> None:
    found = reach("def main(event, context): ...")
    assert (found.init, found.invoke) == (frozenset(), frozenset())


def test_imports_in_a_circle_end() -> None:
    files = {"app.py": "import a\ndef handler(e, c): a.f()", "a.py": "import app\ndef f(): app.handler(1, 2)"}
    assert invoked(files) == {"handler", "a.py:f"}


def test_the_way_to_a_scope_names_each_step() -> None:
    found = reach("def handler(event, context):\n    first()\ndef first():\n    second()\ndef second(): ...\n")
    assert [step.message for step in found.way("app.py", "second")] == ["handler calls first", "first calls second"]
    assert found.way("app.py", "handler") == ()


def test_a_package_above_the_handler_is_loaded() -> None:
    files = {"pkg/__init__.py": "import os", "pkg/app.py": "def handler(e, c): ..."}
    assert imported(files, "pkg.app.handler") == {"pkg/__init__.py:", "pkg/app.py:"}


def test_calls_are_named_across_modules() -> None:
    files = {
        "app.py": """
            from clients import table, get_client, Store
            import clients
            store = Store()
            def handler(event, context):
                table.put_item(Item={})
                clients.s3.get_object()
                get_client().invoke()
                store.queue.send_message()
                store.save()
                clients.unknown.go()
        """,
        "clients.py": """
            import boto3
            table = boto3.resource("dynamodb").Table("t")
            s3 = boto3.client("s3")
            def get_client(): return boto3.client("lambda")
            class Store:
                def __init__(self): self.queue = boto3.resource("sqs").Queue("q")
                def save(self): ...
        """,
    }
    found = work_out(PathCalls, *loaded(files))
    assert {call.name for call in found.calls if call.phase == "invoke" and call.path == "app.py"} == {
        "boto3.resource(dynamodb).Table().put_item",
        "boto3.client(s3).get_object",
        "boto3.client(lambda).invoke",
        "boto3.resource(sqs).Queue().send_message",
        "clients.get_client",
        "clients.Store.save",
        "clients.unknown.go",
    }
    made = [call for call in found.calls if call.call.name == "boto3.client" and call.phase == "invoke"]
    assert [step.message for step in found.way(made[0])] == ["handler calls get_client"]
