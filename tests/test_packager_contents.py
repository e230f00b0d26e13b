"""What is left out of packages and why, what gets bytecode, and that the lists of installed files stay true."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lambdalint.model.values import Known
from lambdalint.packager.build import plan_function
from lambdalint.packager.bytecode import Bytecode
from lambdalint.packager.host import Host
from lambdalint.packager.options import Options
from lambdalint.packager.pack import Loss
from lambdalint.packager.plan import Plan
from lambdalint.packager.sdk import Sdk
from lambdalint.packager.write import write
from lambdalint.readers.tree import Folder
from lambdalint.store import Store
from tests.fake_index import FakeIndex, function, hashed, wheel

HERE = f"python3.{sys.version_info[1]}"
TAG = sys.implementation.cache_tag


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as served:
        yield served


def planned(
    index: FakeIndex,
    folder: Path,
    files: Mapping[str, str],
    options: Options | None = None,
    *,
    runtime: str = HERE,
    handler: str = "app.handler",
    cache: Path | None = None,
) -> Plan:
    for path, text in {"template.yaml": "", **files}.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    asked = function(runtime=runtime)
    asked = replace(asked, handler=Known(handler, asked.span))
    host = Host(
        {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "UV_DEFAULT_INDEX": index.url}, Store(cache), jobs=2
    )
    plan = plan_function(Folder(folder), asked, options or Options(), host)
    assert isinstance(plan, Plan)
    check_records(plan)
    return plan


def check_records(plan: Plan) -> None:
    """Each list of installed files names what is there, with its hash, and all of it."""
    content = {entry.path: entry for entry in plan.entries}
    for path, entry in content.items():
        if not path.endswith(".dist-info/RECORD"):
            continue
        rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(entry.member.read().decode()))}
        assert set(rows) == {other.path for other in plan.entries if other.origin == entry.origin}
        for name, (digest, size) in rows.items():
            assert not digest or digest == hashed(content[name].member.read())
            assert not size or int(size) == content[name].member.size


def paths(plan: Plan) -> set[str]:
    return {entry.path for entry in plan.entries if ".dist-info/" not in entry.path}


def compiled_modules(plan: Plan) -> set[str]:
    return {
        path.replace("__pycache__/", "").replace(f".{TAG}.pyc", "") for path in paths(plan) if path.endswith(".pyc")
    }


LIBRARY = {
    "lib/__init__.py": "from lib import first\n",
    "lib/first.py": "def f():\n    import lib.lazy\n",
    "lib/lazy.py": "",
    "lib/wanted.py": "",
    "lib/never.py": "",
}


def test_bytecode_is_made_of_what_the_start_leads_to(index: FakeIndex, tmp_path: Path) -> None:
    index.add(wheel("lib", "1", files=LIBRARY))
    app = "import lib\n\ndef handler(event, context):\n    import lib.wanted\n"
    files = {"src/app.py": app, "src/other.py": "", "src/requirements.txt": "lib\n"}
    start = {"app", "other", "lib/__init__", "lib/first", "lib/wanted"}
    assert compiled_modules(planned(index, tmp_path, files)) == start
    everything = planned(index, tmp_path, files, Options(bytecode=Bytecode.ALL))
    assert compiled_modules(everything) == start | {"lib/lazy", "lib/never"}
    nothing = planned(index, tmp_path, files, Options(bytecode=Bytecode.NONE))
    assert compiled_modules(nothing) == set()


def test_bytecode_that_is_kept_grows_with_what_is_asked_for(index: FakeIndex, tmp_path: Path) -> None:
    index.add(wheel("lib", "1", files=LIBRARY))
    files = {"src/app.py": "import lib\n", "src/requirements.txt": "lib\n"}
    cache = tmp_path / "cache"
    first = planned(index, tmp_path / "a", files, cache=cache)
    more = planned(index, tmp_path / "a", {**files, "src/app.py": "import lib.never\n"}, cache=cache)
    assert compiled_modules(more) == compiled_modules(first) | {"lib/never"}
    fresh = planned(index, tmp_path / "b", {**files, "src/app.py": "import lib.never\n"})
    assert more.tree_sha256 == fresh.tree_sha256
    again = planned(index, tmp_path / "a", files, cache=cache)
    assert again.tree_sha256 == first.tree_sha256


def test_what_something_unclear_requires_is_compiled_as_well(index: FakeIndex, tmp_path: Path) -> None:
    index.add(
        wheel("lib", "1", files={"lib.py": "for name in NAMES: __import__(name)\n"}, requires=["hidden"]),
        wheel("hidden", "1"),
        wheel("unused", "1"),
    )
    files = {"src/app.py": "import lib\n", "src/requirements.txt": "lib\nunused\n"}
    assert compiled_modules(planned(index, tmp_path, files)) == {"app", "lib", "hidden"}


TESTED = {
    "lib/__init__.py": "",
    "lib/tests/__init__.py": "",
    "lib/tests/test_lib.py": "import lib\n",
    "lib/tests/data.json": "{}",
    "lib/sub/__init__.py": "",
    "lib/sub/test/test_sub.py": "",
}
KEPT = {path for path in TESTED if "/test" not in path}


def test_tests_that_nothing_leads_to_are_left_out_and_listed(index: FakeIndex, tmp_path: Path) -> None:
    index.add(wheel("lib", "1", files=TESTED))
    files = {"src/app.py": "import lib.sub\n", "src/requirements.txt": "lib\n", "src/tests/test_app.py": ""}
    plan = planned(index, tmp_path, files)
    assert {path for path in paths(plan) if path.startswith("lib/") and path.endswith(".py")} == KEPT
    assert "tests/test_app.py" in paths(plan)
    gone = {loss.path: loss.reason for loss in plan.losses["lib 1"]}
    assert gone == dict.fromkeys(TESTED.keys() - KEPT, "a test that nothing in the package leads to")
    document = json.loads(write(plan, tmp_path / "dist").manifest_path.read_text())
    assert {row["path"] for row in document["removed"]} == gone.keys()
    untouched = planned(index, tmp_path, files, Options(trim=False))
    assert set(TESTED) <= paths(untouched)


@pytest.mark.parametrize(
    "extra",
    [
        {"lib/use.py": "def f():\n    from lib.tests import test_lib\n"},
        {"lib/use.py": "from .tests import test_lib\n"},
        {"lib/use.py": "import importlib\nimportlib.import_module('lib.tests.test_lib')\n"},
        {"lib/use.py": "def f(name): return __import__(name)\nPLACE = 'lib.tests'\n"},
        {"lib/use.py": "import os\nopen(os.path.join(os.path.dirname(__file__), 'tests', 'data.json'))\n"},
        {"lib/use.py": "from pathlib import Path\nDATA = Path(__file__).parent / 'tests/data.json'\n"},
        {"lib-1.dist-info/entry_points.txt": "[plugins]\none = lib.tests.test_lib:run\n"},
        {"lib/plugins.json": '["lib.tests.test_lib"]'},
        {"src/other.py": "import lib.tests.test_lib\n"},
        {"src/other.py": "PLUGINS = ['lib.tests.test_lib']\n"},
    ],
)
def test_tests_that_something_leads_to_stay(extra: Mapping[str, str], index: FakeIndex, tmp_path: Path) -> None:
    of_wheel = {path: text for path, text in extra.items() if not path.startswith("src/")}
    index.add(wheel("lib", "1", files={**TESTED, **of_wheel}))
    own = {path: text for path, text in extra.items() if path.startswith("src/")}
    plan = planned(index, tmp_path, {"src/app.py": "import lib\n", "src/requirements.txt": "lib\n", **own})
    assert {path for path in TESTED if path.startswith("lib/tests/")} <= paths(plan)


def test_folders_are_not_left_out_for_their_names(index: FakeIndex, tmp_path: Path) -> None:
    library = {
        "lib/__init__.py": "",
        "lib/testing/test_tools.py": "",
        "lib/_testing/__init__.py": "",
        "lib/test/client.py": "",
        "lib/tests.py": "",
    }
    index.add(wheel("lib", "1", files=library))
    plan = planned(index, tmp_path, {"src/app.py": "import lib\n", "src/requirements.txt": "lib\n"})
    assert library.keys() <= paths(plan)


def test_of_a_used_folder_only_tests_that_nothing_leads_to_go(index: FakeIndex, tmp_path: Path) -> None:
    library = {**TESTED, "lib/use.py": "from lib.tests.support import x\n", "lib/tests/support.py": "x = 1\n"}
    index.add(wheel("lib", "1", files=library))
    plan = planned(index, tmp_path, {"src/app.py": "import lib.use\n", "src/requirements.txt": "lib\n"})
    assert library.keys() - paths(plan) == {"lib/tests/test_lib.py", "lib/sub/test/test_sub.py"}


def test_sources_of_compiled_modules_are_left_out_and_others_stay(index: FakeIndex, tmp_path: Path) -> None:
    library: dict[str, str | bytes] = {
        "lib/__init__.py": "",
        "lib/fast.so": b"\x7fELF",
        "lib/fast.c": "",
        "lib/fast.pyx": "",
        "lib/fast.pxd": "",
        "lib/other.c": "",
    }
    reader: dict[str, str | bytes] = {
        "reader/__init__.py": "SUFFIXES = ['.pyx', '.pxd']\n",
        "reader/a.so": b"\x7fELF",
        "reader/a.pyx": "",
    }
    index.add(wheel("lib", "1", files=library), wheel("reader", "1", files=reader))
    plan = planned(index, tmp_path, {"src/app.py": "", "src/requirements.txt": "lib\nreader\n"})
    assert library.keys() - paths(plan) == {"lib/fast.c", "lib/fast.pyx", "lib/fast.pxd"}
    assert reader.keys() <= paths(plan)
    assert Loss("lib/fast.c", 0, "a source of compiled modules") in plan.losses["lib 1"]


def test_native_files_are_shortened_unless_that_is_not_wanted(index: FakeIndex, tmp_path: Path) -> None:
    import sysconfig

    places = [Path(sysconfig.get_path("stdlib"), "lib-dynload"), Path(sysconfig.get_path("platlib"))]
    from lambdalint.packager.strip import stripped

    data = next(
        content
        for place in places
        for path in sorted(place.rglob("*.so"))
        if (shorter := stripped(content := path.read_bytes())) is not None and len(shorter) < len(content)
    )
    index.add(wheel("lib", "1", files={"lib/fast.so": data, "lib/__init__.py": ""}))
    files = {"src/app.py": "", "src/requirements.txt": "lib\n"}
    plan = planned(index, tmp_path, files, cache=tmp_path / "cache")
    size = next(entry.member.size for entry in plan.entries if entry.path == "lib/fast.so")
    (loss,) = plan.losses["lib 1"]
    assert (loss.path, loss.is_removed, loss.won_bytes) == ("lib/fast.so", False, len(data) - size)
    whole = planned(index, tmp_path, files, Options(strip=False), cache=tmp_path / "cache")
    assert next(entry.member.read() for entry in whole.entries if entry.path == "lib/fast.so") == data


SOURCE = {
    "src/app.py": "import near.used\n\ndef handler(event, context):\n    from far import late\n",
    "src/settings.json": "{}",
    "src/near/__init__.py": "",
    "src/near/used.py": "",
    "src/near/unused.py": "",
    "src/near/templates/mail.txt": "x",
    "src/far/late.py": "",
    "src/other/main.py": "",
    "src/other/data/rows.csv": "x",
}


def test_only_reachable_source_is_packaged_when_asked(index: FakeIndex, tmp_path: Path) -> None:
    plan = planned(index, tmp_path, SOURCE, Options(reachable_source=True, bytecode=Bytecode.NONE))
    left = {path.removeprefix("src/") for path in SOURCE} - paths(plan)
    assert left == {"near/unused.py", "other/main.py", "other/data/rows.csv"}
    assert {loss.path for loss in plan.losses["source"]} == left


@pytest.mark.parametrize(
    ("change", "handler", "said"),
    [
        ({}, "lib.handler", "lib.handler is in none of its modules"),
        (
            {"src/app.py": "import importlib\nimportlib.import_module(NAME)\n"},
            "app.handler",
            "app.py imports by a name",
        ),
    ],
)
def test_all_source_is_packaged_where_it_is_not_clear(
    change: Mapping[str, str], handler: str, said: str, index: FakeIndex, tmp_path: Path
) -> None:
    plan = planned(index, tmp_path, {**SOURCE, **change}, Options(reachable_source=True), handler=handler)
    assert {path.removeprefix("src/") for path in SOURCE} <= paths(plan)
    assert any(said in note for note in plan.notes)


#: A loader that looks for models as botocore's does.
LOADERS = """\
import os
DATA = os.path.join(os.path.dirname(__file__), "data")

def services():
    return sorted(
        name
        for name in os.listdir(DATA)
        if os.path.isdir(os.path.join(DATA, name))
        and any(
            os.path.exists(os.path.join(DATA, name, version, "service-2.json"))
            for version in os.listdir(os.path.join(DATA, name))
        )
    )
"""


def sdk(index: FakeIndex, *, using: str = "") -> None:
    models = {f"botocore/data/{name}/2020-01-01/service-2.json": "{}" for name in ("s3", "sqs", "ec2", "sts", "sso")}
    index.add(
        wheel("boto3", "1.40.0", files={"boto3/__init__.py": "import botocore\n"}, requires=["botocore", "s3transfer"]),
        wheel(
            "botocore",
            "1.40.0",
            files={"botocore/__init__.py": "import jmespath\n", "botocore/loaders.py": LOADERS, **models}
            | {"botocore/data/endpoints.json": "{}"},
            requires=["jmespath", "urllib3", "python-dateutil"],
        ),
        wheel("s3transfer", "0.14", requires=["botocore"]),
        wheel("jmespath", "1"),
        wheel("urllib3", "2"),
        wheel("python-dateutil", "2.9", files={"dateutil.py": "import six\n"}, requires=["six"]),
        wheel("six", "1.17"),
        wheel("other", "1", files={"other.py": using}, requires=["boto3"]),
    )


def slimmed(index: FakeIndex, tmp_path: Path, app: str, **more: str) -> Plan:
    files = {"src/app.py": app, "src/requirements.txt": "boto3\nother\n", **more}
    return planned(index, tmp_path, files, Options(slim_sdk=True))


def models(plan: Plan) -> set[str]:
    return {path.split("/")[2] for path in paths(plan) if path.startswith("botocore/data/") and path.count("/") > 2}


GUARD = "others-left-out-by-lambdalint-package---slim-sdk"


@pytest.mark.parametrize(
    "app",
    [
        "import boto3\nboto3.client('s3')\n",
        "import boto3\nNAME = 's3'\nboto3.resource(service_name=NAME)\n",
        "from boto3 import client as make\nmake('s3')\n",
        "import boto3\nsession = boto3.Session()\ndef handler(a, b): session.client('s3', region_name=a)\n",
        "import helper\n",
    ],
)
def test_models_of_services_without_clients_are_left_out(app: str, index: FakeIndex, tmp_path: Path) -> None:
    sdk(index)
    helper = {"src/helper.py": "import boto3\nboto3.client('s3')\n"} if "helper" in app else {}
    plan = slimmed(index, tmp_path, app, **helper)
    assert models(plan) == {"s3", "sts", "sso", GUARD}
    assert "botocore/data/endpoints.json" in paths(plan)
    place = write(plan, tmp_path / "dist").path
    with zipfile.ZipFile(place) as archive:
        archive.extractall(tmp_path / "task")
    code = "from botocore.loaders import services; print(services())"
    listed = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'task')!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert GUARD in listed.stdout


@pytest.mark.parametrize(
    "app",
    [
        "import boto3\nboto3.client('s3')\ndef handler(event, b): return boto3.client(event['service'])\n",
        "import boto3\nmake = boto3.client\nmake('ec2')\n",
        "import boto3\nboto3.client('s3')\ngetattr(boto3, 'client')('ec2')\n",
        "import boto3\ndef of(name='s3'): return boto3.client(**{'service_name': name})\n",
        "import boto3\nNAME = 's3'\nNAME = 'ec2'\nboto3.client(NAME)\n",
        "import boto3\nimport other\nboto3.client('s3')\n",
        "import boto3\n",
    ],
)
def test_all_models_stay_where_a_client_may_be_of_any_service(app: str, index: FakeIndex, tmp_path: Path) -> None:
    sdk(index, using="import boto3\ndef make(name): return boto3.client(name)\n")
    plan = slimmed(index, tmp_path, app)
    assert models(plan) == {"s3", "sqs", "ec2", "sts", "sso"}
    assert any(note.startswith("no model of the SDK is left out") for note in plan.notes)


def distributions(plan: Plan) -> set[str]:
    assert {entry.origin.split()[0] for entry in plan.entries} - {"source", "bytecode"} == {
        each.name for each in plan.distributions
    }
    return {each.name for each in plan.distributions}


def with_sdk(
    index: FakeIndex, tmp_path: Path, needs: str, app: str = "import boto3\n", policy: Sdk = Sdk.RUNTIME
) -> Plan:
    sdk(index)
    files = {"src/app.py": app, "src/requirements.txt": needs}
    return planned(index, tmp_path, files, Options(sdk=policy), runtime="python3.13")


def test_the_sdk_and_what_only_it_needs_is_left_to_the_runtime(index: FakeIndex, tmp_path: Path) -> None:
    plan = with_sdk(index, tmp_path, "boto3>=1.30\nother\n")
    assert distributions(plan) == {"other"}
    assert any(note.startswith("left to python3.13: boto3 1.40.0, botocore 1.40.0") for note in plan.notes)


def test_what_others_use_of_it_stays(index: FakeIndex, tmp_path: Path) -> None:
    assert distributions(with_sdk(index, tmp_path / "a", "boto3\nurllib3\n")) == {"urllib3"}
    used = with_sdk(index, tmp_path / "b", "boto3\n", "import boto3, dateutil\n")
    assert distributions(used) == {"python-dateutil", "six"}


@pytest.mark.parametrize("needs", ["boto3==1.40.0", "boto3>=1.39", "boto3<2,>=1.30", "botocore~=1.40"])
def test_the_sdk_is_bundled_where_the_runtime_s_own_may_not_do(needs: str, index: FakeIndex, tmp_path: Path) -> None:
    plan = with_sdk(index, tmp_path, f"boto3\n{needs}\n")
    assert {"boto3", "botocore", "six"} <= distributions(plan)
    assert any(note.startswith("the SDK is bundled all the same") for note in plan.notes)


def test_bundling_says_what_it_costs(index: FakeIndex, tmp_path: Path) -> None:
    plan = with_sdk(index, tmp_path, "boto3\n", policy=Sdk.BUNDLE)
    assert any(note.startswith("boto3 1.40.0 and its models take") and "1.38.36" in note for note in plan.notes)


def test_a_pinned_sdk_is_there_though_nobody_requires_it(index: FakeIndex, tmp_path: Path) -> None:
    index.add(wheel("boto3", "1.38.36"), wheel("boto3", "1.41"), wheel("other", "1"))
    files = {"src/app.py": "import boto3\n", "src/requirements.txt": "other\n"}
    plan = planned(index, tmp_path, files, Options(sdk=Sdk.PIN), runtime="python3.13")
    assert {(each.name, each.version) for each in plan.distributions} == {("boto3", "1.38.36"), ("other", "1")}
    bundled = planned(index, tmp_path, files, runtime="python3.13")
    assert distributions(bundled) == {"other"}
