"""The code of the faulty and the healthy functions; a line marked by ``# finding`` is where the fault is found."""

from typing import Final

from tests.parity.project import MARK


def healthy(code: str) -> str:
    """*code* as such, for a function whose surroundings make the difference."""
    return code.replace(f"  {MARK}", "")


CALLING: Final = """\
import requests

def handler(event, context):
    return requests.get("https://api.stripe.com/v1/charges", timeout=3).json()  # finding
"""
STORING: Final = """\
import boto3
from botocore.config import Config

table = boto3.resource("dynamodb", config=Config(connect_timeout=1, read_timeout=2)).Table("orders")

def handler(event, context):
    table.put_item(Item=event)  # finding
"""
SECRET: Final = """\
import boto3
from botocore.config import Config

secrets = boto3.client("secretsmanager", config=Config(connect_timeout=1, read_timeout=2))

def handler(event, context):
    secrets.get_secret_value(SecretId="orders")  # finding
"""
LOOP: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for record in event["Records"]:
        table.update_item(Key={"id": str(record)}, AttributeUpdates={})
"""
FAILURES: Final = """\
def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}

def work(record): ...
"""
STREAM_FAILURES: Final = FAILURES.replace('record["messageId"]', 'record["kinesis"]["sequenceNumber"]')
LOGGED: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    for record in event["Records"]:
        try:
            table.put_item(Item=dict(record))
        except Exception as error:  # finding
            print(error)
"""
NOT_REPORTED: Final = """\
def handler(event, context):
    for record in event["Records"]:
        try:
            work(record)
        except Exception as error:
            print(error)
    return {"failed": []}  # finding

def work(record): ...
"""
FIRST_RECORD: Final = """\
def handler(event, context):
    return event["Records"][0]["body"]  # finding
"""
SILENT: Final = """\
import boto3
import cfnresponse

ssm = boto3.client("ssm")

def handler(event, context):
    ssm.put_parameter(Name="orders", Value="1", Type="String")  # finding
    cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, "orders")
"""
ANSWERING: Final = """\
import boto3
import cfnresponse

ssm = boto3.client("ssm")

def handler(event, context):
    try:
        ssm.put_parameter(Name="orders", Value="1", Type="String")
        cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, "orders")
    except Exception as error:
        print(error)
        cfnresponse.send(event, context, cfnresponse.FAILED, {}, "orders")
"""
WRITES_BACK: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        s3.put_object(Bucket=record["s3"]["bucket"]["name"], Key="latest", Body=b"")  # finding
"""
WRITES_ELSEWHERE: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        s3.put_object(Bucket="thumbnails", Key="latest", Body=b"")
"""
DELETING: Final = """\
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        print(record["body"])
        sqs.delete_message(QueueUrl="jobs", ReceiptHandle=record["receiptHandle"])  # finding
"""
OUT_OF_ORDER: Final = FAILURES.replace("except Exception:", f"except Exception:  {MARK}")
NOT_FINE: Final = """\
def handler(event, context):
    try:
        return {"statusCode": 200, "body": work(event)}
    except Exception as error:
        print(error)
        return {"statusCode": 500, "body": "could not work"}

def work(event):
    return event["body"] or ""
"""
FINE: Final = NOT_FINE.replace('500, "body": "could not work"}', '200, "body": "could not work"}  # finding')
TELLING: Final = NOT_FINE.replace('"could not work"}', 'f"could not work: {error}"}  # finding')
WITH_ID: Final = """\
import boto3
import cfnresponse

ssm = boto3.client("ssm")

def handler(event, context):
    try:
        if event["RequestType"] == "Delete":
            ssm.delete_parameter(Name="orders")
        cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, "orders")
    except Exception as error:
        print(error)
        cfnresponse.send(event, context, cfnresponse.FAILED, {}, "orders")
"""
WITHOUT_ID: Final = WITH_ID.replace('SUCCESS, {}, "orders")', "SUCCESS, {})  # finding")
JOB: Final = """\
def handler(event, context):  # finding
    print(event["CodePipeline.job"]["id"])
"""
JOB_REPORTED: Final = """\
import boto3

pipeline = boto3.client("codepipeline")

def handler(event, context):
    job = event["CodePipeline.job"]["id"]
    try:
        pipeline.put_job_success_result(jobId=job)
    except Exception as error:
        print(error)
        details = {"type": "JobFailed", "message": "see the log"}
        pipeline.put_job_failure_result(jobId=job, failureDetails=details)
"""
MAILING: Final = """\
import boto3

ses = boto3.client("ses")

def handler(event, context):
    for record in event["Records"]:
        ses.send_email(Source="a@example.com", Destination={}, Message={})  # finding
"""
SENDING: Final = """\
import os
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["JOBS"], MessageBody="hello")
"""
STORING_OBJECT: Final = """\
import os
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    s3.put_object(Bucket=os.environ["PICTURES"], Key="a", Body=b"")
"""
PUBLISHING: Final = """\
import os
import boto3

sns = boto3.client("sns")

def handler(event, context):
    sns.publish(TopicArn=os.environ["DONE"], Message="hello")
"""
NATIVE: Final = """\
import fast

def handler(event, context):
    return fast.answer(event)
"""
MATCHING: Final = """\
def handler(event, context):
    match event:  # finding
        case {}:
            return None
"""

ASSIGNED: Final = """\
import os

os.environ["AWS_REGION"] = "eu-west-1"  # finding

def handler(event, context): ...
"""
ASSIGNED_OWN: Final = """\
import os

os.environ["TZ"] = "UTC"

def handler(event, context): ...
"""

DATE: Final = """\
from datetime import datetime

def handler(event, context):
    return {"at": datetime.now()}  # finding
"""
DATE_TEXT: Final = """\
from datetime import datetime

def handler(event, context):
    return {"at": datetime.now().isoformat()}
"""

SET: Final = """\
def handler(event, context):
    return {1, 2}  # finding
"""
LIST: Final = """\
def handler(event, context):
    return [1, 2]
"""

CLIENT_EACH_TIME: Final = """\
import boto3

def handler(event, context):
    boto3.client("s3").list_buckets()  # finding
"""
CLIENT_ONCE: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    s3.list_buckets()
"""

HEAVY_IMPORT: Final = """\
import pandas  # finding

def handler(event, context):
    return event
"""
LIGHT_IMPORT: Final = """\
import json

def handler(event, context):
    return json.dumps(event)
"""

KEPT_EVENT: Final = """\
current = None

def handler(event, context):
    global current
    if "user" in event:
        current = event["user"]  # finding
    return work()

def work():
    return current
"""
PASSED_EVENT: Final = """\
def handler(event, context):
    return work(event.get("user"))

def work(current):
    return current
"""

BESIDE_THE_CODE: Final = """\
def handler(event, context):
    with open("out.txt", "w") as file:  # finding
        file.write("x")
"""
FIXED_NAME: Final = """\
def handler(event, context):
    with open("/tmp/out.txt", "a") as file:  # finding
        file.write(event["text"])
"""
LEFT_BEHIND: Final = """\
import tempfile

def handler(event, context):
    file = tempfile.NamedTemporaryFile("w", delete=False)  # finding
    file.write(event["text"])
    file.close()
"""
TEMPORARY: Final = """\
import tempfile

def handler(event, context):
    with tempfile.TemporaryFile("w") as file:
        file.write(event["text"])
"""

PROCESS_POOL: Final = """\
import multiprocessing

def handler(event, context):
    with multiprocessing.Pool(2) as pool:  # finding
        return pool.map(str, event["orders"])
"""
THREAD_POOL: Final = """\
from concurrent.futures import ThreadPoolExecutor

def handler(event, context):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(str, event["orders"]))
"""

SET_VARIABLE: Final = """\
import os

def handler(event, context):
    os.environ["TENANT"] = event["tenant"]  # finding
"""
READ_VARIABLE: Final = """\
import os

def handler(event, context):
    return os.environ.get("TENANT", event["tenant"])
"""

MOVED: Final = """\
import os

def handler(event, context):
    os.chdir(event["folder"])  # finding
    return os.listdir()
"""
NOT_MOVED: Final = """\
import os

def handler(event, context):
    return os.listdir(event["folder"])
"""

NOT_MOUNTED: Final = """\
def handler(event, context):
    with open("/mnt/models/orders.bin", "rb") as model:  # finding
        return len(model.read())
"""
IN_TMP: Final = """\
def handler(event, context):
    with open("/tmp/orders.bin", "rb") as model:
        return len(model.read())
"""

STARTED_THREAD: Final = """\
import threading

def handler(event, context):
    threading.Thread(target=print).start()  # finding
"""
JOINED_THREAD: Final = """\
import threading

def handler(event, context):
    thread = threading.Thread(target=print)
    thread.start()
    thread.join()
"""

CLIENT_OF_A_LOOP: Final = """\
import asyncio

import httpx

client = httpx.AsyncClient()  # finding

def handler(event, context):
    asyncio.run(answer())

async def answer():
    await client.get("https://example.com", timeout=3)
"""
CLIENT_IN_THE_LOOP: Final = """\
import asyncio

import httpx

def handler(event, context):
    asyncio.run(answer())

async def answer():
    async with httpx.AsyncClient() as client:
        await client.get("https://example.com", timeout=3)
"""

HOME_CACHE: Final = """\
import nltk

nltk.download("punkt")  # finding

def handler(event, context):
    return nltk.word_tokenize(event["text"])
"""
TMP_CACHE: Final = """\
import nltk

nltk.download("punkt", download_dir="/tmp")

def handler(event, context):
    return nltk.word_tokenize(event["text"])
"""

MISSING_FILE: Final = """\
import os

def handler(event, context):
    with open(os.path.join(os.path.dirname(__file__), "schema.json")) as schema:  # finding
        return schema.read()
"""
NO_FILE: Final = """\
def handler(event, context):
    return __file__
"""

GROWING_LIST: Final = """\
results = []

def handler(event, context):
    results.append(event["order"])  # finding
    return results
"""
LOCAL_LIST: Final = """\
def handler(event, context):
    results = []
    results.append(event["order"])
    return results
"""

FROZEN_DATE: Final = """\
from datetime import date

TODAY = date.today()  # finding

def handler(event, context):
    return {"overdue": event["date"] < TODAY.isoformat()}
"""
DATE_OF_NOW: Final = """\
from datetime import date

def handler(event, context):
    return {"overdue": event["date"] < date.today().isoformat()}
"""

ENDLESS_CACHE: Final = """\
from functools import cache

@cache
def customer(name):  # finding
    return name

def handler(event, context):
    return customer(event["customer"])
"""
BOUNDED_CACHE: Final = """\
from functools import lru_cache

@lru_cache(maxsize=500)
def customer(name):
    return name

def handler(event, context):
    return customer(event["customer"])
"""

IDLE_CONNECTION: Final = """\
import pymysql

connection = pymysql.connect(host="db")  # finding

def handler(event, context):
    with connection.cursor() as cursor:
        cursor.execute("select 1")
"""
CHECKED_CONNECTION: Final = """\
import pymysql

connection = pymysql.connect(host="db")

def handler(event, context):
    connection.ping()
    with connection.cursor() as cursor:
        cursor.execute("select 1")
"""

FLUSH_AT_EXIT: Final = """\
import atexit

from buffers import buffer

atexit.register(buffer.flush)  # finding

def handler(event, context):
    buffer.add(event)
"""
FLUSH_IN_TIME: Final = """\
from buffers import buffer

def handler(event, context):
    buffer.add(event)
    buffer.flush()
"""

UNKNOWN_SIZE: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    s3.download_file("orders", event["key"], "/tmp/order.csv")  # finding
"""
KNOWN_SIZE: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    size = s3.head_object(Bucket="orders", Key=event["key"])["ContentLength"]
    if size < 1_000_000:
        s3.download_file("orders", event["key"], "/tmp/order.csv")
"""

BY_BARE_NAME: Final = """\
def handler(event, context):
    with open("schema.json") as schema:  # finding
        return schema.read()
"""
BESIDE_ITSELF: Final = """\
from pathlib import Path

def handler(event, context):
    return Path(__file__).with_name("schema.json").read_text()
"""

PATIENT: Final = """\
import requests

def handler(event, context):
    requests.get("https://example.com")  # finding
"""
IMPATIENT: Final = """\
import requests

def handler(event, context):
    requests.get("https://example.com", timeout=3)
"""
TOO_PATIENT: Final = """\
import requests

def handler(event, context):
    requests.get("https://example.com", timeout=30)  # finding
"""

ENCODED_KEY: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        s3.get_object(Bucket="b", Key=key)  # finding
"""
DECODED_KEY: Final = """\
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        key = unquote_plus(record["s3"]["object"]["key"])
        s3.get_object(Bucket="b", Key=key)
"""

BODY_OF_DATA: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": {"orders": []}}  # finding
"""
BODY_OF_TEXT: Final = """\
import json

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"orders": []})}
"""

READS_TABLE: Final = """\
import os

TABLE = os.environ["TABLE"]  # finding

def handler(event, context):
    return TABLE
"""
READS_TABLE_NAME: Final = """\
import os

TABLE = os.environ["TABLE_NAME"]

def handler(event, context):
    return TABLE
"""

EXITS: Final = """\
import sys

def handler(event, context):
    if not event:
        sys.exit(1)  # finding
    return event
"""
RAISES: Final = """\
def handler(event, context):
    if not event:
        raise ValueError("no event")
    return event
"""
DEFERRED: Final = """\
async def handler(event, context):  # finding
    return event
"""
AWAITED: Final = """\
import asyncio

async def work(event):
    return event

def handler(event, context):
    return asyncio.run(work(event))
"""
REQUEST_ID: Final = """\
def handler(event, context):
    return context.request_id  # finding
"""
AWS_REQUEST_ID: Final = """\
def handler(event, context):
    return context.aws_request_id
"""
FETCHED_AT_IMPORT: Final = """\
import requests

RATES = requests.get("https://api.example.com/rates", timeout=20).json()  # finding

def handler(event, context):
    return RATES
"""
SECRET_AT_IMPORT: Final = """\
import boto3
from botocore.config import Config

config = Config(connect_timeout=1, read_timeout=2)
PASSWORD = boto3.client("secretsmanager", config=config).get_secret_value(SecretId="orders")["SecretString"]

def handler(event, context):
    return len(PASSWORD)
"""
TEST_IMPORT: Final = """\
from unittest.mock import MagicMock  # finding

def handler(event, context):
    return bool(MagicMock)
"""
FIRST_PAGE: Final = """\
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    found = s3.list_objects_v2(Bucket="pictures")  # finding
    return [each["Key"] for each in found["Contents"]]
"""
EVERY_PAGE: Final = """\
import boto3

pages = boto3.client("s3").get_paginator("list_objects_v2")

def handler(event, context):
    return [each["Key"] for page in pages.paginate(Bucket="pictures") for each in page["Contents"]]
"""
UNCHECKED_BATCH: Final = """\
import boto3

kinesis = boto3.client("kinesis")

def handler(event, context):
    kinesis.put_records(StreamName="orders", Records=event["records"])  # finding
"""
CHECKED_BATCH: Final = """\
import boto3

kinesis = boto3.client("kinesis")

def handler(event, context):
    if kinesis.put_records(StreamName="orders", Records=event["records"])["FailedRecordCount"]:
        raise RuntimeError("not all are sent")
"""
LONG_WAIT: Final = """\
import boto3

rds = boto3.client("rds")

def handler(event, context):
    waiter = rds.get_waiter("db_instance_available")  # finding
    waiter.wait(DBInstanceIdentifier=event["db"])
"""
SHORT_WAIT: Final = """\
import boto3

rds = boto3.client("rds")

def handler(event, context):
    waiter = rds.get_waiter("db_instance_available")
    waiter.wait(DBInstanceIdentifier=event["db"], WaiterConfig={"Delay": 2, "MaxAttempts": 5})
"""
POLLING: Final = """\
import time
import boto3

glue = boto3.client("glue")

def handler(event, context):
    while not glue.get_job_run(JobName="orders", RunId=event["id"])["JobRun"]:
        time.sleep(5)  # finding
"""
ASKING_ONCE: Final = """\
import boto3

glue = boto3.client("glue")

def handler(event, context):
    return bool(glue.get_job_run(JobName="orders", RunId=event["id"])["JobRun"])
"""

TWO_HANDLERS: Final = """\
def handler(event, context):
    return "old"

def handler(event, context):  # finding
    return "new"
"""
SENT_AT_IMPORT: Final = """\
import boto3

events = boto3.client("events")
events.put_events(Entries=[])  # finding

def handler(event, context):
    return event
"""
PARSED_EACH_TIME: Final = """\
import json

def handler(event, context):
    with open("routes.json") as file:
        return json.load(file)  # finding
"""
PARSED_ONCE: Final = """\
import json

with open("routes.json") as file:
    ROUTES = json.load(file)

def handler(event, context):
    return ROUTES
"""
SWALLOWED_AT_IMPORT: Final = """\
import boto3

try:
    rows = boto3.resource("dynamodb").Table("rows")
except Exception:
    rows = None

def handler(event, context):
    rows.put_item(Item=event)  # finding
"""
RAISED_AT_IMPORT: Final = """\
import boto3

rows = boto3.resource("dynamodb").Table("rows")

def handler(event, context):
    rows.put_item(Item=event)
"""
DEFAULT_TIMEOUTS: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")  # finding

def handler(event, context):
    return {"statusCode": 200, "body": table.get_item(Key={"id": "1"})["Item"]["text"]}
"""
OWN_TIMEOUTS: Final = """\
import boto3
from botocore.config import Config

config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
table = boto3.resource("dynamodb", config=config).Table("orders")

def handler(event, context):
    return {"statusCode": 200, "body": table.get_item(Key={"id": "1"})["Item"]["text"]}
"""
CHAINED: Final = """\
import boto3

functions = boto3.client("lambda")

def handler(event, context):
    functions.invoke(FunctionName="billing", Payload=b"{}")  # finding
"""
UNCHAINED: Final = """\
import boto3

functions = boto3.client("lambda")

def handler(event, context):
    functions.invoke(FunctionName="billing", InvocationType="Event", Payload=b"{}")
"""
ENDLESS_CONNECT: Final = """\
import psycopg2

connection = psycopg2.connect(host="db.example.com", dbname="orders")  # finding

def handler(event, context):
    return connection.closed
"""
LIMITED_CONNECT: Final = """\
import psycopg2

connection = psycopg2.connect(host="db.example.com", dbname="orders", connect_timeout=3)

def handler(event, context):
    return connection.closed
"""
FLOAT_STORED: Final = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    table.put_item(Item={"id": event["id"], "price": 9.99})  # finding
"""
DECIMAL_STORED: Final = """\
from decimal import Decimal
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    table.put_item(Item={"id": event["id"], "price": Decimal("9.99")})
"""
ITEM_DUMPED: Final = """\
import json
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    return json.dumps(table.get_item(Key={"id": event["id"]})["Item"])  # finding
"""
ITEM_DUMPED_AS_TEXT: Final = """\
import json
import boto3

table = boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    return json.dumps(table.get_item(Key={"id": event["id"]})["Item"], default=str)
"""

NEEDED_BY_SOME: Final = """\
import pandas  # finding

def handler(event, context):
    if event["format"] == "xlsx":
        return export(event["orders"])
    return lines(event["orders"])

def lines(orders):
    return [str(order) for order in orders]

def export(orders):
    return pandas.DataFrame(orders).to_json()
"""
IMPORTED_THERE: Final = """\
def handler(event, context):
    if event["format"] == "xlsx":
        return export(event["orders"])
    return lines(event["orders"])

def lines(orders):
    return [str(order) for order in orders]

def export(orders):
    import pandas
    return pandas.DataFrame(orders).to_json()
"""
MANY_IMPORTS: Final = """\
import litellm  # finding
import statsmodels.api
import anthropic
import awswrangler
import dask.dataframe
import fastapi
import fitz
import flask
import geopandas
import google.cloud.bigquery
import kubernetes
import langchain.agents
import langchain_aws
import nltk
import openai
import polars
import s3fs
import seaborn
import sqlalchemy.orm
import sympy

def handler(event, context):
    return event
"""
SENT_ONE_BY_ONE: Final = """\
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    for record in event["Records"]:
        sqs.send_message(QueueUrl="q", MessageBody=record["body"])  # finding
"""
SENT_TOGETHER: Final = """\
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    entries = [{"Id": each["messageId"], "MessageBody": each["body"]} for each in event["Records"]]
    if sqs.send_message_batch(QueueUrl="q", Entries=entries).get("Failed"):
        raise RuntimeError("not all are sent")
"""
OLD_PAYLOAD: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": event["httpMethod"]}  # finding
"""
NEW_PAYLOAD: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": event["requestContext"]["requestId"]}
"""
NO_QUERY: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": event["queryStringParameters"]["id"]}  # finding
"""
ANY_QUERY: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": (event.get("queryStringParameters") or {}).get("id", "")}
"""
CAPITAL_HEADER: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": event["headers"].get("Content-Type", "")}  # finding
"""
SMALL_HEADER: Final = """\
def handler(event, context):
    return {"statusCode": 200, "body": event["headers"].get("content-type", "")}
"""
UPLOAD_KEY: Final = """\
def handler(event, context):
    for record in event["Records"]:
        print(record["s3"])  # finding
"""
MESSAGE_KEY: Final = """\
def handler(event, context):
    for record in event["Records"]:
        print(record["body"])
"""
UNTOLD_RESULT: Final = """\
def handler(event, context):
    done = [{"recordId": event["records"][0]["recordId"], "result": "OK", "data": "e30="}]
    return {"records": done}  # finding
"""
TOLD_RESULT: Final = """\
def handler(event, context):
    done = [{"recordId": event["records"][0]["recordId"], "result": "Ok", "data": "e30="}]
    return {"records": done}
"""
ENCODED_DATA: Final = """\
import json

def handler(event, context):
    for record in event["Records"]:
        print(json.loads(record["kinesis"]["data"]))  # finding
"""
DECODED_DATA: Final = """\
import base64
import json

def handler(event, context):
    for record in event["Records"]:
        print(json.loads(base64.b64decode(record["kinesis"]["data"])))
"""
BARE_BODY: Final = """\
import json

def handler(event, context):
    for record in event["Records"]:
        print(json.loads(record["body"])["order"])  # finding
"""
