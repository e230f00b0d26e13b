"""Artifacts started under AWS's own client: what is measured, what is refused, and what is said of it."""

import errno
import io
import json
import os
import shutil
import stat
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import jsonschema
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.api import Running, check
from lambdalint.aws.sample_events import sample_event, sample_names
from lambdalint.aws.tables import table
from lambdalint.booting import boot
from lambdalint.cli import main
from lambdalint.config import BootSettings, Config
from lambdalint.errors import LambdalintError, Refused, UnreadableInput, UsageError
from lambdalint.facts.import_reports import measured_frames
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry
from lambdalint.model.boot import Boot, Ending, ImportTime, Isolation, Measured, Phase
from lambdalint.model.function import TriggerKind
from lambdalint.packager.boot.import_times import ImportTimes
from lambdalint.packager.boot.runtime_api import MAX_BODY_BYTES, Message, RuntimeApi, Told, request_id
from lambdalint.packager.boot.streams import MAX_OUTPUT_BYTES, Streams
from lambdalint.packager.boot.unpack import unpack
from lambdalint.readers.boot_report import read_boot_report
from lambdalint.reporters.boot import document, render
from lambdalint.reporters.view import View
from tests.runtime_api import outcome

RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
RUNNING = Running(runtime=RUNTIME, handler="app.handler")
ISOLATED = (Isolation.NAMESPACES, Isolation.USER_NAMESPACE)


def zipped(path: Path, content: Mapping[str, str]) -> Path:
    with ZipFile(path, "w") as archive:
        for name, text in content.items():
            info = ZipInfo(name)
            info.create_system, info.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, text)
    return path


def started(tmp_path: Path, source: str, *events: str, running: Running = RUNNING, **options: Any) -> Boot:
    return boot(
        zipped(tmp_path / "orders.zip", {"app.py": source}), Config(), running=running, events=events, **options
    )


def test_a_function_comes_up_and_answers_each_event(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('{"id": 17}')
    source = (
        "def handler(event, context):\n    return [sorted(event), context.function_name, context.memory_limit_in_mb]\n"
    )
    found = started(tmp_path, source, "sqs", str(tmp_path / "event.json"), memory_mb=256)
    assert found.is_healthy
    assert [each.ending for each in found.invocations] == [Ending.ANSWER, Ending.ANSWER]
    first, second = (json.loads(each.response or "") for each in found.invocations)
    assert (first[0], second) == (["Records"], [["id"], "orders", "256"])
    assert found.init_ms is not None
    assert found.init_ms > 0
    assert found.init_peak_mb is not None
    assert found.peak_mb is not None
    assert 5 < found.init_peak_mb <= found.peak_mb < 500


def test_without_events_it_is_only_initialised(tmp_path: Path) -> None:
    found = started(tmp_path, "print('loaded')\ndef handler(event, context): print('invoked')\n")
    assert found.is_healthy
    assert not found.invocations
    assert found.output == "loaded\n"


def test_an_error_at_init_is_told_with_its_trace(tmp_path: Path) -> None:
    found = started(tmp_path, "import nothing_like_it\ndef handler(event, context): ...\n", "sqs")
    assert not found.is_healthy
    assert found.init_error is not None
    assert found.init_error.type == "Runtime.ImportModuleError"
    assert "nothing_like_it" in found.init_error.message
    assert not found.invocations
    broken = started(tmp_path, "def value():\n    return {}['a']\nvalue()\n")
    assert broken.init_error is not None
    assert broken.init_error.type == "KeyError"
    assert any("/var/task/app.py" in line and "value" in line for line in broken.init_error.trace)


def test_an_error_of_the_handler_is_told_and_the_next_event_is_served(tmp_path: Path) -> None:
    source = "def handler(event, context):\n    return event['detail']['id']\n"
    found = started(tmp_path, source, "sqs", "eventbridge")
    failed, served = found.invocations
    assert failed.ending is Ending.ERROR
    assert failed.error is not None
    assert (failed.error.type, failed.error.message) == ("KeyError", "'detail'")
    assert any("/var/task/app.py" in line for line in failed.error.trace)
    assert served.response == "17"


def test_writing_outside_tmp_is_refused_and_told(tmp_path: Path) -> None:
    source = """
import os, pathlib
def tried(write):
    try:
        write()
    except OSError as error:
        return error.errno
def handler(event, context):
    pathlib.Path("/tmp/allowed").write_text("x")
    os.makedirs("/var/task/sub", exist_ok=True)
    return [
        tried(lambda: open("/var/task/new.txt", "w")),
        tried(lambda: open("/var/task/app.py", "a")),
        tried(lambda: os.mkdir("/elsewhere")),
        tried(lambda: os.rename("/var/task/app.py", "/tmp/app.py")),
        tried(lambda: os.remove("/var/task/app.py")),
        tried(lambda: open("/var/task/missing.txt")),
    ]
"""
    path = zipped(tmp_path / "orders.zip", {"app.py": source, "sub/data.txt": "x"})
    found = boot(path, Config(), running=RUNNING, events=["schedule"])
    assert found.isolation in ISOLATED, "needs mount namespaces: unshare, mount and setpriv of util-linux"
    *refused, missing = json.loads(found.invocations[0].response or "")
    assert refused[0] == errno.EROFS
    assert None not in refused
    assert missing == errno.ENOENT
    assert found.refused == ("/elsewhere", "/var/task/app.py", "/var/task/new.txt")


def test_code_sees_neither_files_nor_variables_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("COMPANY_TOKEN", "secret")
    source = f"""
import os
import shutil
def handler(event, context):
    return [os.environ["AWS_ACCESS_KEY_ID"], "COMPANY_TOKEN" in os.environ, os.environ["TABLE"],
            os.path.exists({str(tmp_path)!r}), os.path.exists("/root"), os.listdir("/tmp"), os.path.expanduser("~")]
"""
    found = started(tmp_path, source, "schedule", environment={"TABLE": "orders"})
    key, *rest = json.loads(found.invocations[0].response or "")
    assert "AKIAREAL" not in key
    assert rest == [False, "orders", False, False, [], "/home/sbx_user1051"]


def test_a_variable_that_is_missing_is_named(tmp_path: Path) -> None:
    found = started(tmp_path, "import os\nTABLE = os.environ['TABLE']\ndef handler(event, context): return TABLE\n")
    assert "it wants a variable: give it by --env TABLE=VALUE" in found.notes
    text = render("text", found, View())
    assert "importlib" not in text.partition("output")[0]
    assert 'File "/var/task/app.py", line 2' in text


def test_a_file_that_others_may_not_read_is_not_read(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...\n")  # for its owner only, as Python has it
    found = boot(tmp_path / "orders.zip", Config(), running=RUNNING)
    if found.isolation is Isolation.NAMESPACES:
        assert found.init_error is not None
        assert "app" in found.init_error.message


def test_packages_of_this_machine_are_not_found(tmp_path: Path) -> None:
    found = started(tmp_path, "import boto3\nimport pytest\ndef handler(event, context): ...\n")
    assert found.init_error is not None
    assert "pytest" in found.init_error.message, "boto3 is the runtime's, pytest is not"


def test_modules_are_found_where_lambda_finds_them(tmp_path: Path) -> None:
    layer = zipped(tmp_path / "layer.zip", {"python/shared.py": "WHO = 'layer'\n", "python/own.py": "WHO = 'layer'\n"})
    source = (
        "import own, shared, sys\ndef handler(event, context): return [own.WHO, shared.WHO, sys.path[:3], exit.name]\n"
    )
    path = zipped(tmp_path / "orders.zip", {"app.py": source, "own.py": "WHO = 'function'\n"})
    found = boot(
        path, Config(), running=Running(runtime=RUNTIME, handler="app.handler", layers=(layer,)), events=["sqs"]
    )
    own, shared, paths, name = json.loads(found.invocations[0].response or "")
    assert (own, shared, name) == ("function", "layer", "exit")
    assert paths == ["/var/task", f"/opt/python/lib/{RUNTIME}/site-packages", "/opt/python"]
    assert {"/var/task/app.py", "/var/task/own.py", "/opt/python/shared.py"} <= set(found.files)
    assert set(found.compiled) == {"/var/task/app.py", "/var/task/own.py", "/opt/python/shared.py"}


def test_imports_are_a_tree_of_three_phases(tmp_path: Path) -> None:
    source = "import package.inner\ndef handler(event, context):\n    import later\n"
    content = {"app.py": source, "later.py": "", "package/__init__.py": "import wave\n", "package/inner.py": ""}
    found = boot(zipped(tmp_path / "orders.zip", content), Config(), running=RUNNING, events=["sqs"])
    rows = {each.module: each for each in found.imports}
    assert rows["awslambdaric.bootstrap"].phase is Phase.RUNTIME
    assert (rows["package"].phase, rows["later"].phase) == (Phase.INIT, Phase.INVOKE)
    # A package is loaded by whoever asks for what is in it.
    assert [rows[name].depth for name in ("package.inner", "package", "wave")] == [0, 1, 2]
    assert rows["package"].cumulative_us >= rows["package"].self_us + rows["wave"].self_us
    names = [each.module for each in found.imports]
    assert names.index("package.inner") < names.index("package") < names.index("wave")


def test_a_handler_that_does_not_come_back_is_stopped(tmp_path: Path) -> None:
    source = "import time\ndef handler(event, context): time.sleep(600)\n"
    before = time.monotonic()
    found = started(tmp_path, source, "sqs", "sns", timeout_s=1)
    assert time.monotonic() - before < 60
    assert [each.ending for each in found.invocations] == [Ending.TIMEOUT, Ending.NOT_RUN]
    assert found.invocations[0].error is not None
    assert found.invocations[0].error.message == "there is no answer after 1 s"


def test_a_process_that_ends_is_told_with_its_code(tmp_path: Path) -> None:
    found = started(tmp_path, "import os\ndef handler(event, context): os._exit(7)\n", "sqs", "sns")
    assert [each.ending for each in found.invocations] == [Ending.EXIT, Ending.NOT_RUN]
    assert found.invocations[0].error is not None
    assert "with 7" in found.invocations[0].error.message


@pytest.mark.parametrize("after", ["time.sleep(20)", "del kept"])
def test_more_memory_than_the_function_has_ends_it(tmp_path: Path, after: str) -> None:
    source = f"import time\ndef handler(event, context):\n    kept = b'x' * 200_000_000\n    {after}\n"
    found = started(tmp_path, source, "sqs", memory_mb=128)
    assert [each.ending for each in found.invocations] == [Ending.OUT_OF_MEMORY]
    at_init = started(tmp_path, "kept = b'x' * 200_000_000\ndef handler(event, context): ...\n", memory_mb=128)
    assert at_init.init_error is not None
    assert at_init.init_error.type == "Runtime.OutOfMemory"


def test_however_much_is_printed_only_the_beginning_is_kept(tmp_path: Path) -> None:
    source = "def handler(event, context):\n    for _ in range(200): print('x' * 100_000)\n    return 1\n"
    found = started(tmp_path, source, "sqs")
    assert found.invocations[0].ending is Ending.ANSWER
    assert found.output_cut
    assert len(found.output) <= MAX_OUTPUT_BYTES


def test_an_answer_that_lambda_would_not_take_is_an_error(tmp_path: Path) -> None:
    found = started(tmp_path, f"def handler(event, context): return 'x' * {MAX_BODY_BYTES + 1}\n", "sqs", "sns")
    assert found.invocations[0].error is not None
    assert found.invocations[0].error.type == "Function.ResponseSizeTooLarge"
    assert (
        len(started(tmp_path, "def handler(event, context): return 'x' * 10**6\n", "sqs").invocations[0].response or "")
        <= 4000
    )


def test_budgets_that_are_not_kept_are_said(tmp_path: Path) -> None:
    path = zipped(tmp_path / "orders.zip", {"app.py": "def handler(event, context): ...\n"})
    found = boot(path, Config(boot=BootSettings(max_init_ms=1, max_memory_mb=2)), running=RUNNING)
    assert not found.is_healthy
    assert [text.partition(" ")[0] for text in found.passed] == ["init", "it"]
    assert boot(path, Config(boot=BootSettings(max_init_ms=60000, max_memory_mb=2000)), running=RUNNING).is_healthy


def test_a_folder_is_started_as_an_archive_is_and_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "app.py").write_text("def handler(event, context): return 1\n")
    assert boot(tmp_path / "orders", Config(), running=RUNNING, events=["sqs"]).is_healthy
    assert [path.name for path in (tmp_path / "orders").iterdir()] == ["app.py"]


def test_what_is_not_said_comes_from_the_manifest_beside_the_archive(tmp_path: Path) -> None:
    path = zipped(tmp_path / "orders.zip", {"app.py": "def handler(event, context): ...\n"})
    manifest = {
        "version": 1,
        "name": "Orders",
        "runtime": RUNTIME,
        "handler": "app.handler",
        "tree_sha256": "",
        "entries": [],
    }
    path.with_suffix(".json").write_text(json.dumps(manifest))
    assert boot(path, Config()).function == "Orders"


@pytest.mark.parametrize(
    ("running", "options", "message"),
    [
        (Running(handler="app.handler"), {}, "nobody says the runtime"),
        (Running(runtime="python3.1", handler="app.handler"), {}, "nothing can be built for 'python3.1'"),
        (Running(runtime="nodejs22.x", handler="app.handler"), {}, "nothing can be built for 'nodejs22.x'"),
        (RUNNING, {"events": ["sqz"]}, "no event is called 'sqz'"),
        (RUNNING, {"environment": {"AWS_REGION": "x"}}, "AWS_REGION is set by Lambda itself"),
        (RUNNING, {"environment": {"A-B": "x"}}, "'A-B' is no name of a variable"),
    ],
)
def test_what_cannot_be_started_is_said(tmp_path: Path, running: Running, options: Any, message: str) -> None:
    path = zipped(tmp_path / "orders.zip", {"app.py": ""})
    with pytest.raises(LambdalintError, match=message):
        boot(path, Config(), running=running, **options)


def test_an_interpreter_that_is_not_here_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "python3.12" if RUNTIME != "python3.12" else "python3.13"
    for name in ("HOME", "PYENV_ROOT", "XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR", "PATH"):
        monkeypatch.setenv(name, str(tmp_path))
    path = zipped(tmp_path / "orders.zip", {"app.py": ""})
    with pytest.raises(Refused, match="no Python 3") as caught:
        boot(path, Config(), running=Running(runtime=other, handler="app.handler"))
    assert caught.value.hint == f"`uv python install {other.removeprefix('python')}`"
    assert caught.value.exit_code == 3


def test_another_architecture_is_said(tmp_path: Path) -> None:
    import platform

    other = "x86_64" if platform.machine() in ("aarch64", "arm64") else "arm64"
    path = zipped(tmp_path / "orders.zip", {"app.py": ""})
    with pytest.raises(Refused, match=f"is for {other}, and this machine is"):
        boot(path, Config(), running=Running(runtime=RUNTIME, handler="app.handler", architecture=other))


def test_an_event_that_is_no_json_is_said(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text("{")
    with pytest.raises(UsageError, match="is not JSON"):
        started(tmp_path, "", str(tmp_path / "event.json"))


@pytest.mark.parametrize(
    "name",
    ["../outside.py", "/outside.py", "a/../../outside.py", "..\\outside.py", "x\0y", "n" * 300, "a/" * 3000 + "b"],
)
def test_nothing_is_unpacked_outside_its_folder(tmp_path: Path, name: str) -> None:
    raw = io.BytesIO()
    with ZipFile(raw, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return 1\n")
        archive.writestr(name, "x")
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "orders.zip").write_bytes(raw.getvalue())
    with suppress(LambdalintError):
        boot(inside / "orders.zip", Config(), running=RUNNING)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert [path.name for path in inside.iterdir()] == ["orders.zip"]


def test_links_are_unpacked_when_they_stay_inside(tmp_path: Path) -> None:
    source = "import os\ndef handler(event, context): return [open('in.txt').read(), os.path.lexists('out.txt')]\n"
    with ZipFile(zipped(tmp_path / "orders.zip", {"app.py": source, "data.txt": "inside"}), "a") as archive:
        for name, target in (("in.txt", "data.txt"), ("out.txt", "/etc/passwd")):
            info = ZipInfo(name)
            info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    found = boot(tmp_path / "orders.zip", Config(), running=RUNNING, events=["sqs"])
    assert json.loads(found.invocations[0].response or "") == ["inside", False]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all", b"PK\x05\x06" + b"\0" * 10])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "orders.zip").write_bytes(content)
    with pytest.raises(LambdalintError):
        boot(tmp_path / "orders.zip", Config(), running=RUNNING)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    huge = Entry(path="a.bin", size=300_000_000, read=lambda: pytest.fail("it was read"))
    with pytest.raises(Refused, match="Lambda takes 262,144,000"):
        unpack([Artifact(path="orders.zip", kind=ArtifactKind.ZIP, entries=(huge,))], tmp_path)


@given(
    st.dictionaries(st.text("abc/._-", min_size=1, max_size=12), st.text("abc/.", min_size=1, max_size=8), max_size=6)
)
def test_no_set_of_links_leads_out(tmp_path_factory: pytest.TempPathFactory, links: dict[str, str]) -> None:
    base = tmp_path_factory.mktemp("links")
    folder = base / "task"
    folder.mkdir()
    inner = {path.strip("/") or "a": target.strip("/") or "b" for path, target in links.items()}
    inner = {path: target for path, target in inner.items() if ".." not in path.split("/") and set(path) - set("./")}
    entry = Entry(path="a/file", size=1, read=lambda: b"x")
    with suppress(Refused):
        unpack([Artifact(path="x.zip", kind=ArtifactKind.ZIP, entries=(entry,), links=inner)], folder)
    assert [path.name for path in base.iterdir()] == ["task"]
    for path in folder.rglob("*"):
        assert Path(os.path.realpath(path)).is_relative_to(folder.resolve())


def test_the_report_is_as_its_schema_says(tmp_path: Path) -> None:
    schema = json.loads((files("lambdalint.reporters") / "schema-boot.json").read_text())
    good = started(tmp_path, "import decimal\ndef handler(event, context): return event['id']\n", "sqs", "iot")
    bad = started(tmp_path, "raise ValueError('\\udcff')\n")
    for found in (good, bad):
        jsonschema.validate(json.loads(render("json", found, View())), schema)
    assert set(document(good)) == set(schema["required"])


def test_a_report_can_be_inspected(tmp_path: Path) -> None:
    found = started(tmp_path, "import wave\ndef handler(event, context): ...\n")
    frames = measured_frames(render("json", found, View()).encode(), "boot.json")
    assert "wave" in {frame.name for frame in frames}


def test_the_text_says_what_happened_and_nothing_a_terminal_obeys(tmp_path: Path) -> None:
    source = "print('\\x1b[2J')\ndef handler(event, context): raise ValueError('\\x1b]0;x\\x07')\n"
    text = render("text", started(tmp_path, source, "sqs"), View())
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "1 event of 1 without an answer" in text
    assert "ValueError" in text


def test_there_is_an_event_for_each_kind_of_trigger() -> None:
    assert set(sample_names()) == {kind.value for kind in TriggerKind} - {"other"}
    shapes = {"rest": ("rest-api",), "http": ("http-api", "function-url"), "alb": ("alb",)}
    for name, kinds in {
        **shapes,
        **{each: (each,) for each in ("s3", "sns", "sqs", "kinesis", "dynamodb", "eventbridge")},
    }.items():
        shape = table("events")[name]
        for kind in kinds:
            event = json.loads(sample_event(kind))
            assert event.keys() <= set(shape["top"].split()), kind
            if "context" in shape:
                assert event["requestContext"].keys() <= set(shape["context"].split()), kind
            if "record" in shape:
                assert event["Records"][0].keys() <= set(shape["record"].split()), kind


def test_the_api_takes_a_chunked_answer_once_and_only_for_the_event_at_hand() -> None:
    heard: list[Message] = []
    with RuntimeApi([b"{}"], heard.append) as api:
        connection = HTTPConnection(api.address, timeout=10)

        def sent(method: str, path: str, body: Any = None, **options: Any) -> int:
            connection.request(method, f"/2018-06-01/runtime/{path}", body, **options)
            answer = connection.getresponse()
            answer.read()
            return answer.status

        assert sent("POST", f"invocation/{request_id(0)}/response", b"early") == 400
        assert sent("GET", "invocation/next") == 200
        assert sent("POST", f"invocation/{request_id(1)}/response", b"other") == 400
        assert sent("POST", "init/error", b"late") == 400
        assert sent("POST", f"invocation/{request_id(0)}/response", iter([b"one ", b"two"]), encode_chunked=True) == 202
        assert sent("POST", f"invocation/{request_id(0)}/error", b"again") == 400
        assert sent("GET", "elsewhere") == 404
        connection.close()
    assert [(each.told, each.body) for each in heard] == [(Told.READY, b""), (Told.ANSWER, b"one two")]


def test_the_api_tells_what_aws_client_asks_for(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "def handler(event, context):\n"
        "    return [context.aws_request_id, context.invoked_function_arn, context.get_remaining_time_in_millis()]\n"
    )
    told = outcome(tmp_path, "app.handler", {})
    request, arn, left = json.loads(told.body)
    assert (told.what, request, arn.split(":")[:3]) == ("answer", request_id(0), ["arn", "aws", "lambda"])
    assert 0 < left <= 900_000


@given(st.lists(st.binary(max_size=60)))
def test_any_line_is_an_import_time_or_given_back(lines: list[bytes]) -> None:
    times = ImportTimes()
    for line in lines:
        for prefix in (b"", b"import time: ", b"import time:         5 |         9 |   "):
            rest = times.take(prefix + line)
            assert rest is None or rest in prefix + line
    depths = [row.depth for row in times.rows()]
    assert all(after <= before + 1 for before, after in pairwise(depths))


def test_streams_keep_lines_whole_and_paths_bounded() -> None:
    with Streams(b"mark") as streams:
        out, err, tell = streams.writers
        os.write(out, b"one\nt")
        os.write(
            err, b"import time:         5 |         5 | os\nmark\nimport time:         7 |         7 | app\nprinted\n"
        )
        os.write(tell, b"r/var/task/app.py\nw/etc/x\nq/odd\n")
        streams.settle()
        os.write(out, b"wo")
        streams.settle()
        text = streams.output()
    assert text == "one\nprinted\ntwo"
    assert [(row.module, row.phase) for row in streams.times.rows()] == [("os", Phase.RUNTIME), ("app", Phase.INIT)]
    assert streams.told == {"r": ["/var/task/app.py"], "w": ["/etc/x"], "c": []}


HEAVY = "import json\nimport pandas as pd\n\ndef handler(event, context):\n    return json.dumps(event)\n"
DECLARED = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.13, MemorySize: 256, Timeout: 20}
"""


def checked(folder: Path, report: Mapping[str, Any] | None, rule: str) -> list[str]:
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "app.py").write_text(HEAVY)
    (folder / "template.yaml").write_text(DECLARED)
    (folder / "boot.json").write_text(json.dumps(report))
    config = Config(select=(rule,), boot=BootSettings(reports=(str(folder / "boot.json"),) if report else ()))
    return [each.message for each in check([folder], config, cache=False).findings]


def report(init_ms: float, pandas_us: int, numpy_us: int) -> dict[str, Any]:
    rows = [("numpy", 0, numpy_us), ("pandas", 0, pandas_us), ("pandas.core", 1, 0)]
    keys = ("module", "depth", "self_us", "cumulative_us", "phase")
    imports = [dict(zip(keys, (*row, row[2], "init"), strict=True)) for row in rows]
    return {"version": 1, "function": "Orders", "init_ms": init_ms, "imports": imports}


def test_what_was_measured_takes_the_place_of_estimates(tmp_path: Path) -> None:
    (estimated,) = checked(tmp_path, None, "unused-heavy-import")
    assert "about" in estimated
    (measured,) = checked(tmp_path, report(2000, 700_000, 123_000), "unused-heavy-import")
    assert "(823 ms as measured, " in measured
    assert checked(tmp_path, report(200, 20_000, 10_000), "unused-heavy-import") == []
    other = {**report(200, 20_000, 10_000), "function": "Other"}
    assert checked(tmp_path, other, "unused-heavy-import") == [estimated]


def test_an_init_that_was_measured_is_held_against_the_limit(tmp_path: Path) -> None:
    assert checked(tmp_path, report(4000, 1, 1), "init-over-budget") == []
    assert checked(tmp_path, report(6250, 1, 1), "init-over-budget") == [
        "init took 6.2 s when it was measured; it is cut off at 10 s"
    ]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"version": 2, "function": "f", "init_ms": 1, "imports": []}', "[" * 100_000]
    + [
        f'{{"version": 1, "function": "f", "init_ms": {odd}, "imports": []}}' for odd in ("null", "NaN", "1e400", '"1"')
    ],
)
def test_what_is_no_report_is_refused(content: str) -> None:
    with pytest.raises(UnreadableInput):
        read_boot_report(content.encode(), "boot.json")


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 4), st.integers(0, 1000)), max_size=20))
def test_what_modules_take_together_is_no_more_than_all_of_it(rows: list[tuple[str, int, int]]) -> None:
    imports = tuple(ImportTime(name, depth, own, own, Phase.INIT) for name, depth, own in rows)
    measured = Measured("f", 1, imports)
    for name in "abcdef":
        whole = measured.whole_ms(name, "abcdef")
        assert (whole is None) is (name not in {each.module for each in imports})
        assert whole is None or whole <= sum(each.self_us for each in imports) / 1000


def test_without_namespaces_writes_are_refused_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)  # a machine without unshare
    source = """
import os
import shutil
def handler(event, context):
    open("/tmp/" + os.environ["NAME"], "w").close()
    os.remove("/tmp/" + os.environ["NAME"])
    try:
        os.mkdir("/var/task/new")
    except OSError as error:
        return [error.errno, os.getcwd() == os.environ["LAMBDA_TASK_ROOT"], "HOME" in os.environ]
"""
    refused = ""
    try:
        found = started(tmp_path, source, "sqs", environment={"NAME": tmp_path.name})
    except Refused as error:
        refused = error.message
    if refused:
        # Root's own Python is out of everybody else's reach.
        assert os.geteuid() == 0
        assert "would run as root" in refused
        return
    assert found.isolation is (Isolation.USER if os.geteuid() == 0 else Isolation.PERMISSIONS)
    assert json.loads(found.invocations[0].response or "") == [errno.EROFS, True, True]
    assert found.refused == ("/var/task/new",)
    assert "/var/task/app.py" in found.files


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_command_says_by_its_exit_code_how_it_went(tmp_path: Path) -> None:
    path = zipped(tmp_path / "orders.zip", {"app.py": "def handler(event, context): return event['id']\n"})
    common = ("boot", str(path), "--runtime", RUNTIME, "--handler", "app.handler")
    assert run(*common).exit_code == 0
    failed = run(*common, "--event", "sqs", "--event", "iot", "--env", "A=1=2", "--timeout", "20", "--memory", "512")
    assert failed.exit_code == 1
    assert "1 event of 2 without an answer" in failed.stdout
    assert run(*common, "--event", "sqz").exit_code == 2
    assert run(*common, "--env", "A").exit_code == 2
    path.write_bytes(b"nothing")
    assert run(*common).exit_code == 3


def test_what_boot_writes_is_what_check_takes(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("import boto3\n\ndef handler(event, context): ...\n")
    (tmp_path / "template.yaml").write_text(DECLARED)
    manifest = {"version": 1, "name": "Orders", "runtime": RUNTIME, "handler": "app.handler"}
    path = zipped(tmp_path / "orders.zip", {"app.py": (tmp_path / "src" / "app.py").read_text()})
    path.with_suffix(".json").write_text(json.dumps({**manifest, "tree_sha256": "", "entries": []}))
    report = tmp_path / "boot.json"
    assert run("boot", str(path), "--output-format", "json", "--output", str(report)).exit_code == 0
    took = Measured.whole_ms(read_boot_report(report.read_bytes(), "boot.json"), "boto3")
    assert took is not None
    template = str(tmp_path / "template.yaml")
    done = run("check", template, "--select", "unused-heavy-import", "--boot-report", str(report), "--no-cache")
    assert took < 50 or "ms as measured" in done.stdout
    odd = run("check", template, "--boot-report", template)
    assert odd.exit_code == 3
    assert "template.yaml is no report of lambdalint boot" in odd.stderr
