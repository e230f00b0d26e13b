from pathlib import Path
from typing import Any

import pytest

from lambdalint.config import Config, PackageSettings
from lambdalint.errors import ConfigError, ExitCode
from lambdalint.model.finding import Confidence, Profile, Severity

EVERYTHING = """\
select = ["LN", "missing-handler"]
extend-select = ["LC"]
ignore = ["checkov:CKV_AWS_116"]
profile = "strict"
fail-on = "never"
min-confidence = "medium"
honour-foreign-ignores = false
exclude = ["vendored/"]
per-path-ignores = { "tests/**" = ["LG", "LK001"] }
parameter-overrides = { Stage = "prod", Memory = 512 }
stage = "prod"
variable-files = ["prod.tfvars"]

[package]
manifest = "locks/pylock.toml"
venv = ".venv"
extras = ["aws"]
groups = ["lambda"]
sdist = "pure"
"""


def written(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_every_setting_is_read(tmp_path: Path) -> None:
    file = written(tmp_path, "lambdalint.toml", EVERYTHING)
    assert Config.find([tmp_path]) == Config(
        select=("LN", "missing-handler"),
        extend_select=("LC",),
        ignore=("checkov:CKV_AWS_116",),
        profile=Profile.STRICT,
        fail_on=None,
        min_confidence=Confidence.MEDIUM,
        honour_foreign_ignores=False,
        exclude=("vendored/",),
        per_path_ignores={"tests/**": ("LG", "LK001")},
        parameter_overrides={"Stage": "prod", "Memory": "512"},
        stage="prod",
        variable_files=("prod.tfvars",),
        package=PackageSettings(
            manifest="locks/pylock.toml", venv=".venv", extras=("aws",), groups=("lambda",), sdist="pure"
        ),
        file=file,
    )


def test_without_any_file_the_defaults_hold(tmp_path: Path) -> None:
    config = Config.find([tmp_path])
    assert config == Config()
    assert config.fail_on is Severity.WARNING
    assert config.min_confidence is Confidence.LOW


def test_the_nearest_file_counts_and_a_pyproject_that_is_silent_about_us_does_not(tmp_path: Path) -> None:
    above = written(tmp_path, "pyproject.toml", '[tool.lambdalint]\nprofile = "strict"\n')
    written(tmp_path / "service", "pyproject.toml", '[project]\nname = "service"\n')
    (tmp_path / "service" / "src").mkdir()
    assert Config.find([tmp_path / "service" / "src"]).file == above
    near = written(tmp_path / "service", "lambdalint.toml", "")
    assert Config.find([tmp_path / "service" / "src"]).file == near
    assert Config.find([tmp_path / "service" / "src"]).profile is Profile.DEFAULT


def test_our_own_file_goes_before_the_shared_one(tmp_path: Path) -> None:
    written(tmp_path, "pyproject.toml", '[tool.lambdalint]\nprofile = "strict"\n')
    own = written(tmp_path, "lambdalint.toml", "")
    assert Config.find([tmp_path]).file == own


def test_several_paths_are_configured_by_what_is_above_all_of_them(tmp_path: Path) -> None:
    written(tmp_path / "a", "lambdalint.toml", 'profile = "strict"')
    (tmp_path / "b").mkdir()
    assert Config.find([tmp_path / "a", tmp_path / "b"]).file is None
    template = written(tmp_path / "a", "template.yaml", "")
    assert Config.find([template]).profile is Profile.STRICT


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("selct = []", "there is no setting 'selct'", "did you mean 'select'?"),
        ("fail_on = 'error'", "there is no setting 'fail_on'", "did you mean 'fail-on'?"),
        ("zzz = 1", "there is no setting 'zzz'", "there are select, extend-select, ignore, profile, fail-on,"),
        ('select = "LN"', 'select must be a list of strings, not "LN"', 'write ["LN"]'),
        ("select = 3", "select must be a list of strings, not the number 3", None),
        ("ignore = ['LN', 3]", "ignore must be a list of strings, but holds the number 3", None),
        ("fail-on = 'eror'", 'fail-on must be error, warning, info or never, not "eror"', 'did you mean "error"?'),
        ("min-confidence = 1.5", "min-confidence must be high, medium or low, not the number 1.5", None),
        ("profile = []", "profile must be default or strict, not a list", None),
        ("honour-foreign-ignores = 1", "honour-foreign-ignores must be true or false, not the number 1", None),
        ("exclude = {}", "exclude must be a list of strings, not a table", None),
        ("per-path-ignores = true", "per-path-ignores must be a table of patterns, not true", "for example"),
        (
            'per-path-ignores = { "tests/**" = "LG" }',
            "per-path-ignores of 'tests/**' must be a list of strings, not \"LG\"",
            'write ["LG"]',
        ),
        ('exclude = ["!"]', "exclude holds '!', which is no pattern as git has them", None),
        ('per-path-ignores = { "!" = ["LG"] }', "per-path-ignores holds '!', which is no pattern", None),
        ("package = 3", "package must be a table, not the number 3", "for example"),
        ("[package]\nsdists = 'pure'", "package has no setting 'sdists'", "did you mean 'sdist'?"),
        ("[package]\nsdist = 'prue'", "package has the setting sdist, which must be deny,", 'did you mean "pure"?'),
        ("select = [", "this is not TOML: ", None),
        ("select = 2026-11-22", "select must be a list of strings, not the date 2026-11-22", None),
    ],
)
def test_what_nobody_understands_is_named_with_its_file(
    tmp_path: Path, text: str, message: str, hint: str | None
) -> None:
    file = written(tmp_path, "lambdalint.toml", text)
    with pytest.raises(ConfigError) as raised:
        Config.find([tmp_path])
    assert raised.value.message.startswith(f"{file}: {message}")
    assert (raised.value.hint or "").startswith(hint or "")
    assert bool(raised.value.hint) == bool(hint)
    assert raised.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe lambdalint", "this is not UTF-8"),
        (b"lambdalint = " + b"[" * 5000, "this is not TOML"),
        (b"tool.lambdalint = 3", "tool.lambdalint must be a table, not the number 3"),
    ],
)
def test_a_file_that_is_no_configuration_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        Config.find([tmp_path])


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the file cannot be read: No such file"):
        Config.read(tmp_path / "gone.toml")


@pytest.mark.parametrize("text", ["tool = 3 # lambdalint", "lambdalint = 3", "", "{{ cookiecutter }}"])
def test_a_pyproject_may_say_nothing_about_us(tmp_path: Path, text: Any) -> None:
    written(tmp_path, "pyproject.toml", text)
    assert Config.find([tmp_path]) == Config()
