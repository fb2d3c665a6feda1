"""Settings: `config.yaml` and the environment become frozen models, or one list of everything that is wrong.

Nothing else in the program reads a settings file or an environment variable for settings.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from flows.settings import Settings
from storage.keyring import KEY_BYTES, Keyring

ENV_PREFIX: Final = "RANGKUL_"

SHORT_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "RANGKUL_DEMO": ("demo",),
    "RANGKUL_DATABASE_URL": ("database", "url"),
    "RANGKUL_HOST": ("web", "host"),
    "RANGKUL_PORT": ("web", "port"),
    "RANGKUL_ENCRYPTION_KEYS": ("keys", "encryption"),
    "RANGKUL_LOOKUP_KEY": ("keys", "lookup"),
}
"""Short names of settings; every other one is `RANGKUL_<SECTION>__<KEY>`."""

NOT_SETTINGS: Final = frozenset({"RANGKUL_CONFIG", "RANGKUL_FAULT"})
"""Variables of ours that are not settings: where the file is, and a crash ordered by a test."""

LOOPBACK_URL: Final = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?/?")

LOOPBACK_API_URL: Final = re.compile(LOOPBACK_URL.pattern.removesuffix("/?") + r"(?:/[A-Za-z0-9._/-]*)?")

TELEGRAM_TOKEN: Final = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}")

TELEGRAM_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{16,256}")
"""What Telegram takes as `secret_token`, but for those that are soon guessed."""


OfficeZone = Literal["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
Share = Annotated[float, Field(ge=0, le=1)]


class ConfigError(Exception):
    """The settings cannot be used; `problems` names every reason, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Section(BaseModel):
    """A part of the settings: frozen, and it knows no key that is not written here."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Service(Section):
    operator: Annotated[str, Field(min_length=1, max_length=60)] = "Rangkul"
    trial: bool = True
    office_zone: OfficeZone = "Asia/Jakarta"


class DatabaseSection(Section):
    url: str = ""
    demo_dir: Path = Path("var/demo")

    @field_validator("url")
    @classmethod
    def _is_known(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return url


class Keys(Section):
    file: Path | None = None
    demo_file: Path = Path("var/keys/demo.json")
    encryption: SecretStr | None = None
    lookup: SecretStr | None = None


class Web(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: str = ""
    upload_max_bytes: Annotated[int, Field(ge=10_000, le=50_000_000)] = 5_000_000
    messages_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 30
    idle_minutes: Annotated[int, Field(ge=1, le=100_000)] = 30

    @field_validator("public_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/")


class TurnSection(Section):
    lease_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    workers: Annotated[int, Field(ge=1, le=64)] = 4
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    max_deaths: Annotated[int, Field(ge=2, le=1000)] = 50
    max_need_rounds: Annotated[int, Field(ge=1, le=10)] = 3
    max_reruns: Annotated[int, Field(ge=1, le=100)] = 8
    max_steps: Annotated[int, Field(ge=5, le=500)] = 40
    max_text_chars: Annotated[int, Field(ge=200, le=20_000)] = 2000


class SenderSection(Section):
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 8
    first_retry_s: Annotated[float, Field(gt=0, le=600)] = 2.0
    max_retry_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0


class Conversation(Section):
    clear_confidence: Share = 0.6
    guess_confidence: Share = 0.3
    digress_confidence: Share = 0.7
    resume_after_hours: Annotated[int, Field(ge=1, le=720)] = 12
    session_max_age_days: Annotated[int, Field(ge=1, le=3650)] = 30
    staff_silence_minutes: Annotated[int, Field(ge=1, le=10_000)] = 60
    first_response_days: Annotated[int, Field(ge=1, le=30)] = 1
    proof_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    max_tasks: Annotated[int, Field(ge=1, le=10)] = 3
    cancel_confirm_slots: Annotated[int, Field(ge=1, le=50)] = 3
    misses_before_staff: Annotated[int, Field(ge=1, le=10)] = 3
    own_failures: Annotated[int, Field(ge=1, le=20)] = 3
    many_failures: Annotated[int, Field(ge=1, le=1000)] = 10
    wrong_codes_an_hour: Annotated[int, Field(ge=1, le=1000)] = 5


class NluSection(Section):
    engine: Literal["embedded", "rasa"] = "embedded"
    cache_dir: Path = Path("var/nlu")
    rasa_url: str = "http://127.0.0.1:5005"
    rasa_timeout_ms: Annotated[int, Field(ge=20, le=10_000)] = 500

    @field_validator("rasa_url")
    @classmethod
    def _is_on_loopback(cls, url: str) -> str:
        # What people write is sent there in the clear, and nobody proves who answers.
        if not LOOPBACK_URL.fullmatch(url):
            raise ValueError("must be http://127.0.0.1:PORT, http://localhost:PORT or http://[::1]:PORT")
        return url.rstrip("/")


class TelegramSection(Section):
    """The Telegram Bot API. The channel is on when there is a token."""

    token: SecretStr | None = None
    secret_token: SecretStr | None = None
    mode: Literal["polling", "webhook"] = "polling"
    webhook_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_-]+)+$")] = "/webhooks/telegram"
    api_base_url: str = "https://api.telegram.org"
    proxy_from_environment: bool = False
    poll_timeout_s: Annotated[int, Field(ge=1, le=50)] = 30
    max_file_bytes: Annotated[int, Field(ge=10_000, le=20 << 20)] = 16_000_000
    messages_per_second: Annotated[float, Field(gt=0, le=1000)] = 22.0
    messages_burst: Annotated[int, Field(ge=1, le=1000)] = 3
    chat_interval_s: Annotated[float, Field(gt=0, le=60)] = 1.1
    group_interval_s: Annotated[float, Field(gt=0, le=600)] = 3.5
    group_burst: Annotated[int, Field(ge=1, le=20)] = 2

    @field_validator("api_base_url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        return _safe_api_url(url)

    @field_validator("token")
    @classmethod
    def _is_token(cls, token: SecretStr | None) -> SecretStr | None:
        if is_given(token) and token is not None and not TELEGRAM_TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("must look as BotFather gave it: digits, a colon, letters and digits")
        return token

    @field_validator("secret_token")
    @classmethod
    def _is_sendable(cls, secret: SecretStr | None) -> SecretStr | None:
        if is_given(secret) and secret is not None and not TELEGRAM_SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError("must be 16 to 256 of A-Z, a-z, 0-9, _ and -")
        return secret

    @property
    def is_on(self) -> bool:
        """Whether people are reached there."""
        return is_given(self.token)

    @property
    def has_webhook(self) -> bool:
        """Whether Telegram brings us what people write; else we ask for it."""
        return self.is_on and self.mode == "webhook"


class WhatsAppSection(Section):
    """The WhatsApp Cloud API. The channel is on when there is a token."""

    token: SecretStr | None = None
    app_secret: SecretStr | None = None
    verify_token: SecretStr | None = None
    phone_number_id: Annotated[str, Field(pattern=r"^\d{0,30}$")] = ""
    waba_id: Annotated[str, Field(pattern=r"^\d{0,30}$")] = ""
    webhook_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_-]+)+$")] = "/webhooks/whatsapp"
    api_base_url: str = "https://graph.facebook.com/v26.0"
    media_hosts: tuple[str, ...] = ("lookaside.fbsbx.com",)
    media_max_bytes: Annotated[int, Field(ge=10_000, le=100_000_000)] = 16_000_000
    ask_ids_in_chat: bool = False
    template_message: Annotated[str, Field(pattern=r"^[a-z0-9_]{0,512}$")] = ""
    template_news: Annotated[str, Field(pattern=r"^[a-z0-9_]{0,512}$")] = ""
    template_language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")] = "id"
    mark_read: bool = True
    number_per_second: Annotated[float, Field(gt=0, le=1000)] = 40.0
    number_burst: Annotated[int, Field(ge=1, le=1000)] = 10
    pair_interval_s: Annotated[float, Field(gt=0, le=3600)] = 6.0
    pair_burst: Annotated[int, Field(ge=1, le=45)] = 40

    @field_validator("api_base_url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        return _safe_api_url(url)

    @property
    def is_on(self) -> bool:
        """Whether people are reached there."""
        return is_given(self.token)

    def lacking(self) -> list[str]:
        """Settings without which the channel cannot be on."""
        secrets = {"app_secret": self.app_secret, "verify_token": self.verify_token}
        lacking = [name for name, secret in secrets.items() if not is_given(secret)]
        return lacking if self.phone_number_id else [*lacking, "phone_number_id"]


class SpeechSection(Section):
    """Voice notes into words. Off without a command."""

    command: Annotated[str, Field(max_length=2000)] = ""
    timeout_s: Annotated[float, Field(ge=1, le=300)] = 20.0
    max_chars: Annotated[int, Field(ge=100, le=20_000)] = 2000

    @field_validator("command")
    @classmethod
    def _is_command(cls, command: str) -> str:
        shlex.split(command)  # raises ValueError where a quotation has no end
        return command.strip()


class Retention(Section):
    messages_days: Annotated[int, Field(ge=7, le=3650)] = 365
    media_days: Annotated[int, Field(ge=7, le=3650)] = 365


class Logs(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Config(Section):
    """Every setting of the program. Secrets come by environment or from a file of their own, never from here."""

    demo: bool = False
    service: Service = Service()
    database: DatabaseSection = DatabaseSection()
    keys: Keys = Keys()
    web: Web = Web()
    turn: TurnSection = TurnSection()
    sender: SenderSection = SenderSection()
    conversation: Conversation = Conversation()
    nlu: NluSection = NluSection()
    telegram: TelegramSection = TelegramSection()
    whatsapp: WhatsAppSection = WhatsAppSection()
    speech: SpeechSection = SpeechSection()
    retention: Retention = Retention()
    logs: Logs = Logs()

    def flow_settings(self) -> Settings:
        """What the pure floors may see of this."""
        return Settings(
            operator=self.service.operator,
            trial=self.service.trial,
            office_zone=self.service.office_zone,
            max_steps=self.turn.max_steps,
            max_text_chars=self.turn.max_text_chars,
            **self.conversation.model_dump(),
        )


def config_path(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file of settings: as given, by `RANGKUL_CONFIG`, in the working directory, or beside the program."""
    if given is not None:
        return given
    if named := environ.get("RANGKUL_CONFIG"):
        return Path(named)
    beside = Path(__file__).resolve().parent.parent / "config.yaml"
    return next((path for path in (Path.cwd() / "config.yaml", beside) if path.is_file()), None)


def load_config(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, object] | None = None,
) -> Config:
    """The settings of one file (None: the usual places) under those of the environment and of `overrides`.

    Keys of `overrides` are dotted (`database.url`). Relative paths count from the file's folder.
    Raises ConfigError with every problem at once.
    """
    found = config_path(path, environ)
    problems: list[str] = []
    tree = _read_file(found, problems) if found else {}
    _refuse_secrets_in_file(tree, problems)
    _apply_environment(tree, environ, problems)
    for dotted, value in (overrides or {}).items():
        _put(tree, tuple(dotted.split(".")), value)
    config = _validated(tree, problems)
    if config is not None:
        problems += _cross_checks(config)
    if problems or config is None:
        raise ConfigError(problems)
    return _with_absolute_paths(config, found.resolve().parent if found else Path.cwd())


def require_secrets(config: Config) -> Keyring:
    """The keyring that the settings name. Raises ConfigError, all problems at once, also for a missing database."""
    problems: list[str] = []
    if not config.database.url:
        problems.append("database.url: not set (or RANGKUL_DATABASE_URL)")
    encryption, lookup = _key_texts(config, problems)
    keys = _encryption_keys(encryption, problems)
    lookup_key = _decoded("lookup key (RANGKUL_LOOKUP_KEY)", lookup, problems)
    if not problems and lookup_key in keys.values():
        problems.append("lookup key: must differ from the encryption keys")
    if problems:
        raise ConfigError(problems)
    return Keyring.from_keys(keys, next(iter(keys)), lookup_key)


def has_secrets(config: Config) -> bool:
    """Whether any key is configured at all; `rangkul chat` falls back to the demo when none is."""
    return bool(config.keys.file or config.keys.encryption or config.keys.lookup)


def page_address(web: Web, port: int | None = None) -> str:
    """Where people reach our page, without a slash at the end; `port` is the one in use when it was left open."""
    return web.public_url or f"http://{web.host}:{web.port if port is None else port}"


# ── reading ──────────────────────────────────────────────────────────────────────────────────────

Tree = dict[str, object]


def _read_file(path: Path, problems: list[str]) -> Tree:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: cannot be read ({error.__class__.__name__})")
        return {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problems.append(f"{path}: not valid YAML{f', line {mark.line + 1}' if mark else ''}")
        return {}
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        problems.append(f"{path}: must hold sections of settings")
        return {}
    # A section with nothing but comments is read as None and means its defaults.
    return {str(key): {} if value is None else value for key, value in loaded.items()}


def _refuse_secrets_in_file(tree: Tree, problems: list[str]) -> None:
    for section, name in secret_names():
        given = tree.get(section)
        if isinstance(given, dict) and given.pop(name, None) is not None:
            elsewhere = "the environment or keys.file" if section == "keys" else "the environment"
            problems.append(f"{section}.{name}: secrets do not belong in this file; use {elsewhere}")


def _apply_environment(tree: Tree, environ: Mapping[str, str], problems: list[str]) -> None:
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or name in NOT_SETTINGS:
            continue
        path = SHORT_NAMES.get(name) or tuple(name.removeprefix(ENV_PREFIX).lower().split("__"))
        if not _is_setting(path):
            problems.append(f"{name}: no such setting")
            continue
        _put(tree, path, environ[name])


def _is_setting(path: tuple[str, ...]) -> bool:
    return path in setting_names()


def setting_names() -> frozenset[tuple[str, ...]]:
    """The path of every setting, such as ("web", "port")."""
    names: set[tuple[str, ...]] = set()
    for name, field in Config.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            names |= {(name, inner) for inner in kind.model_fields}
        else:
            names.add((name,))
    return frozenset(names)


def secret_names() -> tuple[tuple[str, str], ...]:
    """The path of every setting that is a secret."""
    return tuple(
        (section, name)
        for section, field in Config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
        for name, inner in field.annotation.model_fields.items()
        if inner.annotation == SecretStr | None
    )


def is_given(secret: SecretStr | None) -> bool:
    """Whether there is a secret; an empty one is none."""
    return bool(revealed(secret))


def revealed(secret: SecretStr | None) -> str:
    """The secret itself, '' when there is none."""
    return secret.get_secret_value() if secret is not None else ""


def _put(tree: Tree, path: tuple[str, ...], value: object) -> None:
    *sections, last = path
    for section in sections:
        inner = tree.get(section)
        if not isinstance(inner, dict):
            inner = tree[section] = {}
        tree = inner
    tree[last] = value


def _validated(tree: Tree, problems: list[str]) -> Config | None:
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False):
            where = ".".join(str(part) for part in one["loc"])
            what = "no such setting" if one["type"] == "extra_forbidden" else one["msg"]
            problems.append(f"{where}: {what.removeprefix('Value error, ')}")
        return None


def _cross_checks(config: Config) -> list[str]:
    talk = config.conversation
    problems = []
    if talk.guess_confidence >= talk.clear_confidence:
        problems.append("conversation.guess_confidence: must be below conversation.clear_confidence")
    if config.sender.first_retry_s > config.sender.max_retry_s:
        problems.append("sender.first_retry_s: must not exceed sender.max_retry_s")
    problems += _webhook_problems(config)
    problems += _whatsapp_problems(config)
    return problems


def _whatsapp_problems(config: Config) -> list[str]:
    """What WhatsApp lacks. Meta brings messages, and people open links to our page, over https alone."""
    whatsapp = config.whatsapp
    if not whatsapp.is_on:
        return []
    problems = [f"whatsapp.{name}: not set, and whatsapp.token is" for name in whatsapp.lacking()]
    if not config.web.public_url.startswith("https://") and not LOOPBACK_API_URL.fullmatch(whatsapp.api_base_url):
        problems.append("web.public_url: must begin with https://, for whatsapp.token is set")
    return problems


def _webhook_problems(config: Config) -> list[str]:
    """What Telegram's webhook lacks. Telegram brings updates over https alone, except to a fake on this machine."""
    telegram = config.telegram
    if not telegram.has_webhook:
        return []
    problems = []
    if not is_given(telegram.secret_token):
        problems.append("telegram.secret_token: not set, and telegram.mode is webhook")
    if not config.web.public_url.startswith("https://") and not LOOPBACK_API_URL.fullmatch(telegram.api_base_url):
        problems.append("web.public_url: must begin with https://, for telegram.mode is webhook")
    return problems


def _safe_api_url(url: str) -> str:
    """An address of a platform, without a slash at its end: the token goes there with every call."""
    url = url.rstrip("/")
    if not url.startswith("https://") and not LOOPBACK_API_URL.fullmatch(url):
        raise ValueError("must begin with https:// (or be http:// on this machine)")
    return url


def _with_absolute_paths(config: Config, home: Path) -> Config:
    url, keys = config.database.url, config.keys
    if url.startswith("sqlite:///"):
        url = f"sqlite:///{home / url.removeprefix('sqlite:///')}"
    return config.model_copy(
        update={
            "database": DatabaseSection(url=url, demo_dir=home / config.database.demo_dir),
            "keys": keys.model_copy(
                update={"file": home / keys.file if keys.file else None, "demo_file": home / keys.demo_file}
            ),
            "nlu": config.nlu.model_copy(update={"cache_dir": home / config.nlu.cache_dir}),
        }
    )


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


def _key_texts(config: Config, problems: list[str]) -> tuple[str, str]:
    """The two secrets as text, "" where missing. The environment goes before the file."""
    from_file: dict[str, str] = {}
    if config.keys.file is not None:
        try:
            from_file = {str(k): str(v) for k, v in json.loads(config.keys.file.read_text("utf-8")).items()}
        except (OSError, ValueError, AttributeError):
            problems.append(f"keys.file: {config.keys.file} cannot be read as a JSON object of keys")
    encryption, lookup = revealed(config.keys.encryption), revealed(config.keys.lookup)
    return encryption or from_file.get("encryption", ""), lookup or from_file.get("lookup", "")


def _encryption_keys(text: str, problems: list[str]) -> dict[str, bytes]:
    if not text:
        problems.append("encryption keys: not set (RANGKUL_ENCRYPTION_KEYS as id:base64,id:base64, or keys.file)")
        return {}
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, _, encoded = part.strip().partition(":")
        if not key_id or key_id in keys:
            problems.append("encryption keys: each needs an id of its own, as id:base64")
            continue
        keys[key_id] = _decoded(f"encryption key {key_id!r}", encoded, problems)
    return keys


def _decoded(name: str, text: str, problems: list[str]) -> bytes:
    if not text:
        problems.append(f"{name}: not set")
        return b""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        problems.append(f"{name}: not valid base64")
        return b""
    if len(key) != KEY_BYTES:
        problems.append(f"{name}: must be {KEY_BYTES} bytes, not {len(key)}")
    return key
