import pytest

from lambdalint.facts.needs import Needs, is_public, service_call
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Unknown
from tests.code_facts import loaded, work_out

HERE = Span.whole("template.yaml")
THERE = Span("template.yaml", 9, 4, 9, 20)


def needs(files: dict[str, str] | str, env: dict[str, Known[str] | Unknown] | None = None) -> Needs:
    tree, function = loaded({"app.py": files} if isinstance(files, str) else files, env=Known(env or {}, HERE))
    return work_out(Needs, tree, function)


def services(files: dict[str, str] | str, env: dict[str, Known[str] | Unknown] | None = None) -> list[tuple[str, str]]:
    return [(need.client, need.operation) for need in needs(files, env).services]


def hosts(files: dict[str, str] | str, env: dict[str, Known[str] | Unknown] | None = None) -> list[str]:
    return [need.host for need in needs(files, env).hosts]


def in_handler(*lines: str) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"import os, boto3, requests, urllib.request\ndef handler(event, context):\n{body}\n"


@pytest.mark.parametrize(
    ("name", "need"),
    [
        ("boto3.client(s3).put_object", ("s3", "put_object")),
        ("boto3.Session().client(sqs).send_message", ("sqs", "send_message")),
        ("boto3.session.Session().client(sqs).send_message", ("sqs", "send_message")),
        ("aioboto3.Session().client(s3).get_object", ("s3", "get_object")),
        ("boto3.client(s3).get_paginator().paginate", ("s3", "paginate")),
        ("boto3.client(ec2).get_waiter().wait", ("ec2", "wait")),
        ("boto3.resource(dynamodb).Table().put_item", ("dynamodb", "put_item")),
        ("boto3.resource(s3).meta.client.copy", ("s3", "copy")),
        ("boto3.resource(s3).Bucket().objects.all", ("s3", "all")),
        ("aws_lambda_powertools.utilities.parameters.get_secret", ("secretsmanager", "get_secret_value")),
        ("boto3.client", None),
        ("boto3.resource(dynamodb).Table", None),
        ("boto3.resource(dynamodb).Table().batch_writer", None),
        ("boto3.client(s3).generate_presigned_url", None),
        ("boto3.client(rds).generate_db_auth_token", None),
        ("boto3.client(s3).get_paginator", None),
        ("boto3.client(s3).can_paginate", None),
        ("boto3.client(s3).close", None),
        ("boto3.client(s3).exceptions.NoSuchKey", None),
        ("boto3.client(s3).meta.events.register", None),
        ("paramiko.client(s3).get", None),
    ],
)
def test_a_service_is_needed_for_what_is_sent_to_it(name: str, need: tuple[str, str] | None) -> None:
    assert service_call(name) == need


def test_only_calls_on_the_paths_of_the_handler_count_and_the_first_place_stands() -> None:
    found = needs(
        {
            "app.py": """
                from store import save
                def handler(event, context):
                    save(event)
                    save(event)
            """,
            "store.py": """
                import boto3
                table = boto3.resource("dynamodb").Table("orders")
                def save(item):
                    table.put_item(Item=item)
                    table.get_item(Key=item)
                def never():
                    boto3.client("sqs").send_message()
            """,
        }
    )
    (need,) = found.services
    assert (need.client, need.operation, need.span.path, need.span.line) == ("dynamodb", "put_item", "store.py", 5)
    assert [step.at.path for step in need.way] == ["app.py"]


@pytest.mark.parametrize(
    "client",
    [
        'boto3.client("sqs", endpoint_url=os.environ["QUEUE"])',
        'boto3.client("sqs", **options)',
        'boto3.client(service_name="sqs", endpoint_url="http://localhost:4566")',
    ],
)
def test_a_client_with_an_endpoint_of_its_own_needs_nothing(client: str) -> None:
    assert services(in_handler(f"sqs = {client}", "sqs.send_message()", 'boto3.client("s3").list_buckets()')) == [
        ("s3", "list_buckets")
    ]


def test_an_endpoint_in_the_environment_is_for_every_client() -> None:
    code = in_handler('boto3.client("s3").list_buckets()')
    assert services(code) == [("s3", "list_buckets")]
    assert services(code, {"AWS_ENDPOINT_URL_S3": Known("https://vpce-1.s3.eu-west-1.vpce.amazonaws.com", HERE)}) == []


def test_a_call_that_a_variable_switches_on_is_not_certain() -> None:
    assert hosts(in_handler('if os.environ.get("REPORT"):', '    requests.get("https://example.com/")')) == []


@pytest.mark.parametrize(
    "call",
    [
        'requests.get("https://api.shop.com/v1")',
        'requests.get(url="https://API.shop.com")',
        'requests.request("POST", "https://user:pw@api.shop.com:8443/v1", timeout=3)',
        "requests.Session().post(f\"https://api.shop.com/{event['id']}\")",
        'requests.get("https://api.shop.com/{}".format(event))',
        'requests.get("https://api.shop.com/%s" % event["id"])',
        'requests.get("https://api.shop.com" + "/v1")',
        'urllib.request.urlopen(urllib.request.Request("https://api.shop.com/v1"))',
        'urllib.request.urlopen("https://api.shop.com?q=1")',
        'requests.get(os.environ.get("URL", "https://api.shop.com"))',
        '__import__("x"); import urllib3; urllib3.PoolManager().request("GET", "https://api.shop.com/")',
        'import httpx; httpx.Client(timeout=3).get("https://api.shop.com/")',
        'import http.client; http.client.HTTPSConnection("api.shop.com")',
        'import socket; socket.create_connection(("api.shop.com", 443))',
        'from urllib.parse import urljoin; requests.get(urljoin("https://api.shop.com", event["path"]))',
    ],
)
def test_a_literal_host_is_read_from_any_client(call: str) -> None:
    assert hosts(in_handler(call)) == ["api.shop.com"]


@pytest.mark.parametrize(
    "call",
    [
        'requests.get(event["url"])',
        "requests.get(f\"https://{event['tenant']}.shop.com/\")",
        "requests.get(f\"https://api.{os.environ['STAGE']}.shop.com/\")",
        "requests.get(f\"https://api.shop{event['x']}\")",
        'requests.get("https://api.shop.com", proxies={"https": "http://10.0.0.9"})',
        'requests.get(os.environ["URL"])',
        'requests.get("/relative")',
        'requests.get("http://169.254.169.254/latest/meta-data/")',
        'requests.get("http://localhost:2773/secretsmanager/get")',
        'requests.get("https://sqs.eu-west-1.amazonaws.com/?Action=ListQueues")',
        'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("8.8.8.8", 80))',
    ],
)
def test_a_host_that_is_private_or_not_certain_is_none(call: str) -> None:
    assert hosts(in_handler(call)) == []


def test_a_host_comes_from_constants_of_other_modules_and_variables_of_the_template() -> None:
    found = needs(
        {
            "app.py": """
                import os, requests, settings
                HOOK = os.environ["HOOK"]
                def handler(event, context):
                    requests.get(f"{settings.API}/orders")
                    requests.post(f"{HOOK}/orders")
                    requests.post(os.environ["HIDDEN"])
            """,
            "settings.py": 'API = "https://api.shop.com"\n',
        },
        {"HOOK": Known("https://hooks.slack.com/services", THERE), "HIDDEN": Unknown("!Ref Hook", THERE)},
    )
    assert [(need.host, need.by, need.variable) for need in found.hosts] == [
        ("api.shop.com", "requests.get", None),
        ("hooks.slack.com", "requests.post", THERE),
    ]


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("api.stripe.com", True),
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("checkip.amazonaws.com", True),
        ("a1b2c3.execute-api.eu-west-1.amazonaws.com", True),
        ("d111111abcdef8.cloudfront.net", True),
        ("abc.lambda-url.eu-west-1.on.aws", True),
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("localhost", False),
        ("orders", False),
        ("orders.shop.internal", False),
        ("printer.local", False),
        ("s3.amazonaws.com", False),
        ("db.c1x.eu-west-1.rds.amazonaws.com", False),
        ("bucket.s3.cn-north-1.amazonaws.com.cn", False),
        ("api.example", False),
        ("", False),
    ],
)
def test_a_public_host_is_a_name_or_address_of_the_internet(host: str, public: bool) -> None:
    assert is_public(host) is public
