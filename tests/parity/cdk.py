"""Projects as the CDK puts them out: a manifest, a template in JSON, and assets."""

import json
from typing import Any

from tests.parity.cloudformation import FUNCTION, files, image_uri, resource, resources
from tests.parity.project import Here, Layer, Project, Uploads, Written
from tests.parity.writing import Att, Ref, Sub, as_json, finished

HELPER = "BucketNotificationsHandler050a0587b7544547bf325f094a3db834"
_BUCKET = Sub("cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}")


def written(project: Project) -> Written:
    """A cloud assembly of one stack called Shop."""
    assets: dict[str, str] = {}
    found: dict[str, str | bytes] = {}
    for path, content in files(project, "asset.c0de/").items():
        found[f"cdk.out/{'asset.' if path.endswith('.zip') else ''}{path}"] = content
    declared = resources(project, _code(project, assets))
    if project.dockerfile:
        built = {"aws:asset:path": "asset.c0de", "aws:asset:dockerfile-path": "Dockerfile"}
        declared[FUNCTION]["Metadata"] = {**built, "aws:asset:property": "Code.ImageUri"}
    for layer in project.things:
        if isinstance(layer, Layer):
            name = Here(layer.name.title()) if layer.here else layer.name.title()
            declared[name]["Properties"]["Content"] = _uploaded(layer.name)
            declared[name]["Metadata"] = {"aws:asset:path": f"asset.{layer.name}.zip"}
    _notify(project, declared)
    for name, each in declared.items():
        path = f"Shop/{name.value if isinstance(name, Here) else name}/Resource"
        each["Metadata"] = {"aws:cdk:path": path, **each.get("Metadata", {})}
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Shop.template.json"}}
    listed = {"type": "cdk:asset-manifest", "properties": {"file": "Shop.assets.json"}}
    sources = {name: {"source": {"path": path, "packaging": "zip"}} for name, path in assets.items()}
    template = {
        "Resources": declared,
        "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk/version"}},
        "Rules": {"CheckBootstrapVersion": {"Assertions": []}},
    }
    return finished(
        {
            "cdk.out/manifest.json": json.dumps({"artifacts": {"Shop.assets": listed, "Shop": stack}}, indent=1),
            "cdk.out/Shop.assets.json": json.dumps({"files": sources}, indent=1),
            "cdk.out/Shop.template.json": as_json(template),
            **found,
        }
    )


def _code(project: Project, assets: dict[str, str]) -> dict[str, Any]:
    if project.inline:
        [content] = project.code.values()
        return {"Code": {"ZipFile": content}, "Handler": "index.handler"}
    if project.is_image:
        return {"PackageType": "Image", "Code": {"ImageUri": image_uri(project)}}
    name, path = ("0rde", "asset.orders.zip") if project.archive else ("c0de", "asset.c0de")
    assets[name] = path
    return {"Code": _uploaded(name, here=project.archive_here), "Handler": project.handler}


def _uploaded(name: str, *, here: bool = False) -> dict[str, Any]:
    key = f"{name}.zip"
    return {"S3Bucket": _BUCKET, "S3Key": Here(key) if here else key}


def _notify(project: Project, declared: dict[Any, dict[str, Any]]) -> None:
    """Notifications of a bucket, which the CDK leaves to a function of its own."""
    for trigger in project.invoked_by:
        if isinstance(trigger, Uploads):
            bucket = trigger.bucket.title()
            [configuration] = declared[bucket].pop("Properties")["NotificationConfiguration"]["LambdaConfigurations"]
            events = {"Events": [configuration["Event"]], "LambdaFunctionArn": Att(FUNCTION, "Arn")}
            code = {
                "Code": {"ZipFile": "import json\n\ndef handler(event, context): ...\n"},
                "Handler": "index.handler",
            }
            declared[HELPER] = resource("AWS::Lambda::Function", {**code, "Runtime": "python3.13", "Timeout": 300})
            declared["Notifications"] = resource(
                "Custom::S3BucketNotifications",
                {
                    "ServiceToken": Att(HELPER, "Arn"),
                    "BucketName": Ref(bucket),
                    "NotificationConfiguration": {"LambdaFunctionConfigurations": [events]},
                },
            )
