"""Settings of Telegram: on with a token, and refused where they would leave it open or deaf."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Config, ConfigError, load_config
from bot.fakes.telegram import TOKEN

SECRET = "a-word-of-our-own-1234567890"
WEBHOOK = {"RANGKUL_TELEGRAM__TOKEN": TOKEN, "RANGKUL_TELEGRAM__MODE": "webhook"}


def _problems(environ: dict[str, str], file: Path | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_config(file, environ=environ)
    return refused.value.problems


def test_without_a_token_the_channel_is_off() -> None:
    """An empty one is none."""
    assert not Config().telegram.is_on
    assert not load_config(environ={"RANGKUL_TELEGRAM__TOKEN": ""}).telegram.is_on


def test_a_token_alone_turns_it_on() -> None:
    """Then we ask for updates ourselves; no line shows the token."""
    config = load_config(environ={"RANGKUL_TELEGRAM__TOKEN": TOKEN})
    assert (config.telegram.is_on, config.telegram.has_webhook) == (True, False)
    assert TOKEN not in repr(config)


def test_a_webhook_needs_a_secret_and_an_address() -> None:
    """Both are told at once; on this machine a fake takes any address."""
    said = "\n".join(_problems(WEBHOOK))
    assert "telegram.secret_token" in said
    assert "web.public_url" in said
    given = {**WEBHOOK, "RANGKUL_TELEGRAM__SECRET_TOKEN": SECRET}
    assert load_config(environ={**given, "RANGKUL_WEB__PUBLIC_URL": "https://a.example"}).telegram.has_webhook
    assert load_config(environ={**given, "RANGKUL_TELEGRAM__API_BASE_URL": "http://127.0.0.1:9"}).telegram.has_webhook


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN", "halo"),
        ("TOKEN", "1:short"),
        ("SECRET_TOKEN", "tooshort"),
        ("SECRET_TOKEN", "kata rahasia yang panjang"),
        ("API_BASE_URL", "http://api.example.org"),
        ("WEBHOOK_PATH", "/web hook"),
        ("MAX_FILE_BYTES", "20971521"),
        ("POLL_TIMEOUT_S", "0"),
        ("MODE", "off"),
    ],
)
def test_what_telegram_would_not_take_is_refused(name: str, value: str) -> None:
    """By name and without its value, which may be a secret."""
    environ = {"RANGKUL_TELEGRAM__TOKEN": TOKEN, "RANGKUL_TELEGRAM__SECRET_TOKEN": SECRET}
    (problem,) = _problems({**environ, f"RANGKUL_TELEGRAM__{name}": value})
    assert problem.startswith(f"telegram.{name.lower()}: ")
    assert value not in problem or name == "MODE"


def test_secrets_do_not_belong_in_the_file(tmp_path: Path) -> None:
    """Files are copied and shown."""
    file = tmp_path / "config.yaml"
    file.write_text(f"telegram: {{token: '{TOKEN}', secret_token: {SECRET}}}\n")
    problems = _problems({}, file)
    assert [problem.split(":")[0] for problem in problems] == ["telegram.token", "telegram.secret_token"]
