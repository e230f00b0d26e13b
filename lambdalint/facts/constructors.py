"""Callables that make clients, sessions and connections worth keeping from one event to the next."""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Kind(Enum):
    """What is made."""

    AWS = "AWS client"
    HTTP = "HTTP session"
    DATABASE = "database connection"


#: Those bound to an event loop are not among them: a loop that ends with the invocation takes them with it.
CONSTRUCTORS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(
        (
            "aioboto3.Session",
            "aiobotocore.session.get_session",
            "boto3.Session",
            "boto3.Session().client",
            "boto3.Session().resource",
            "boto3.client",
            "boto3.resource",
            "botocore.session.Session",
            "botocore.session.get_session",
            "botocore.session.get_session().create_client",
        ),
        Kind.AWS,
    ),
    **dict.fromkeys(
        (
            "httpx.Client",
            "requests.Session",
            "requests.session",
            "requests.sessions.Session",
            "urllib3.PoolManager",
            "urllib3.poolmanager.PoolManager",
        ),
        Kind.HTTP,
    ),
    **dict.fromkeys(
        (
            "MySQLdb.connect",
            "clickhouse_connect.get_client",
            "clickhouse_driver.Client",
            "cx_Oracle.connect",
            "elasticsearch.Elasticsearch",
            "mysql.connector.connect",
            "neo4j.GraphDatabase.driver",
            "opensearchpy.OpenSearch",
            "oracledb.connect",
            "pg8000.connect",
            "pg8000.native.Connection",
            "psycopg.connect",
            "psycopg2.connect",
            "psycopg2.pool.SimpleConnectionPool",
            "psycopg2.pool.ThreadedConnectionPool",
            "psycopg_pool.ConnectionPool",
            "pymongo.MongoClient",
            "pymongo.mongo_client.MongoClient",
            "pymssql.connect",
            "pymysql.connect",
            "pymysql.connections.Connection",
            "pyodbc.connect",
            "redshift_connector.connect",
            "redis.Redis",
            "redis.Redis.from_url",
            "redis.StrictRedis",
            "redis.cluster.RedisCluster",
            "redis.from_url",
            "snowflake.connector.connect",
            "sqlalchemy.create_engine",
            "sqlalchemy.engine.create_engine",
            "valkey.Valkey",
            "valkey.Valkey.from_url",
            "valkey.from_url",
        ),
        Kind.DATABASE,
    ),
}


def canonical(callee: str) -> str:
    """The shorter of two names that a constructor goes by."""
    return callee.replace("boto3.session.Session", "boto3.Session", 1)
