"""The tables of boto3's operations against the models of the botocore that is installed."""

import json
from pathlib import Path

import botocore

from benchmarks.sdk_tables import tables
from lambdalint.aws import sdk

FOLDER = Path(sdk.__file__).parent


def test_the_tables_say_what_botocore_says() -> None:
    for name, made in zip(("sdk", "sdk_times"), tables(), strict=True):
        kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        assert kept["source"] == f"botocore {botocore.__version__}", (
            "make the tables anew: python -m benchmarks.sdk_tables"
        )
        assert {**kept, "as_of": ""} == {**made, "as_of": ""}


def test_operations_are_read_off_the_tables() -> None:
    page = sdk.paginated("s3", "list_objects_v2")
    assert page is not None
    assert page.tokens == {"ContinuationToken", "NextContinuationToken", "IsTruncated"}
    assert page.limit == "MaxKeys"
    assert page.lists == ("Contents", "CommonPrefixes")
    assert sdk.paginated("s3", "get_object") is None
    assert sdk.failures("dynamodb", "batch_write_item") == ("UnprocessedItems",)
    assert sdk.failures("dynamodb", "put_item") == ()
    assert sdk.waiter("rds", "db_instance_available") == sdk.Waiter(30, 60)
    assert "Body" in sdk.undumpable("s3", "get_object")
