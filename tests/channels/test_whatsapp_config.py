"""Settings of the WhatsApp channel: on with a token, and then whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Config, ConfigError, load_config

SECRETS = {
    "RANGKUL_WEB__PUBLIC_URL": "https://tanya.example.org",
    "RANGKUL_WHATSAPP__TOKEN": "EAA-invented",
    "RANGKUL_WHATSAPP__APP_SECRET": "invented",
    "RANGKUL_WHATSAPP__VERIFY_TOKEN": "invented too",
    "RANGKUL_WHATSAPP__PHONE_NUMBER_ID": "106540352242922",
}


def read(tmp_path: Path, environ: dict[str, str], text: str = "") -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return load_config(path, environ=environ)


def refused(tmp_path: Path, environ: dict[str, str], text: str = "") -> list[str]:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, environ, text)
    return error.value.problems


def test_without_a_token_the_channel_is_off(tmp_path: Path) -> None:
    """Nothing else is asked for then; an empty token is none."""
    assert not read(tmp_path, {}).whatsapp.is_on
    assert not read(tmp_path, {"RANGKUL_WHATSAPP__TOKEN": ""}).whatsapp.is_on


def test_with_a_token_everything_else_must_be_there(tmp_path: Path) -> None:
    """All that is missing is told at once, and none of the secrets is shown."""
    assert read(tmp_path, SECRETS).whatsapp.is_on
    problems = refused(tmp_path, {"RANGKUL_WHATSAPP__TOKEN": "EAA-invented"})
    assert [problem.split(":")[0] for problem in problems] == [
        "whatsapp.app_secret",
        "whatsapp.verify_token",
        "whatsapp.phone_number_id",
        "web.public_url",
    ]
    assert "EAA" not in "\n".join(problems) + repr(read(tmp_path, SECRETS))


def test_secrets_are_refused_in_the_file(tmp_path: Path) -> None:
    """A file is copied, shown and kept in repositories."""
    (problem,) = refused(tmp_path, {}, "whatsapp: {token: EAA-invented}\n")
    assert problem == "whatsapp.token: secrets do not belong in this file; use the environment"


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://graph.facebook.com/v26.0", True),
        ("http://127.0.0.1:8090/v26.0", True),
        ("http://[::1]:8090", True),
        ("http://graph.facebook.com/v26.0", False),
        ("http://127.0.0.1.example.org/v26.0", False),
        ("http://127.0.0.1:80@example.org/v26.0", False),
        ("ftp://127.0.0.1/", False),
    ],
)
def test_the_token_is_sent_over_tls_or_not_off_this_machine(tmp_path: Path, url: str, fits: bool) -> None:
    """Whatever stands at this address gets the token with every call."""
    environ = {"RANGKUL_WHATSAPP__API_BASE_URL": url}
    if fits:
        assert read(tmp_path, environ).whatsapp.api_base_url == url
    else:
        assert refused(tmp_path, environ)[0].startswith("whatsapp.api_base_url: must begin with https://")
