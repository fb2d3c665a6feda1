"""Settings: documented to the last key, overridable, and refused with everything that is wrong at once."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
import yaml

from bot.config import (
    SHORT_NAMES,
    Config,
    ConfigError,
    load_config,
    require_secrets,
    setting_names,
)

SHIPPED = Path(__file__).parents[2] / "config.yaml"


def _key(byte: int) -> str:
    return base64.b64encode(bytes([byte]) * 32).decode()


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def _documented() -> dict[tuple[str, ...], str]:
    """Every key of the shipped file with the comment above it."""
    found: dict[tuple[str, ...], str] = {}
    section, comment = "", ""
    for line in SHIPPED.read_text().splitlines():
        if match := re.fullmatch(r"( *)([a-z_]+):(.*)", line):
            indent, name, value = match.groups()
            if indent:
                found[section, name] = comment
            elif value.strip():
                found[(name,)] = comment
            section = section if indent else name
            comment = ""
        else:
            comment = f"{comment} {line.strip(' #')}".strip() if line.strip().startswith("#") else ""
    return found


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    """The file names exactly the keys of the models, each under a comment."""
    documented = _documented()
    assert set(documented) == setting_names()
    assert [path for path, comment in documented.items() if len(comment) < 10] == []


def test_the_shipped_file_holds_the_defaults() -> None:
    """What the file shows is what holds without it."""
    shipped = Config.model_validate(yaml.safe_load(SHIPPED.read_text()))
    assert shipped == Config()


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Unknown keys and sections, bad values, secrets in the file and unknown variables: one list."""
    path = _written(
        tmp_path,
        "web: {port: 99999, prot: 80}\nweather: {}\nconversation: {clear_confidence: 2}\nkeys: {lookup: abc}\n"
        "database: {url: mysql://x}\n",
    )
    with pytest.raises(ConfigError) as refused:
        load_config(path, environ={"RANGKUL_WEB__PROT": "1", "RANGKUL_TURN__WORKERS": "no"})
    said = "\n".join(refused.value.problems)
    for name in (
        "web.port",
        "web.prot",
        "weather",
        "conversation.clear_confidence",
        "keys.lookup",
        "database.url",
        "RANGKUL_WEB__PROT",
        "turn.workers",
    ):
        assert name in said
    assert len(refused.value.problems) == 8


def test_settings_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """A guess cannot be as sure as a clear reading."""
    path = _written(tmp_path, "conversation: {clear_confidence: 0.4, guess_confidence: 0.5}\n")
    with pytest.raises(ConfigError, match="guess_confidence"):
        load_config(path, environ={})


@pytest.mark.parametrize("text", ["[1, 2]", "web: [", "web: 5"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    """What is no YAML, or no sections, is told as such."""
    with pytest.raises(ConfigError):
        load_config(_written(tmp_path, text), environ={})


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A file that was named must be there."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.yaml", environ={})


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    """Long names reach every key; short names the common ones."""
    path = _written(tmp_path, "web: {port: 1}\nlogs: {level: error}\n")
    config = load_config(path, environ={"RANGKUL_WEB__PORT": "2", "RANGKUL_DEMO": "true", "HOME": "/"})
    assert (config.web.port, config.demo, config.logs.level) == (2, True, "error")
    assert load_config(path, environ={"RANGKUL_PORT": "3"}).web.port == 3


def test_short_names_stand_for_settings_and_are_documented() -> None:
    """Each short name leads to a setting and stands in the head of the file."""
    assert set(SHORT_NAMES.values()) <= setting_names()
    head = SHIPPED.read_text().split("\n\n")[0]
    assert [name for name in SHORT_NAMES if name not in head] == []


def test_relative_paths_count_from_the_file(tmp_path: Path) -> None:
    """The same file means the same database from every working directory; absolute paths stay."""
    path = _written(tmp_path, "database: {url: 'sqlite:///data/x.db'}\nnlu: {cache_dir: /abs}\n")
    config = load_config(path, environ={})
    assert config.database.url == f"sqlite:///{tmp_path}/data/x.db"
    assert config.nlu.cache_dir == Path("/abs")


def test_without_keys_everything_that_is_missing_is_named() -> None:
    """Database, encryption keys and look-up key are asked for together."""
    with pytest.raises(ConfigError) as refused:
        require_secrets(Config())
    assert len(refused.value.problems) == 3


def test_keys_come_from_the_environment(tmp_path: Path) -> None:
    """The first key seals; older ones still open."""
    path = _written(tmp_path, "database: {url: 'sqlite:///x.db'}\n")
    old = require_secrets(
        load_config(path, environ={"RANGKUL_ENCRYPTION_KEYS": f"a:{_key(1)}", "RANGKUL_LOOKUP_KEY": _key(3)})
    )
    both = {"RANGKUL_ENCRYPTION_KEYS": f"b:{_key(2)},a:{_key(1)}", "RANGKUL_LOOKUP_KEY": _key(3)}
    new = require_secrets(load_config(path, environ=both))
    assert new.open("t", "c", "r", old.seal("t", "c", "r", b"x")) == b"x"
    assert new.seal("t", "c", "r", b"x")[1:2] == b"b"


def test_keys_come_from_a_file(tmp_path: Path) -> None:
    """A JSON file does what the environment does."""
    (tmp_path / "keys.json").write_text(json.dumps({"encryption": f"a:{_key(1)}", "lookup": _key(2)}))
    path = _written(tmp_path, "database: {url: 'sqlite:///x.db'}\nkeys: {file: keys.json}\n")
    keys = require_secrets(load_config(path, environ={}))
    assert keys.open("t", "c", "r", keys.seal("t", "c", "r", b"x")) == b"x"


@pytest.mark.parametrize(
    ("encryption", "lookup", "problems"),
    [
        (f"a:{_key(1)}", _key(1), ["must differ"]),
        ("a:short", "!!", ["encryption key 'a'", "lookup key"]),
        (f"a:{_key(1)},a:{_key(2)}", _key(3), ["id of its own"]),
        (f"a:{base64.b64encode(b'x' * 16).decode()}", _key(3), ["32 bytes, not 16"]),
    ],
)
def test_bad_keys_are_refused_without_being_shown(
    tmp_path: Path, encryption: str, lookup: str, problems: list[str]
) -> None:
    """Each bad key is named, none is printed."""
    path = _written(tmp_path, "database: {url: 'sqlite:///x.db'}\n")
    config = load_config(path, environ={"RANGKUL_ENCRYPTION_KEYS": encryption, "RANGKUL_LOOKUP_KEY": lookup})
    with pytest.raises(ConfigError) as refused:
        require_secrets(config)
    said = "\n".join(refused.value.problems)
    assert all(problem in said for problem in problems)
    assert _key(1) not in said
    assert _key(1) not in repr(config)
