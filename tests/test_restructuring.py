"""Fixes that change the structure of code: what they write, and where they leave it alone."""

import ast

import pytest

from lambdalint.model.changes import (
    AddEndpoint,
    AnswerFailures,
    AwaitByWaiter,
    BoundCache,
    Change,
    CollectFailures,
    DefaultInBody,
    DropCall,
    HandleRecords,
    HideException,
    LoadOnce,
    MoveImport,
    MoveIntoFunction,
    Paginate,
    ReadAbsent,
    RenameItem,
    Replace,
    ReturnEvent,
    UseTemporary,
)
from lambdalint.model.places import Span
from tests.test_fixer import changed, span


def rewritten(text: str, change: Change) -> str | None:
    """*text* after *change*, which Python can still read."""
    found = changed(text, change)
    ast.parse(found or "")
    return found


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("a = e['q']['id']  # why\n", "e['q']['id']", "a = (e.get('q') or {}).get('id')  # why\n"),
        ("a = e.get('q', {}).get('id', 1)\n", "e.get('q', {}).get('id', 1)", "a = (e.get('q') or {}).get('id', 1)\n"),
        ("f(q.get('id'))\n", "q.get('id')", "f((q or {}).get('id'))\n"),
        ("a = e.get('q', OTHER).get('id')\n", "e.get('q', OTHER).get('id')", None),
        ("a = b in e['q']['id']\n", "e['q']['id']", None),
        ("a = int(e['q']['id'])\n", "e['q']['id']", None),
        ("a = f\"{e['q']['id']}\"\n", "e['q']['id']", None),
        ("a = e['q']['id'].strip()\n", "e['q']['id']", None),
        ("a = make()['id']\n", "make()['id']", None),
    ],
)
def test_what_may_be_absent_is_read_as_none(text: str, part: str, expected: str | None) -> None:
    assert rewritten(text, ReadAbsent(span(text, part))) == expected


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("def h(e, c):\n    print(e)  # why\n", "def h(e, c):", "def h(e, c):\n    print(e)  # why\n    return e\n"),
        (
            "class A:\n  def h(self, e, c):\n    f()\n",
            "def h",
            "class A:\n  def h(self, e, c):\n    f()\n    return e\n",
        ),
        ("def h(e, c):\n    return {'a': 1}\n", "{'a': 1}", "def h(e, c):\n    return e\n"),
        ("def h(e, c):\n    return  # why\n", "return", "def h(e, c):\n    return e  # why\n"),
        ("def h(e, c):\n    return work(e)\n", "work(e)", None),
        ("def h(e, c):\n    e = None\n    print(e)\n", "def h(e, c):", None),
        ("def h(e, c): print(e)\n", "def h(e, c):", None),
    ],
)
def test_the_event_is_returned(text: str, part: str, expected: str | None) -> None:
    assert rewritten(text, ReturnEvent(span(text, part))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def h(e):\n    a()\n    b(e)\n", "def h(e):\n    a()\n"),
        ("def h(e):\n    a()\n    b(e)  # why\n", "def h(e):\n    a()\n    # why\n"),
        ("def h(e):\n    b(e)\n", None),
        ("def h(e):\n    a(); b(e)\n", None),
        ("def h(e):\n    a()\n    x = b(e)\n", None),
    ],
)
def test_a_call_is_left_out(text: str, expected: str | None) -> None:
    assert rewritten(text, DropCall(span(text, "b(e)"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import a as b  # why\n\ndef f():\n    '''Doc.'''\n    return b.c\n",
            "\ndef f():\n    '''Doc.'''\n    import a as b  # why\n    return b.c\n",
        ),
        (
            "import a\n\ndef f():\n    # why\n    return a.c\n",
            "\ndef f():\n    import a\n    # why\n    return a.c\n",
        ),
        ("import a as b, c\n\ndef f():\n    return b.c\n", None),
        ("import a as b\n\ndef f(x=b.c):\n    return b.c\n", None),
        ("import a as b\n\ndef f():\n    return b.c\n\ndef g():\n    return b\n", None),
        ("import a as b\n\ndef f():\n    b = 1\n    return b\n", None),
    ],
)
def test_an_import_moves_to_who_uses_it(text: str, expected: str | None) -> None:
    part = text[: text.index("\n")].partition("  #")[0]
    assert rewritten(text, MoveImport(span(text, part), ("f",))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NOW = t()  # why\ndef f():\n    g(NOW, NOW)\n", "def f():\n    now = t()  # why\n    g(now, now)\n"),
        ("NOW = t()\ndef f(now):\n    g(NOW)\n", "def f(now):\n    NOW = t()\n    g(NOW)\n"),
        ("NOW = t()\ndef f():\n    g(NOW)\nprint(NOW)\n", None),
        ("NOW = t()\ndef f(x=NOW):\n    g(x)\n", None),
        ("NOW = t()\ndef f():\n    g(NOW)\ndef h():\n    g(NOW)\n", None),
        ("NOW = t()\ndef f(t):\n    g(NOW)\n", None),
        ("A = NOW = t()\ndef f():\n    g(NOW)\n", None),
    ],
)
def test_a_value_moves_into_its_function(text: str, expected: str | None) -> None:
    assert rewritten(text, MoveIntoFunction(span(text, "t()"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(a=t()):\n    return a\n", "def f(a=None):\n    if a is None:\n        a = t()\n    return a\n"),
        ("def f(*, b, a=t()):\n  return a\n", "def f(*, b, a=None):\n  if a is None:\n    a = t()\n  return a\n"),
        ("def f(a: int = t()):\n    return a\n", None),
        ("def f(a=t()):\n    t = 1\n    return a\n", None),
        ("def f(a=t()): return a\n", None),
    ],
)
def test_a_default_is_worked_out_in_the_call(text: str, expected: str | None) -> None:
    assert rewritten(text, DefaultInBody(span(text, "t()"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "from functools import cache\n@cache\ndef f(): ...\n",
            "from functools import lru_cache\n@lru_cache(maxsize=9)\ndef f(): ...\n",
        ),
        (
            "from functools import cache, wraps\n@cache\ndef f(): ...\n@cache\ndef g(): ...\n",
            "from functools import cache, lru_cache, wraps\n@lru_cache(maxsize=9)\ndef f(): ...\n@cache\n"
            "def g(): ...\n",
        ),
        ("@functools.cache\ndef f(): ...\n", "@functools.lru_cache(maxsize=9)\ndef f(): ...\n"),
        ("@lru_cache(None)\ndef f(): ...\n", "@lru_cache(9)\ndef f(): ...\n"),
        ("@lru_cache(maxsize=None, typed=True)\ndef f(): ...\n", "@lru_cache(maxsize=9, typed=True)\ndef f(): ...\n"),
        ("@lru_cache\ndef f(): ...\n", None),
    ],
)
def test_a_cache_gets_a_bound(text: str, expected: str | None) -> None:
    assert rewritten(text, BoundCache(span(text, "def f()"), 9)) == expected


@pytest.mark.parametrize(
    ("text", "by_table", "expected"),
    [
        ("x = c.scan()\n", False, 'x = c.get_paginator("scan").paginate().build_full_result()\n'),
        ("x = c.scan(A=1)['B']\n", False, "x = c.get_paginator(\"scan\").paginate(A=1).build_full_result()['B']\n"),
        (
            "x = t.scan(\n    A=1,  # why\n)\n",
            True,
            'x = t.meta.client.get_paginator("scan").paginate(\n'
            "    TableName=t.name, A=1,  # why\n).build_full_result()\n",
        ),
        ("x = d.Table('t').scan(A=1)\n", True, None),
        ("x = c.scan(**more)\n", False, None),
        ("async def f():\n    x = await c.scan(A=1)\n", False, None),
    ],
)
def test_all_pages_are_got(text: str, by_table: bool, expected: str | None) -> None:
    start = text.index("c.scan" if "c.scan" in text else "d.Table" if "d.Table" in text else "t.scan")
    part = text[start : text.rindex(")") + 1]
    assert rewritten(text, Paginate(span(text, part), "scan", by_table=by_table)) == expected


WAITERS = (("exists", ("Table", "Status"), "ACTIVE"), ("ready", ("Things[]", "State"), "ready"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import time\nimport x\ndef f():\n    while c.describe(A=1)['Table']['Status'] != 'ACTIVE':\n"
            "        time.sleep(5)  # why\n",
            'import x\ndef f():\n    c.get_waiter("exists").wait(A=1)  # why\n',
        ),
        (
            "def f():\n    while True:\n        a = c.describe(A=1)\n        b = a['Things'][0].get('State')\n"
            "        time.sleep(5)\n        if b == 'ready':\n            break\n    g()\n",
            'def f():\n    c.get_waiter("ready").wait(A=1)\n    g()\n',
        ),
        (
            "def f():\n    while True:\n        a = c.describe()\n        if a['Table']['Status'] == 'ACTIVE':\n"
            "            break\n        time.sleep(5)\n    return a\n",
            None,
        ),
        (
            "def f():\n    while True:\n        a = c.describe()\n        if a['Table']['Status'] == 'FAILED':\n"
            "            break\n        time.sleep(5)\n",
            None,
        ),
        (
            "def f():\n    while True:\n        a = c.describe()\n        print(a)\n"
            "        if a['Table']['Status'] == 'ACTIVE':\n            break\n        time.sleep(5)\n",
            None,
        ),
    ],
)
def test_a_waiter_takes_the_place_of_a_loop(text: str, expected: str | None) -> None:
    assert rewritten(text, AwaitByWaiter(span(text, "time.sleep(5)"), "describe", WAITERS)) == expected


@pytest.mark.parametrize(
    ("body", "part", "expected"),
    [
        (
            "    d = tempfile.mkdtemp(prefix='a')  # why\n    x = '''\n a\n'''\n    run(d)\n    return 1\n",
            "tempfile.mkdtemp(prefix='a')",
            "    with tempfile.TemporaryDirectory(prefix='a') as d:  # why\n        x = '''\n a\n'''\n        run(d)\n"
            "    return 1\n",
        ),
        (
            "    f = tempfile.NamedTemporaryFile(delete=False)\n    f.write(e)\n    f.close()\n    run(f.name)\n",
            "tempfile.NamedTemporaryFile(delete=False)",
            "    with tempfile.NamedTemporaryFile() as f:\n        f.write(e)\n        f.flush()\n"
            "        run(f.name)\n",
        ),
        (
            "    f = tempfile.NamedTemporaryFile(delete=False)\n    f.write(e)\n    f.close()\n    return 1\n",
            "tempfile.NamedTemporaryFile(delete=False)",
            "    with tempfile.NamedTemporaryFile() as f:\n        f.write(e)\n    return 1\n",
        ),
        (
            "    if e:\n        p = f'/tmp/{e}'\n        s3.get(p)\n        x = read(p)\n    return x\n",
            "s3.get(p)",
            "    if e:\n        with tempfile.TemporaryDirectory() as folder:\n            p = f'{folder}/{e}'\n"
            "            s3.get(p)\n            x = read(p)\n    return x\n",
        ),
        (
            "    p = '/tmp/' + e\n    s3.get(p)\n    put('/tmp/{}.x'.format(e))\n",
            "s3.get(p)",
            "    with tempfile.TemporaryDirectory() as folder:\n        p = folder + '/' + e\n        s3.get(p)\n"
            "        put(folder + '/{}.x'.format(e))\n",
        ),
        ("    d = tempfile.mkdtemp()\n    run(d)\n    return d\n", "tempfile.mkdtemp()", None),
        ("    d = tempfile.mkdtemp()\n    self.d = d\n", "tempfile.mkdtemp()", None),
        ("    d = tempfile.mkdtemp()\n    found.append(d)\n", "tempfile.mkdtemp()", None),
        ("    if e:\n        d = tempfile.mkdtemp()\n        run(d)\n    run(d)\n", "tempfile.mkdtemp()", None),
        ("    d = tempfile.mkdtemp()\n    g = lambda: run(d)\n", "tempfile.mkdtemp()", None),
        ("    p = '/tmp/' + e\n    s3.get(p)\n\ndef g():\n    return open('/tmp/x')\n", "s3.get(p)", None),
        ("    p = '/tmp/a/' + e\n    s3.get(p)\n", "s3.get(p)", None),
    ],
)
def test_what_is_temporary_goes_with_its_block(body: str, part: str, expected: str | None) -> None:
    head = "import tempfile\n\ndef h(e, c):\n"
    found = rewritten(head + body, UseTemporary(span(head + body, part)))
    assert found == (None if expected is None else head + expected)


@pytest.mark.parametrize(
    ("body", "file", "expected"),
    [
        (
            "    with open('/tmp/a.csv', 'a') as f:\n        f.write(e)\n    put('/tmp/a.csv')\n",
            True,
            '    with tempfile.NamedTemporaryFile(suffix=".csv") as temporary:\n'
            "        with open(temporary.name, 'a') as f:\n            f.write(e)\n        put(temporary.name)\n",
        ),
        (
            "    if e:\n        get('/tmp/a.csv')\n    return open('/tmp/a.csv').read()\n",
            False,
            "    with tempfile.TemporaryDirectory() as folder:\n        if e:\n            get(f'{folder}/a.csv')\n"
            "        return open(f'{folder}/a.csv').read()\n",
        ),
        ("    get('/tmp/a.csv')\n    put('/tmp/a.csv.gz')\n", False, None),
        ("    get('/tmp/a.csv')\n\ndef g():\n    put('/tmp/a.csv')\n", False, None),
    ],
)
def test_a_constant_name_becomes_one_of_its_own(body: str, file: bool, expected: str | None) -> None:
    text = f"import tempfile\n\ndef h(e, c):\n{body}"
    part = "open('/tmp/a.csv', 'a')" if file else "get('/tmp/a.csv')"
    found = rewritten(text, UseTemporary(span(text, part), "/tmp/a.csv", file=file))
    assert found == (None if expected is None else f"import tempfile\n\ndef h(e, c):\n{expected}")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "    r = e['Records'][0]  # why\n    f(r)\n\n    g(r['b'])\n    return {'ok': 1}\n",
            "    for r in e['Records']:  # why\n        f(r)\n\n        g(r['b'])\n    return {'ok': 1}\n",
        ),
        (
            "    try:\n        f(e['Records'][0]['a'], e['Records'][0]['b'])\n    except E:\n        g()\n",
            "    try:\n        for record in e['Records']:\n            f(record['a'], record['b'])\n    except E:\n"
            "        g()\n",
        ),
        ("    r = e['Records'][0]\n    x = f(r)\n    return x\n", None),
        ("    r = e['Records'][0]\n    if not r:\n        return\n    f(r)\n", None),
        ("    r = e['Records'][0]\n    f(r)\n    g(len(e['Records']))\n", None),
        ("    for x in y:\n        f(e['Records'][0])\n", None),
    ],
)
def test_all_records_are_handled(body: str, expected: str | None) -> None:
    text = f"def h(e, c):\n{body}"
    found = rewritten(text, HandleRecords(span(text, "e['Records'][0]")))
    assert found == (None if expected is None else f"def h(e, c):\n{expected}")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("        f(r)\n        return 1  # why\n", "        f(r)\n    return 1  # why\n"),
        ("        if r:\n            return 2\n        return 1\n", None),
        ("        x = f(r)\n        return x\n", None),
        ("        return 1\n", None),
    ],
)
def test_the_loop_comes_to_its_end(body: str, expected: str | None) -> None:
    head = "def h(e, c):\n    for r in e['Records']:\n"
    at = head + body
    part = "return x" if "return x" in body else "return 1"
    assert rewritten(at, HandleRecords(span(at, part))) == (None if expected is None else head + expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "def h(e, c):\n    # all\n    for r in e['Records']:\n        try:\n            f(r)\n"
            "        except Exception as x:\n            log(x)\n            continue\n        g(r)\n"
            "    return {'ok': 1}\n",
            "def h(e, c):\n    failures = []\n    # all\n    for r in e['Records']:\n        try:\n            f(r)\n"
            "        except Exception as x:\n            log(x)\n"
            '            failures.append({"itemIdentifier": r["a"]["b"]})\n            continue\n        g(r)\n'
            '    return {"batchItemFailures": failures}\n',
        ),
        (
            "def h(e, c):\n    for r in e['Records']:\n        try:\n            f(r)\n"
            "        except Exception:\n            pass\n",
            "def h(e, c):\n    failures = []\n    for r in e['Records']:\n        try:\n            f(r)\n"
            '        except Exception:\n            failures.append({"itemIdentifier": r["a"]["b"]})\n'
            '    return {"batchItemFailures": failures}\n',
        ),
        (
            "def h(e, c):\n    for r in e['Records']:\n        try:\n            f(r)\n"
            "        except Exception:\n            return\n",
            None,
        ),
        (
            "def h(e, c):\n    bad = []\n    for r in e['Records']:\n        try:\n            f(r)\n"
            "        except Exception:\n            bad.append(r['id'])\n",
            None,
        ),
        (
            "def h(e, c):\n    for r in e['Records']:\n        try:\n            f(r)\n"
            "        except Exception:\n            log(r)\n    return answer(e)\n",
            None,
        ),
    ],
)
def test_failures_are_collected(text: str, expected: str | None) -> None:
    assert rewritten(text, CollectFailures(span(text, "Exception"), ("a", "b"))) == expected


TRY = "import json\n\ndef h(e, c):\n    try:\n        return f(e)\n"


@pytest.mark.parametrize(
    ("body", "part", "expected"),
    [
        (
            "    except Exception as x:\n        print(x)\n        return {'body': json.dumps({'m': f'Bad: {x}'})}\n",
            "{'body': json.dumps({'m': f'Bad: {x}'})}",
            "    except Exception as x:\n        print(x)\n        return {'body': json.dumps({'m': 'Bad'})}\n",
        ),
        (
            "    except Exception as x:\n        return g('Bad: ' + str(x))  # why\n",
            "g('Bad: ' + str(x))",
            "    except Exception:\n        traceback.print_exc()\n        return g('Bad')  # why\n",
        ),
        ("    except Exception as x:\n        return g(f'{x} {e}')\n", "g(f'{x} {e}')", None),
        ("    except Exception as x:\n        y = str(x)\n        return g(y)\n", "g(y)", None),
    ],
)
def test_what_an_exception_says_stays_inside(body: str, part: str, expected: str | None) -> None:
    found = rewritten(TRY + body, HideException(span(TRY + body, part)))
    if expected is not None and "traceback" in expected:
        assert found == (TRY + expected).replace("import json", "import json\nimport traceback")
    else:
        assert found == (None if expected is None else TRY + expected)


def test_a_logger_of_the_module_is_used() -> None:
    text = f"logger = logging.getLogger()\n{TRY}    except Exception as x:\n        return str(x)\n"
    found = rewritten(text, HideException(span(text, "str(x)")))
    assert found is not None
    assert found.endswith(
        '    except Exception:\n        logger.exception("request failed")\n        return "internal error"\n'
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "    '''Doc.'''\n    f(e)  # why\n    cfnresponse.send(e, c, 'SUCCESS', {})\n",
            "    '''Doc.'''\n    try:\n        f(e)  # why\n        cfnresponse.send(e, c, 'SUCCESS', {})\n"
            "    except Exception as error:\n        print(error)\n"
            '        cfnresponse.send(e, c, cfnresponse.FAILED, {"Error": str(error)}, e.get("PhysicalResourceId"))\n',
        ),
        ("    f(e)\n    answer(e)\n", None),
        ("    e = g(e)\n    cfnresponse.send(e, c, 'SUCCESS', {})\n", None),
        (
            "    f(e)\n    try:\n        cfnresponse.send(e, c, 'SUCCESS', {})\n    except Exception:\n        pass\n",
            None,
        ),
    ],
)
def test_a_custom_resource_answers_that_it_failed(body: str, expected: str | None) -> None:
    head = "import cfnresponse\n\ndef h(e, c):\n"
    found = rewritten(head + body, AnswerFailures(span(head + body, "def h(e, c):")))
    assert found == (None if expected is None else head + expected)


@pytest.mark.parametrize(
    ("test", "is_answered"),
    [("e['RequestType'] == 'Delete'", True), ("e['RequestType'] == 'Create'", False), ("g(e)", False)],
)
def test_a_deletion_with_nothing_to_do_is_answered(test: str, is_answered: bool) -> None:
    head = f"import cfnresponse\n\ndef h(e, c):\n    if {test}:\n"
    tail = "        return  # why\n    cfnresponse.send(e, c, 'SUCCESS', {})\n"
    sent = '        cfnresponse.send(e, c, cfnresponse.SUCCESS, {}, e.get("PhysicalResourceId"))\n'
    found = rewritten(head + tail, AnswerFailures(span(head + tail, "return")))
    assert found == (head + sent + tail if is_answered else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import json\n\n\n# why\ndef h(e):\n    with open('a') as f:\n        a = json.load(f)\n"
            "    return a[e['b']]\n",
            "import json\n\n\nwith open('a') as f:\n    a = json.load(f)\n\n\n# why\ndef h(e):\n    return a[e['b']]\n",
        ),
        (
            "def h(e):\n    a = json.load(f)  # why\n    return a.get('b', {}).get('c')\n",
            "a = json.load(f)  # why\n\ndef h(e):\n    return a.get('b', {}).get('c')\n",
        ),
        ("def h(e):\n    a = json.load(f)\n    a['b'] = e\n    return a['b']\n", None),
        ("def h(e):\n    a = json.load(f)\n    b = a['b']\n    b['c'] = e\n", None),
        ("def h(e):\n    a = json.load(f)\n    return a\n", None),
        ("def h(f):\n    a = json.load(f)\n    return a['b']\n", None),
        ("def h(e):\n    if e:\n        a = json.load(f)\n        return a['b']\n", None),
    ],
)
def test_a_file_is_loaded_once_where_it_is_only_looked_up_in(text: str, expected: str | None) -> None:
    assert rewritten(text, LoadOnce(span(text, "json.load(f)"))) == expected


def test_single_values_and_keys_are_replaced() -> None:
    text = "return_({'statusCode': 200, 'a': 1})  # why\n"
    at = span(text, "{'statusCode': 200, 'a': 1}")
    assert rewritten(text, Replace(at, "500", ("statusCode",))) == text.replace("200", "500")
    assert rewritten(text, RenameItem(at, "a", "b")) == text.replace("'a'", "'b'")
    assert rewritten(text, RenameItem(at, "c", "b")) is None


NETWORK = 'resource "aws_vpc" "v" {\n}\nresource "aws_route_table" "t" {\n}\nresource "aws_subnet" "s" {\n}\n'


@pytest.mark.parametrize(
    ("path", "text", "at", "expected"),
    [
        ("t.yaml", "Resources:\n  V: {}\n  T: {}\n  S:\n    Type: A\n", Span("t.yaml", 4, 2, 4, 3), "!Ref T"),
        ("t.json", '{"Resources": {"V": {}, "T": {}, "S": {}}}', Span("t.json", 1, 33, 1, 36), '{"Ref": "T"}'),
        ("t.yaml", "Resources:\n  V: {}\n  S:\n    Type: A\n", Span("t.yaml", 3, 2, 3, 3), None),
        ("t.yaml", "Resources:\n  V: {}\n  T: {}\n  S3Endpoint: {}\n  S: {}\n", Span("t.yaml", 5, 2, 5, 3), None),
        ("m.tf", NETWORK, Span("m.tf", 5, 22, 5, 25), "[aws_route_table.t.id]"),
        ("m.tf", NETWORK.replace('"t" {\n', '"t" {\n  count = 2\n'), Span("m.tf", 6, 22, 6, 25), None),
    ],
)
def test_an_endpoint_is_declared_beside_the_subnet(path: str, text: str, at: Span, expected: str | None) -> None:
    names = ("aws_vpc.v", ("aws_route_table.t",)) if path == "m.tf" else ("V", ("T",))
    found = changed(text, AddEndpoint(at, "s3", *names), path=path)
    assert (found is None) == (expected is None)
    assert expected is None or expected in (found or "")
