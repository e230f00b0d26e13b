"""A layer that everybody may read gives its code, and what lies in it, to any AWS account.

``OrganizationId`` limits that to the accounts of an organisation.  A layer that is for everybody is listed in the
setting ``published-layers``, by its name in the template.

Source: https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html
"""

from lambdalint.rule import Known, Layer, Problem, Problems, Project, Severity, Unknown, rule

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Deps:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: deps/
  Shared:
    Type: AWS::Lambda::LayerVersionPermission
    Properties:
      LayerVersionArn: !Ref Deps
      Action: lambda:GetLayerVersion
      Principal: {principal}
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Layers: [!Ref Deps]
"""
CODE = {"src/app.py": "def handler(event, context): ...\n", "deps/python/rates.py": "answer = 42\n"}


@rule(
    "LY007",
    "public-layer",
    severity=Severity.WARNING,
    since="0.1.0",
    covers=("guard:LAMBDA_NO_WILDCARD_PRINCIPALS",),
    bad={"template.yaml": TEMPLATE.format(principal='"*"  # finding'), **CODE},
    good=(
        {"template.yaml": TEMPLATE.format(principal='"*"\n      OrganizationId: o-a1b2c3d4e5'), **CODE},
        {"template.yaml": TEMPLATE.format(principal='"111122223333"'), **CODE},
    ),
)
def check(layer: Layer, project: Project) -> Problems:
    if layer.name in project.policy.published_layers:
        return
    template = next((each for each in project.templates if each.path == layer.span.path), None)
    for resource in template.resources.values() if template else ():
        if resource.type != "AWS::Lambda::LayerVersionPermission" or resource.get("OrganizationId") is not None:
            continue
        match resource.get("LayerVersionArn"), resource.get("Principal"):
            case Unknown(refers=refers), Known("*", span) if refers is not None and refers.resource == layer.name:
                yield Problem(
                    span,
                    f"anyone may download the layer {layer.name}: principal * without an organisation",
                    hint="name the accounts or an OrganizationId, or list it in published-layers",
                )
