"""Cloud assemblies of the CDK: stacks, stages, nested stacks, assets, and what the CDK adds by itself."""

import json
from collections.abc import Mapping
from typing import Any

from lambdalint.join.discover import discover
from lambdalint.model.function import CodeKind, Function, TriggerKind
from lambdalint.model.project import Project
from lambdalint.model.template import Dialect
from lambdalint.model.values import Known
from lambdalint.readers.tree import MemoryTree
from lambdalint.testing import check_files, project_of

HANDLER = "def handler(event, context):\n    return {}\n"


def assembly(folder: str, artifacts: Mapping[str, Any], templates: Mapping[str, Any]) -> dict[str, str]:
    """The files of an assembly; templates are given by their resources."""
    files = {f"{folder}/manifest.json": json.dumps({"version": "36.0.0", "artifacts": artifacts}, indent=1)}
    for name, resources in templates.items():
        files[f"{folder}/{name}"] = json.dumps({"Resources": resources}, indent=1)
    return files


def stack(file: str) -> dict[str, Any]:
    """The artifact of one stack."""
    return {"type": "aws:cloudformation:stack", "properties": {"templateFile": file}}


def function(path: str | None, code: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """A function's resource as the CDK writes it."""
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Code": code, "Handler": "app.handler", "Runtime": "python3.13"},
        "Metadata": {**({"aws:cdk:path": path} if path else {}), **metadata},
    }


def uploaded(name: str) -> dict[str, Any]:
    """Code in the bucket that ``cdk bootstrap`` makes."""
    return {"S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": f"{name}.zip"}


def named(project: Project) -> dict[str, Function]:
    """The functions of *project* by their names."""
    return {each.name: each for each in project.functions}


def test_a_function_is_called_by_its_construct_and_its_code_is_its_asset() -> None:
    files = assembly(
        "cdk.out",
        {"Shop": stack("Shop.template.json")},
        {
            "Shop.template.json": {
                "Orders1": function("Shop/Orders/Resource", uploaded("aa"), **{"aws:asset:path": "asset.aa"})
            }
        },
    )
    project = project_of({**files, "cdk.out/asset.aa/app.py": HANDLER})
    found = named(project)["Shop/Orders"]
    assert found.dialect is Dialect.CDK
    assert found.code is not None
    assert (found.code.kind, found.code.path) == (CodeKind.FOLDER, "cdk.out/asset.aa")
    assert found.handler_path == "cdk.out/asset.aa/app.py"
    assert project.templates[0].path == "cdk.out/Shop.template.json"


def test_an_asset_is_found_by_the_asset_manifest_where_the_template_has_no_metadata() -> None:
    files = assembly(
        "cdk.out",
        {
            "Shop": stack("Shop.template.json"),
            "Shop.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Shop.assets.json"}},
        },
        {"Shop.template.json": {"Orders1": function(None, uploaded("aa"))}},
    )
    listed = {"files": {"aa": {"source": {"path": "asset.aa", "packaging": "zip"}}}}
    project = project_of({**files, "cdk.out/Shop.assets.json": json.dumps(listed), "cdk.out/asset.aa/app.py": HANDLER})
    found = named(project)["Orders1"]
    assert found.code is not None
    assert found.code.path == "cdk.out/asset.aa"
    assert found.code.span.path == "cdk.out/Shop.template.json"


def test_stages_and_nested_stacks_are_read_once_each() -> None:
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "https://example.com/x"},
        "Metadata": {"aws:asset:path": "Nest.nested.template.json", "aws:asset:property": "TemplateURL"},
    }
    outer = assembly(
        "cdk.out",
        {
            "Shop": stack("Shop.template.json"),
            "assembly-Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}},
        },
        {
            "Shop.template.json": {"A": function("Shop/A/Resource", uploaded("aa")), "N": nested},
            "Nest.nested.template.json": {"B": function("Shop/Nest/B/Resource", uploaded("aa")), "N": nested},
        },
    )
    inner = assembly(
        "cdk.out/assembly-Prod",
        {"Inner": stack("Inner.template.json")},
        {
            "Inner.template.json": {
                "C": function("Prod/Inner/C/Resource", uploaded("aa"), **{"aws:asset:path": "../asset.aa"})
            }
        },
    )
    project = project_of({**outer, **inner, "cdk.out/asset.aa/app.py": HANDLER})
    assert [each.name for each in project.functions] == ["Shop/A", "Shop/Nest/B", "Prod/Inner/C"]
    assert project.functions[2].handler_path == "cdk.out/asset.aa/app.py"


def test_a_nested_stack_is_found_without_metadata() -> None:
    location = {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::URLSuffix"}, "/cdk-assets-eu-west-1/ab12.json"]]}
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": location}}
    files = assembly(
        "cdk.out",
        {
            "S": stack("S.template.json"),
            "S.assets": {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}},
        },
        {"S.template.json": {"N": nested}, "Nest.nested.template.json": {"B": function(None, uploaded("aa"))}},
    )
    listed = {"files": {"ab12": {"source": {"path": "Nest.nested.template.json", "packaging": "file"}}}}
    project = project_of({**files, "cdk.out/S.assets.json": json.dumps(listed)})
    assert [(each.name, each.template) for each in project.functions] == [("N.B", "cdk.out/S.template.json")]


def test_the_output_counts_whatever_git_ignores() -> None:
    files = assembly(
        "cdk.out", {"S": stack("S.template.json")}, {"S.template.json": {"A": function("S/A", uploaded("a"))}}
    )
    project = project_of({**files, ".gitignore": "cdk.out\n", "cdk.json": '{"app": "python app.py"}'})
    assert [each.name for each in project.functions] == ["S/A"]
    assert not any("cdk synth" in note for note in project.notes)


def test_the_output_may_be_asked_for_by_name() -> None:
    files = assembly(
        "cdk.out", {"S": stack("S.template.json")}, {"S.template.json": {"A": function("S/A", uploaded("a"))}}
    )
    tree = MemoryTree({**files, ".gitignore": "cdk.out\n"})
    assert discover(tree, ["cdk.out"]).roots == [(Dialect.CDK, "cdk.out/manifest.json")]


def test_an_output_without_a_manifest_cannot_be_read() -> None:
    (finding,) = check_files({"cdk.out/S.template.json": '{"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}'}).findings
    assert finding.message == "this output of the CDK has no manifest.json"
    assert finding.path == "cdk.out"


def test_an_app_without_output_is_told_how_to_make_it() -> None:
    result = check_files({"infra/cdk.json": '{"app": "python app.py"}'})
    assert "infra is a CDK app; run `npx cdk synth` and check cdk.out" in result.notes


def test_functions_that_the_cdk_adds_are_not_judged() -> None:
    handler = "BucketNotificationsHandler050a0587b7544547bf325f094a3db834"
    files = assembly(
        "cdk.out",
        {"S": stack("S.template.json")},
        {
            "S.template.json": {
                "A1": function("S/A/Resource", uploaded("a")),
                f"{handler}7ECC3691": function(f"S/{handler}/Resource", {"ZipFile": "def nothing(): ..."}),
                "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8aFD4BFC8A": function(None, uploaded("b")),
                "B1": {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "S/B/Resource"}},
                "N1": {
                    "Type": "Custom::S3BucketNotifications",
                    "Properties": {
                        "ServiceToken": {"Fn::GetAtt": [f"{handler}7ECC3691", "Arn"]},
                        "BucketName": {"Ref": "B1"},
                        "NotificationConfiguration": {
                            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": {"Fn::GetAtt": ["A1", "Arn"]}}]
                        },
                    },
                },
            }
        },
    )
    project = project_of(files)
    assert list(named(project)) == ["S/A"]
    [trigger] = project.functions[0].triggers
    assert trigger.kind is TriggerKind.S3
    assert trigger.source is not None
    assert trigger.source.name == "S/B"
    assert "2 functions that the CDK adds are not judged in cdk.out/S.template.json" in project.notes


def test_references_follow_the_names_of_constructs() -> None:
    files = assembly(
        "cdk.out",
        {"S": stack("S.template.json")},
        {
            "S.template.json": {
                "A1": function("S/A/Resource", uploaded("a")),
                "Q1": {"Type": "AWS::SQS::Queue", "Metadata": {"aws:cdk:path": "S/Jobs/Resource"}},
                "M1": {
                    "Type": "AWS::Lambda::EventSourceMapping",
                    "Properties": {
                        "FunctionName": {"Ref": "A1"},
                        "EventSourceArn": {"Fn::GetAtt": ["Q1", "Arn"]},
                    },
                },
            }
        },
    )
    [trigger] = project_of(files).functions[0].triggers
    assert trigger.kind is TriggerKind.SQS
    assert trigger.source is not None
    assert trigger.source.name == "S/Jobs"


def test_a_broken_assembly_keeps_what_can_be_read() -> None:
    files = assembly(
        "cdk.out",
        {"S": stack("S.template.json"), "T": stack("T.template.json"), "U": stack("../../U.json")},
        {"S.template.json": {"A": function("S/A/Resource", uploaded("a"))}},
    )
    result = check_files({**files, "cdk.out/T.template.json": '{"Resources": '})
    assert [each.name for each in result.functions] == ["S/A"]
    assert [each.path for each in result.failures] == ["cdk.out/T.template.json"]


def test_a_manifest_that_cannot_be_read_is_said() -> None:
    result = check_files({"cdk.out/manifest.json": '{"artifacts": '})
    assert [(each.path, each.message.partition(":")[0]) for each in result.failures] == [
        ("cdk.out/manifest.json", "this is no JSON")
    ]


def test_an_assembly_that_holds_itself_ends() -> None:
    itself = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}
    files = assembly(
        "cdk.out",
        {"S": stack("S.template.json"), "A": itself},
        {"S.template.json": {"A": function(None, uploaded("a"))}},
    )
    assert [each.name for each in project_of(files).functions] == ["A"]


def test_the_region_is_known_where_the_app_says_it() -> None:
    here = {**stack("S.template.json"), "environment": "aws://111122223333/eu-west-1"}
    anywhere = {**stack("T.template.json"), "environment": "aws://unknown-account/unknown-region"}
    made = {"A": function(None, uploaded("a"))}
    files = assembly("cdk.out", {"S": here, "T": anywhere}, {"S.template.json": made, "T.template.json": made})
    regions = [each.region for each in project_of(files).functions]
    assert [each.value if isinstance(each, Known) else each for each in regions] == ["eu-west-1", None]
