import re
from pathlib import Path

import pytest
import tomli
import yaml

from lambdalint.config import Config

REPOSITORY = Path(__file__).parent.parent


def example(page: str, language: str) -> str:
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def test_the_configuration_shown_is_one_and_shows_every_setting(tmp_path: Path) -> None:
    text = example("configuration.md", "toml")
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    Config.find([tmp_path])
    shown = tomli.loads(text)["tool"]["lambdalint"]
    assert {key.replace("-", "_") for key in shown} == set(Config.__dataclass_fields__) - {"file"}


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_the_page_about_the_action_names_all_that_it_takes_and_gives(kind: str) -> None:
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
    text = (REPOSITORY / "docs" / "github.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in action[kind])
    step = yaml.safe_load(example("github.md", "yaml"))["jobs"]["lambdalint"]["steps"][-1]
    assert step["with"].keys() <= action["inputs"].keys()
