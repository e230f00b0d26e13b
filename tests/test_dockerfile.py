"""Dockerfiles: what the reader sees in them, and how a handler is found through one."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lambdalint
from lambdalint.engine.cache import Cache
from lambdalint.engine.executors import Serial
from lambdalint.engine.run import Options, join
from lambdalint.errors import UnreadableInput
from lambdalint.model.dockerfile import Dockerfile
from lambdalint.model.function import Function, Handling
from lambdalint.model.places import Span
from lambdalint.model.values import Known
from lambdalint.readers.dockerfile import assigned, expanded, read_dockerfile, with_arguments
from lambdalint.readers.tree import MemoryTree

TODAY = date(2026, 11, 22)


def read(text: str) -> Dockerfile:
    return read_dockerfile(text, "Dockerfile")


def cut(text: str, span: Span) -> str:
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return "\n".join(lines)


def test_instructions_have_their_words_and_places() -> None:
    text = '# of ours\nFROM python:3.12 AS base\n\nCMD [ "app.handler", "b c" ]\nrun echo a\n'
    (stage,) = read(text).stages
    command, run = stage.instructions
    assert (stage.name, stage.base) == ("base", "python:3.12")
    assert (command.keyword, command.is_exec) == ("CMD", True)
    assert [word.text for word in command.words] == ["app.handler", "b c"]
    assert [cut(text, word.span) for word in command.words] == ['"app.handler"', '"b c"']
    assert (run.keyword, run.is_exec, run.text) == ("RUN", False, "echo a")
    assert cut(text, run.span) == "run echo a"


def test_lines_go_on_after_comments_and_empty_lines() -> None:
    text = "FROM a\nRUN one \\\n  # between\n\n  two \\\n  three\nUSER me\n"
    run, user = read(text).stages[0].instructions
    assert [word.text for word in run.words] == ["one", "two", "three"]
    assert [(word.span.line, word.span.column) for word in run.words] == [(2, 4), (5, 2), (6, 2)]
    assert cut(text, run.span).endswith("three")
    assert user.keyword == "USER"


def test_the_escape_directive_changes_what_continues_a_line() -> None:
    text = "# escape=`\nFROM a\nCOPY x C:\\\nRUN one `\n  two\n"
    found = read(text)
    copy, run = found.stages[0].instructions
    assert found.escape == "`"
    assert copy.text == "x C:\\"
    assert [word.text for word in run.words] == ["one", "two"]


def test_a_directive_after_anything_else_is_a_comment() -> None:
    assert read("# hello\n# escape=`\nFROM a\n").escape == "\\"


def test_documents_inside_instructions_are_no_instructions() -> None:
    text = "FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY <<-'ONE' <<TWO /x/\n\tfirst\n\tONE\nsecond\nTWO\nUSER me\n"
    (stage,) = read(text).stages
    run, copy, user = stage.instructions
    assert [each.content for each in run.heredocs] == ["FROM b\n"]
    assert [(each.name, each.content, each.expands) for each in copy.heredocs] == [
        ("ONE", "first\n", False),
        ("TWO", "second\n", True),
    ]
    assert cut(text, run.span) == "RUN <<EOF\nFROM b\nEOF"
    assert user.keyword == "USER"


def test_arguments_before_the_first_stage_fill_in_its_base() -> None:
    text = "ARG VERSION=3.12\nARG REGISTRY\nFROM ${REGISTRY:-public.ecr.aws}/lambda/python:$VERSION\nFROM $REGISTRY/x\n"
    found = read(text)
    assert [stage.base for stage in found.stages] == [None, None]
    found = with_arguments(found, {"REGISTRY": "r", "VERSION": "3.13"})
    assert [stage.base for stage in found.stages] == ["r/lambda/python:3.13", "r/x"]
    assert read("ARG V=3.12\nFROM python:${V}-slim\n").stages[0].base == "python:3.12-slim"


def test_stages_are_found_by_name_and_by_number() -> None:
    found = read("FROM a AS Build\nFROM b AS build\nFROM build\n")
    assert found.stage("BUILD", before=2) is found.stages[1]
    assert found.stage("0") is found.stages[0]
    assert found.stage("build", before=1) is found.stages[0]
    assert found.stage("none") is None
    assert found.stage("9" * 4000) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A/x", "1/x"),
        ("${A}2", "12"),
        ("${B:-two}", "two"),
        ("${A:+yes}${B:+no}", "yes"),
        ("\\$A", "$A"),
        ("${E:-empty}${E-kept}", "empty"),
        ("$HIDDEN", None),
        ("$B", None),
    ],
)
def test_variables_are_replaced_as_buildkit_does_it(text: str, value: str | None) -> None:
    assert expanded(text, {"A": "1", "E": "", "HIDDEN": None}) == value


def test_variables_are_set_in_both_forms() -> None:
    stage = read('FROM a\nENV A=1 B="two words" C=$A\nENV OLD value of it\nARG D\n').stages[0]
    first, old, argument = stage.instructions
    assert assigned(first, {"A": "0"}) == {"A": "1", "B": "two words", "C": "0"}
    assert assigned(old, {}) == {"OLD": "value of it"}
    assert assigned(argument, {}) == {"D": None}


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "RUN x\n", "FROM a\nRUN <<EOF\nno end\n", "\\\n\\\n", "FROM a\n" * 4001]
)
def test_what_is_no_dockerfile_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UnreadableInput):
        read(text)


WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=12)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=6))
def test_an_exec_form_is_read_as_it_was_written(commands: list[list[str]]) -> None:
    text = "FROM a\n" + "".join(f"CMD {json.dumps(words)}\n" for words in commands)
    instructions = read(text).stages[0].instructions
    assert [[word.text for word in each.words] for each in instructions] == commands
    assert [[json.loads(cut(text, word.span)) for word in each.words] for each in instructions] == commands


PARTS = st.sampled_from(
    (
        "FROM a",
        "FROM a AS b",
        "COPY",
        "RUN",
        "CMD",
        "<<E",
        "E",
        "\\",
        "\n",
        " ",
        '["',
        '"]',
        "#",
        "$",
        "${A:-",
        "}",
        "'",
        "\t",
    )
)


@given(st.one_of(st.text(), st.lists(PARTS, max_size=40).map("".join)))
def test_whatever_text_is_read_or_refused_and_places_lie_in_it(text: str) -> None:
    try:
        found = read(text)
    except UnreadableInput:
        return
    lines = text.replace("\r\n", "\n").removeprefix("\ufeff").split("\n")
    for stage in found.stages:
        for instruction in (stage.start, *stage.instructions):
            for span in (instruction.span, *(word.span for word in instruction.words)):
                assert 1 <= span.line <= span.end_line <= len(lines)
                assert 0 <= span.column <= len(lines[span.line - 1])
                assert 0 <= span.end_column <= len(lines[span.end_line - 1])


TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      PackageType: Image
    Metadata:
      Dockerfile: Dockerfile
      DockerContext: ./src
"""
APP = "import helper\n\ndef handler(event, context):\n    return helper.answer()\n"
HELPER = "def answer():\n    return 1\n"
BASE = "FROM public.ecr.aws/lambda/python:3.13\n"


def orders(files: Mapping[str, str]) -> Function:
    project = join(MemoryTree(files), [""], Options(today=TODAY), cache=Cache(None), executor=Serial())
    (function,) = (each for each in project.functions if each.template is not None)
    return function


def image(dockerfile: str, template: str = TEMPLATE, **more: str) -> Function:
    files = {"template.yaml": template, "src/Dockerfile": dockerfile, "src/app.py": APP, "src/helper.py": HELPER}
    return orders({**files, **{path.replace("__", "/") + ".py": text for path, text in more.items()}})


@pytest.mark.parametrize(
    "dockerfile",
    [
        BASE + 'COPY app.py helper.py ./\nCMD ["app.handler"]\n',
        BASE + 'COPY app.py ${LAMBDA_TASK_ROOT}\nCOPY helper.py $LAMBDA_TASK_ROOT/\nCMD ["app.handler"]\n',
        BASE + 'COPY . /var/task\nRUN pip install -r requirements.txt -t "${LAMBDA_TASK_ROOT}"\nCMD ["app.handler"]\n',
        BASE + 'COPY *.py ./\nCMD ["app.handler"]\n',
        'ARG V=3.13\nFROM public.ecr.aws/lambda/python:$V AS base\nCOPY . .\nFROM base\nCMD ["app.handler"]\n',
        'FROM python:3.13 AS build\nARG DIR="/function"\nRUN mkdir -p ${DIR}\nCOPY . ${DIR}\n'
        "RUN pip install --target ${DIR} awslambdaric\nFROM python:3.13-slim\nARG DIR=/function\nWORKDIR ${DIR}\n"
        'COPY --from=build ${DIR} ${DIR}\nENTRYPOINT ["/usr/local/bin/python", "-m", "awslambdaric"]\n'
        'CMD ["app.handler"]\n',
        'FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nCMD ["python", "-m", "awslambdaric", "app.handler"]\n',
    ],
)
def test_the_command_of_an_image_is_looked_up_in_the_context_of_its_build(dockerfile: str) -> None:
    function = image(dockerfile)
    assert isinstance(function.handler, Known)
    assert (function.handler.value, function.handler.span.path) == ("app.handler", "src/Dockerfile")
    assert function.target.state is Handling.RESOLVED
    assert function.handler_path == "src/app.py"
    assert set(function.modules.values()) == {"src/app.py", "src/helper.py"}
    assert function.runtime is None


def test_the_base_image_says_which_python_runs() -> None:
    function = image(BASE + 'COPY . .\nCMD ["app.handler"]\n')
    assert function.container is not None
    assert (function.container.base, function.container.python) == ("public.ecr.aws/lambda/python:3.13", "3.13")
    other = image('FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nCMD ["python", "app.py"]\n')
    assert other.container is not None
    assert (other.container.base, other.container.python, other.handler) == ("python:3.13-slim", None, None)


def test_a_target_names_the_stage_that_is_built() -> None:
    stages = BASE.replace("\n", " AS one\n") + 'COPY . .\nCMD ["app.handler"]\n' + BASE + 'CMD ["gone.handler"]\n'
    built = image(stages, TEMPLATE + "      DockerBuildTarget: one\n")
    assert built.target.state is Handling.RESOLVED


def test_the_command_of_the_template_goes_before_that_of_the_dockerfile() -> None:
    stated = TEMPLATE.replace("Image\n", 'Image\n      ImageConfig: {Command: ["other.handler"]}\n')
    function = image(BASE + 'COPY . .\nCMD ["app.handler"]\n', stated, src__other=APP)
    assert function.handler_path == "src/other.py"
    assert isinstance(function.handler, Known)
    assert function.handler.span.path == "template.yaml"


@pytest.mark.parametrize(
    ("dockerfile", "state"),
    [
        (BASE + 'COPY . .\nCMD ["gone.handler"]\n', Handling.NO_MODULE),
        (BASE + 'COPY . .\nCMD ["app.gone"]\n', Handling.NO_SYMBOL),
        (BASE + 'COPY . .\nRUN make build\nCMD ["gone.handler"]\n', Handling.UNJUDGED),
        (BASE + 'COPY . .\nRUN pip install .\nCMD ["gone.handler"]\n', Handling.UNJUDGED),
        (BASE + 'COPY --from=example.com/base /code .\nCOPY . .\nCMD ["gone.handler"]\n', Handling.UNJUDGED),
        (BASE + 'COPY app.py main.py\nCMD ["main.handler"]\n', Handling.UNJUDGED),
        (BASE + 'COPY app.py main.py\nCOPY helper.py ./\nCMD ["main.handler"]\n', Handling.UNJUDGED),
        ('FROM example.com/base:1\nCOPY . .\nCMD ["gone.handler"]\n', Handling.UNJUDGED),
        (BASE + "COPY . .\nCMD app.gone\n", Handling.UNJUDGED),
        (BASE + 'COPY . .\nENTRYPOINT ["/run.sh"]\nCMD ["app.gone"]\n', Handling.UNJUDGED),
        (
            BASE + "COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1 /lambda-adapter "
            '/opt/extensions/lambda-adapter\nCOPY . .\nCMD ["app.gone"]\n',
            Handling.UNJUDGED,
        ),
        ('FROM public.ecr.aws/lambda/nodejs:20\nCOPY . .\nCMD ["app.gone"]\n', Handling.UNJUDGED),
    ],
)
def test_a_handler_of_an_image_is_missed_only_where_the_build_hides_nothing(dockerfile: str, state: Handling) -> None:
    assert image(dockerfile).target.state is state


def test_a_missing_handler_is_found_in_the_dockerfile_and_can_be_mended_there(tmp_path: Path) -> None:
    files = {"template.yaml": TEMPLATE, "src/Dockerfile": BASE + 'COPY . .\nCMD ["app.handle"]\n', "src/app.py": APP}
    for path, text in {**files, "src/helper.py": HELPER}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    (finding,) = [
        each for each in lambdalint.check([tmp_path], today=TODAY, cache=False).findings if each.code == "LH001"
    ]
    assert finding.path.endswith("src/Dockerfile")
    assert (finding.at.line, finding.severity.value) == (3, "error")  # type: ignore[union-attr]
    lambdalint.fix([tmp_path], unsafe=True, today=TODAY, cache=False)
    assert (tmp_path / "src/Dockerfile").read_text("utf-8") == BASE + 'COPY . .\nCMD ["app.handler"]\n'


@pytest.mark.parametrize(
    "dockerfile",
    [
        # Each stage copies the one before it twice, and so has twice as much in it.
        BASE.replace("\n", " AS s0\n")
        + "COPY . .\n"
        + "".join(
            f"FROM scratch AS s{number + 1}\nCOPY --from=s{number} / /a\nCOPY --from=s{number} / /b\n"
            for number in range(200)
        ),
        BASE + "COPY * ./\n" * 3_900,
        BASE + "COPY " + "* " * 100_000 + "./\n",
        BASE + "ENV A=aaaa\n" + "ENV A=$A$A\n" * 3_000 + "COPY $A ./\n",
        "".join(f"FROM {number - 1 if number else 'scratch'}\n" for number in range(3_900)),
    ],
    ids=["doubling", "copies", "patterns", "variables", "stages"],
)
def test_a_dockerfile_cannot_keep_the_reader_busy(dockerfile: str) -> None:
    assert image(dockerfile + 'CMD ["app.handler"]\n').container is not None


READING = 'import os\nURL = os.environ["URL"]\n\ndef handler(event, context):\n    return URL\n'


@pytest.mark.parametrize(
    ("dockerfile", "found"),
    [
        (BASE + 'COPY . .\nCMD ["app.handler"]\n', True),
        (BASE + 'ENV URL=https://example.com\nCOPY . .\nCMD ["app.handler"]\n', False),
        (BASE + 'ARG URL\nENV URL=$URL\nCOPY . .\nCMD ["app.handler"]\n', False),
        (
            "FROM example.com/base:1\nWORKDIR /app\nCOPY . .\n"
            'ENTRYPOINT ["python", "-m", "awslambdaric"]\nCMD ["app.handler"]\n',
            False,
        ),
    ],
)
def test_a_variable_may_be_set_by_the_image(tmp_path: Path, dockerfile: str, found: bool) -> None:
    (tmp_path / "src").mkdir()
    for path, text in {"template.yaml": TEMPLATE, "src/Dockerfile": dockerfile, "src/app.py": READING}.items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    names = [each.name for each in lambdalint.check([tmp_path], today=TODAY, cache=False).findings]
    assert ("undeclared-env-var" in names) is found


def test_a_wrapper_finds_the_real_handler_in_the_variables_of_the_image() -> None:
    text = BASE + 'ENV DD_LAMBDA_HANDLER=app.handler\nCOPY . .\nCMD ["datadog_lambda.handler.handler"]\n'
    assert image(text).handler_path == "src/app.py"


SERVERLESS = """\
service: orders
provider:
  name: aws
  ecr:
    images:
      app: {path: ./src, file: Dockerfile}
functions:
  orders:
    image: {name: app, command: ["app.handler"]}
"""
TERRAFORM = """\
module "image" {
  source      = "terraform-aws-modules/lambda/aws//modules/docker-build"
  source_path = "./src"
}
resource "aws_lambda_function" "orders" {
  function_name = "orders"
  role          = "arn:aws:iam::123456789012:role/orders"
  package_type  = "Image"
  image_uri     = module.image.image_uri
}
"""
BUILT = """\
resource "docker_image" "orders" {
  name = "orders"
  build {
    context = "${path.module}/src"
  }
}
resource "docker_registry_image" "orders" {
  name = docker_image.orders.name
}
resource "aws_lambda_function" "orders" {
  function_name = "orders"
  role          = "arn:aws:iam::123456789012:role/orders"
  package_type  = "Image"
  image_uri     = "${docker_registry_image.orders.name}@${docker_registry_image.orders.sha256_digest}"
}
"""
CDK = {
    "Resources": {
        "Orders": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"PackageType": "Image", "Code": {"ImageUri": {"Fn::Sub": "${AWS::AccountId}.dkr.ecr/x:1"}}},
            "Metadata": {
                "aws:asset:path": "src",
                "aws:asset:dockerfile-path": "Dockerfile",
                "aws:asset:property": "Code.ImageUri",
            },
        }
    }
}


@pytest.mark.parametrize(
    "template",
    [
        {"template.yaml": TEMPLATE},
        {"serverless.yml": SERVERLESS},
        {"main.tf": TERRAFORM},
        {"main.tf": BUILT},
        {"template.json": json.dumps(CDK)},
    ],
    ids=["sam", "serverless", "terraform-module", "terraform-docker", "cdk"],
)
def test_every_language_of_templates_leads_to_the_dockerfile(template: dict[str, str]) -> None:
    dockerfile = BASE + 'COPY . .\nCMD ["app.handler"]\n'
    function = orders({**template, "src/Dockerfile": dockerfile, "src/app.py": APP, "src/helper.py": HELPER})
    assert function.handler_path == "src/app.py"
    assert function.container is not None
    assert function.container.build.context == "src"
