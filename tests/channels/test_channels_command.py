"""`rangkul channels` as an operator uses it, against the fakes over real HTTP. No output holds a secret, whatever
the platforms say: the fixture that runs the command looks for all of them each time."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from whatsapp_world import MORNING

from bot.__main__ import main
from bot.channels.links import Links
from bot.channels.opening import whatsapp_of
from bot.channels.telegram.payloads import Reader as TelegramReader
from bot.channels.telegram.words import load_words as telegram_words
from bot.channels.whatsapp.channel import WhatsAppChannel
from bot.channels.whatsapp.payloads import Reader as WhatsAppReader
from bot.channels.whatsapp.rendering import MAX_TEMPLATE_WORDS
from bot.channels.whatsapp.words import load_words
from bot.clock import ManualClock, SystemClock, SystemIds
from bot.commands import channels, channels_whatsapp
from bot.commands.channels_findings import Findings
from bot.commands.channels_graph import PERMISSIONS
from bot.config import Config, load_config, require_secrets
from bot.fakes import telegram_faults as faults
from bot.fakes.server import serving
from bot.fakes.server import serving as serving_app
from bot.fakes.telegram import TOKEN, FakeTelegram
from bot.fakes.telegram_faults import Fault as TelegramFault
from bot.fakes.telegram_queue import Webhook
from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_records import Account, Fault, Template
from flows.catalogue import load_flows
from flows.model import Command
from storage.database import open_database
from storage.inbox import Accepted, Arrival, Event
from storage.outbox import Outgoing, Rendered

PUBLIC = "https://tanya.example.org"
SECRET = "a-word-of-our-own-1234567890"
VERIFY = "kata rahasia é/1"
OTHER_TOKEN = "4200000001:AAanotherTokenThatNobodyKnows-00000"
ACCOUNT = Account()
DOCS = Path(__file__).parents[2] / "docs" / "how-to"

TEMPLATES = tuple(
    Template(name=one.name, body=one.body, footer=one.footer, language=one.language) for one in load_words().templates
)
MESSAGE, NEWS = TEMPLATES


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No settings but these: keys, and a database that no command here opens."""
    for name in [name for name in os.environ if name.startswith("RANGKUL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RANGKUL_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    monkeypatch.setenv("RANGKUL_ENCRYPTION_KEYS", "a:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY=")
    monkeypatch.setenv("RANGKUL_LOOKUP_KEY", "MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1BRUlNUVVY=")
    return monkeypatch


@dataclass
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    def line(self, start: str) -> str:
        """The one line about this; '' when there is none."""
        found = [line for line in self.out.splitlines() if line.strip().startswith(start)]
        assert len(found) <= 1, found
        return found[0].strip() if found else ""

    @property
    def wrongs(self) -> list[str]:
        return [line.strip() for line in self.out.splitlines() if line.strip().startswith("WRONG")]


Run = Callable[..., Said]


@pytest.fixture
def rangkul(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `rangkul channels …`."""

    def run(*arguments: str) -> Said:
        code = main(["channels", *arguments])
        said = capsys.readouterr()
        secrets = (TOKEN, OTHER_TOKEN, SECRET, VERIFY, ACCOUNT.token, ACCOUNT.app_secret)
        for secret in (*secrets, *(quote(one, safe="") for one in secrets), TOKEN.partition(":")[2]):
            assert secret not in said.out + said.err
        return Said(code, said.out, said.err)

    return run


# ── Telegram ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def telegram(environment: pytest.MonkeyPatch) -> Iterator[FakeTelegram]:
    """The platform, with settings that fit; polling."""
    fake = FakeTelegram(now=SystemClock().now, networked=True)
    with serving_app(fake.app) as url:
        environment.setenv("RANGKUL_TELEGRAM__TOKEN", TOKEN)
        environment.setenv("RANGKUL_TELEGRAM__API_BASE_URL", url)
        yield fake


@pytest.fixture
def with_webhook(telegram: FakeTelegram, environment: pytest.MonkeyPatch) -> FakeTelegram:
    """The same with a webhook in the settings."""
    environment.setenv("RANGKUL_TELEGRAM__MODE", "webhook")
    environment.setenv("RANGKUL_TELEGRAM__SECRET_TOKEN", SECRET)
    environment.setenv("RANGKUL_WEB__PUBLIC_URL", PUBLIC)
    return telegram


def test_polling_that_is_set_up_is_all_right(telegram: FakeTelegram, rangkul: Run) -> None:
    """Looking changes nothing: after the set-up no other method is called than those that ask."""
    telegram.queue.webhook = Webhook(url=f"{PUBLIC}/webhooks/telegram")
    set_up = rangkul("set-up", "telegram")
    assert (set_up.code, set_up.line("way in")) == (0, "way in: polling; no webhook")
    calls = len(telegram.requests)
    said = rangkul("check", "telegram")
    assert (said.code, said.wrongs, said.line("all right")) == (0, [], "all right")
    assert "@rangkul_bot" in said.line("ok     token")
    assert "sees only what is meant for it" in said.line("note   groups")
    assert "polling" in said.line("ok     way in")
    assert {call.method for call in telegram.requests[calls:]} == {"getMe", "getMyCommands", "getWebhookInfo"}


def test_a_webhook_that_is_set_up_is_all_right(with_webhook: FakeTelegram, rangkul: Run) -> None:
    """The secret word is known to be unknowable, and what waits is counted."""
    set_up = rangkul("set-up", "telegram")
    assert set_up.line("way in") == f"way in: webhook {PUBLIC}/webhooks/telegram"
    budi = with_webhook.person("Budi")
    with_webhook.put(with_webhook.updates.text(budi, "halo"))
    said = rangkul("check", "telegram")
    assert (said.code, said.wrongs) == (0, [])
    assert said.line("ok     address") == f"ok     address: {PUBLIC}/webhooks/telegram"
    assert "does not tell it back" in said.line("note   secret word")
    assert "1 message waits" in said.line("note   waiting")


def a_minute_ago() -> int:
    return int((SystemClock().now() - timedelta(minutes=1)).timestamp())


OURS = Webhook(url=f"{PUBLIC}/webhooks/telegram")


@pytest.mark.parametrize(
    ("webhook", "settings", "line"),
    [
        (Webhook(), {}, "WRONG  way in: telegram.mode is webhook, yet none is set"),
        (Webhook(url=f"https://elsewhere.example.org/{TOKEN}"), {}, "messages to elsewhere.example.org, not to us"),
        (Webhook(url=f"{PUBLIC}/{TOKEN}"), {}, "WRONG  way in: Telegram brings messages to another port or path"),
        (OURS, {"WEB__PUBLIC_URL": f"{PUBLIC}:9443"}, "WRONG  address: web.public_url is on port 9443"),
        (OURS, {"WEB__PUBLIC_URL": "https://[what"}, "WRONG  address: web.public_url cannot be read"),
        (
            replace(OURS, last_error_message=f"Wrong response: 403 Forbidden {TOKEN}"),
            {},
            "secret word",
        ),
        (replace(OURS, last_error_message="Wrong response from the webhook: 404 Not Found"), {}, "nothing answers at"),
        (replace(OURS, last_error_message="SSL error {certificate verify failed}"), {}, "certificate is not trusted"),
        (replace(OURS, last_error_message="Connection timed out"), {}, "see that the service runs"),
    ],
)
def test_what_is_wrong_with_a_webhook_is_told(
    with_webhook: FakeTelegram,
    environment: pytest.MonkeyPatch,
    rangkul: Run,
    webhook: Webhook,
    settings: dict[str, str],
    line: str,
) -> None:
    """In one line with what to do; somebody else's address is told without its path, which may hold a token."""
    rangkul("set-up", "telegram")
    with_webhook.queue.webhook = replace(webhook)
    if webhook.last_error_message:
        with_webhook.queue.webhook.last_error_date = a_minute_ago()
    for name, value in settings.items():
        environment.setenv(f"RANGKUL_{name}", value)
    said = rangkul("check", "telegram")
    assert said.code == 1
    assert any(line in wrong and " → " in wrong for wrong in said.wrongs), said.out


def test_failures_of_old_are_told_and_not_wrong(with_webhook: FakeTelegram, rangkul: Run) -> None:
    """Telegram keeps the last one for ever, mended or not."""
    rangkul("set-up", "telegram")
    with_webhook.queue.webhook.last_error_date = a_minute_ago() - 7200
    with_webhook.queue.webhook.last_error_message = "Connection timed out"
    said = rangkul("check", "telegram")
    assert (said.code, "Connection timed out" in said.line("note   deliveries")) == (0, True)


def test_kinds_of_updates_that_are_lacking_are_told(with_webhook: FakeTelegram, rangkul: Run) -> None:
    """Without callback_query no button works."""
    rangkul("set-up", "telegram")
    with_webhook.queue.allowed = frozenset({"message", "my_chat_member"})
    said = rangkul("check", "telegram")
    assert (said.code, len(said.wrongs)) == (1, 1)
    assert said.wrongs[0].startswith("WRONG  kinds: Telegram does not bring edited_message, callback_query")


def test_a_bot_that_was_never_set_up_lacks_its_menu(telegram: FakeTelegram, rangkul: Run) -> None:
    """And one with another menu, too."""
    assert rangkul("check").wrongs[0].startswith("WRONG  menu: the menu of commands is not ours")
    commands = [{"command": name, "description": does} for name, does in telegram_words().commands.items()]
    telegram.world.commands["default:::"] = commands[1:]
    assert rangkul("check").code == 1
    telegram.world.commands["default:::"] = commands
    assert rangkul("check").code == 0


def test_a_webhook_in_the_way_of_polling_is_told(telegram: FakeTelegram, rangkul: Run) -> None:
    """While one is set, asking is refused."""
    rangkul("set-up", "telegram")
    telegram.queue.webhook = Webhook(url=f"https://elsewhere.example.org/{TOKEN}")
    said = rangkul("check", "telegram")
    assert (said.code, len(said.wrongs)) == (1, 1)
    assert "WRONG  way in: telegram.mode is polling, yet Telegram brings messages to elsewhere" in said.wrongs[0]


@pytest.mark.parametrize("command", [("check", "telegram"), ("set-up", "telegram"), ("link", "enroll")])
def test_a_token_that_telegram_does_not_know_is_told(
    telegram: FakeTelegram, environment: pytest.MonkeyPatch, rangkul: Run, command: tuple[str, ...]
) -> None:
    """By every command that asks."""
    environment.setenv("RANGKUL_TELEGRAM__TOKEN", OTHER_TOKEN)
    said = rangkul(*command)
    assert (said.code, "token: Telegram does not know it → get the token" in said.out + said.err) == (1, True)


def test_trouble_of_the_network_is_one_line(
    telegram: FakeTelegram, environment: pytest.MonkeyPatch, rangkul: Run
) -> None:
    """Nobody there, an error of the platform's, a call to slow down; nothing else is asked after that."""
    for fault, words in (
        (TelegramFault("drop_before"), "WRONG  network: Telegram does not answer"),
        (faults.BAD_GATEWAY, "WRONG  network: Telegram does not answer"),
        (faults.refusal(429, "Too Many Requests: retry after 7", retry_after=7), "WRONG  network: Telegram wants 7 s"),
    ):
        telegram.fail(fault)
        assert [line.startswith(words) for line in rangkul("check").wrongs] == [True]
    environment.setenv("RANGKUL_TELEGRAM__API_BASE_URL", "http://127.0.0.1:1")
    said = rangkul("check")
    assert said.out.splitlines()[1:] == [f"  {said.wrongs[0]}", "  1 wrong"]
    assert re.search(r"does not answer \(\w+\) → ", said.wrongs[0])


def test_nobody_waits_for_ever(telegram: FakeTelegram, environment: pytest.MonkeyPatch, rangkul: Run) -> None:
    """A platform that takes the question and never answers."""
    environment.setattr(channels, "LOOK_WITHIN_S", 0.3)
    telegram.fail(TelegramFault("hang"))
    said = rangkul("check")
    assert (said.code, "not done after 0 s" in said.wrongs[0]) == (1, True)


# ── WhatsApp ─────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Place:
    """The platform, and our own webhook on the way to it."""

    fake: FakeWhatsApp
    env: pytest.MonkeyPatch

    def set(self, **settings: str) -> None:
        """Settings of the section."""
        for name, value in settings.items():
            self.env.setenv(f"RANGKUL_WHATSAPP__{name.upper()}", value)


async def nobody(_: Sequence[Event]) -> list[Accepted]:
    return []


@pytest.fixture
def whatsapp(environment: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Place]:
    """Everything right: number, templates, subscription, callback, and the service's own webhook served."""
    fake = FakeWhatsApp(now=SystemClock().now, templates=TEMPLATES)
    place = Place(fake, environment)
    with serving(fake.app) as url:
        place.set(token=ACCOUNT.token, app_secret=ACCOUNT.app_secret, verify_token=VERIFY)
        place.set(phone_number_id=ACCOUNT.phone_id, waba_id=ACCOUNT.waba_id, api_base_url=f"{url}/v26.0")
        place.set(template_message=MESSAGE.name, template_news=NEWS.name)
        config = load_config()
        service = whatsapp_of(config, require_secrets(config), flows(), SystemClock(), SystemIds())
        service.connect(nobody, open_database(f"sqlite:///{tmp_path}/webhook.db"))
        with serving_app(Starlette(routes=service.routes())) as ours:
            environment.setenv("RANGKUL_WEB__PUBLIC_URL", ours)
            fake.callback_url = f"{ours}/webhooks/whatsapp"
            yield place


def flows() -> Any:
    return load_flows(Config().flow_settings())


def test_whatsapp_that_is_set_up_is_all_right(whatsapp: Place, rangkul: Run) -> None:
    """Every part is named, and looking sent and changed nothing."""
    said = rangkul("check", "whatsapp")
    assert (said.code, said.wrongs, said.line("all right")) == (0, [], "all right")
    assert said.line("ok     number") == "ok     number: +6221555090001 (Rangkul)"
    for what in ("address", "token", "quality", "callback", "account", "subscription", "own webhook"):
        assert said.line(f"ok     {what}"), what
    templates = [line for line in said.out.splitlines() if "ok     template" in line]
    assert ["no values" in line for line in templates] == [False, True]
    assert "does not tell it back" in said.line("note   app secret")
    assert {request.method for request in whatsapp.fake.requests} == {"GET"}


def described(**changed: Any) -> Callable[[Place], None]:
    """Our number as the platform describes it, changed."""

    def change(place: Place) -> None:
        number = {"id": ACCOUNT.phone_id, "display_phone_number": "+6221555090001", "verified_name": "Rangkul"}
        answering(place, ACCOUNT.phone_id, {**number, **changed})

    return change


def answering(place: Place, path: str, body: object, status: int = 200) -> None:
    """The platform answers a question with just this."""

    async def answer(_: Request) -> Response:
        return JSONResponse(body, status)

    place.fake.app.router.routes.insert(0, Route(f"/v26.0/{path}", answer))


def templates(*there: Template) -> Callable[[Place], None]:
    """Other templates than ours."""

    def change(place: Place) -> None:
        place.fake.templates[:] = there

    return change


def put(**settings: str) -> Callable[[Place], None]:
    return lambda place: place.set(**settings)


def held(**state: Any) -> Callable[[Place], None]:
    """Something of the fake's."""

    def change(place: Place) -> None:
        for name, value in state.items():
            setattr(place.fake, name, value)

    return change


def failing(code: int, kind: str) -> Callable[[Place], None]:
    return lambda place: place.fake.fail(Fault(code=code, kind=kind))


PAUSED = replace(NEWS, status="PAUSED")
OVERRIDDEN = {"application": "https://a.example.org/x", "phone_number": f"https://elsewhere.example.org/{VERIFY}"}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (put(token="EAA-nobody-knows-this"), "token: Meta does not take the token"),
        (held(token_expired=True), "token: Meta does not take the token"),
        (put(phone_number_id="1"), "number: Meta does not know it"),
        (failing(10, "number"), "number: Meta does not let this token look there"),
        (failing(80007, "number"), "number: Meta was asked too often"),
        (failing(131042, "number"), "number: Meta answers with error 131042"),
        (described(status="BANNED"), "number: +6221555090001 (Rangkul) is BANNED"),
        (described(platform_type="NOT_APPLICABLE"), "number: +6221555090001 (Rangkul) is not on the Cloud API"),
        (described(quality_rating="RED"), "quality: RED"),
        (held(callback_url="https://elsewhere.example.org/hook"), "callback: Meta brings messages to elsewhere"),
        (held(callback_url="http://127.0.0.1:1/hook"), "callback: Meta brings messages to another port or path"),
        (described(webhook_configuration=OVERRIDDEN), "not to us (set on: phone_number)"),
        (put(waba_id=""), "account: without its id"),
        (put(waba_id="1"), "account: whatsapp.waba_id: Meta does not know it"),
        (failing(200, "templates"), "account: whatsapp.waba_id: Meta does not let this token look there"),
        (held(subscribed=False), "subscription: the app is not subscribed"),
        (templates(MESSAGE), "template: rangkul_kabar does not exist"),
        (templates(MESSAGE, replace(NEWS, language="en_US")), "rangkul_kabar exists in en_US, not in id"),
        (templates(MESSAGE, replace(NEWS, status="PENDING")), "rangkul_kabar (id) is PENDING → wait"),
        (templates(MESSAGE, PAUSED), "rangkul_kabar (id) is PAUSED → see the reason"),
        (templates(MESSAGE, replace(NEWS, category="MARKETING")), "rangkul_kabar (id) is of category MARKETING"),
        (templates(MESSAGE, replace(NEWS, body="Ada {{1}}.")), "rangkul_kabar (id) wants 1 in its body; we send no"),
        (templates(replace(MESSAGE, body="Ada kabar."), NEWS), "rangkul_pesan (id) wants no values; we send 1 in"),
        (templates(replace(MESSAGE, body="{{kabar}}."), NEWS), "rangkul_pesan (id) wants kabar in its body; we send 1"),
        (templates(replace(MESSAGE, url_buttons=(("Buka", "https://e.org/{{1}}"),)), NEWS), "1 in its buttons"),
        (put(verify_token="another word"), "own webhook: the service there knows another verify token"),
        (put(webhook_path="/elsewhere"), "own webhook: nothing is at that path"),
    ],
)
def test_what_is_wrong_on_whatsapp_is_told(
    whatsapp: Place, rangkul: Run, change: Callable[[Place], None], line: str
) -> None:
    """In a line of its own with what to do, and the command ends with 1."""
    change(whatsapp)
    said = rangkul("check", "whatsapp")
    assert said.code == 1
    assert any(line in wrong and " → " in wrong for wrong in said.wrongs), said.out


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"is_valid": False}, "token: Meta says that it is not valid"),
        ({"scopes": ["whatsapp_business_messaging"]}, "token: it lacks whatsapp_business_management"),
        ({"expires_at": 1795400000}, "token: it expires at 2026-11-23 02:13 UTC"),
    ],
)
def test_a_token_that_will_not_do_is_told(whatsapp: Place, rangkul: Run, told: dict[str, Any], line: str) -> None:
    """The one that Meta's page hands out for trying ends after a day."""
    permissions = list(PERMISSIONS)
    known = {"app_id": ACCOUNT.app_id, "is_valid": True, "scopes": permissions, "expires_at": 0, **told}
    answering(whatsapp, "debug_token", {"data": known})
    said = rangkul("check", "whatsapp")
    assert (said.code, [line in wrong for wrong in said.wrongs]) == (1, [True]), said.out


def test_what_cannot_be_known_of_a_token_is_not_wrong(whatsapp: Place, rangkul: Run) -> None:
    """Not every token may be asked about."""
    answering(whatsapp, "debug_token", {"error": {"code": 100, "message": f"not for {ACCOUNT.token}"}}, 400)
    said = rangkul("check", "whatsapp")
    assert (said.code, "cannot be seen" in said.line("note   token")) == (0, True)


def test_an_app_that_is_not_ours_is_no_subscription(whatsapp: Place, rangkul: Run) -> None:
    """Another app on the same account gets the messages then."""
    another = {"whatsapp_business_api_data": {"id": "8", "name": "Another"}}
    answering(whatsapp, f"{ACCOUNT.waba_id}/subscribed_apps", {"data": [another]})
    assert "subscription: the app is not subscribed" in rangkul("check", "whatsapp").wrongs[0]


def test_a_template_on_a_later_page_is_found(whatsapp: Place, rangkul: Run) -> None:
    """Many templates of other names and languages stand before it."""
    whatsapp.fake.templates[:] = [
        *(replace(NEWS, language=f"a{a}{b}") for a in "abcdefghijkl" for b in "abcdefghijkl"),
        *TEMPLATES,
    ]
    assert rangkul("check", "whatsapp").code == 0


def test_without_templates_that_is_told_and_not_wrong(whatsapp: Place, rangkul: Run) -> None:
    """The service runs without; what that means is said."""
    whatsapp.set(template_news="", template_message="")
    said = rangkul("check", "whatsapp")
    assert (said.code, said.out.count("note   template: whatsapp.template_")) == (0, 2)


def test_an_address_without_https_is_wrong() -> None:
    """Nothing is sent there then: the verify token would travel in the clear."""
    for url, line in (("http://tanya.example.org", "web.public_url is not https"), ("", "web.public_url is not set")):
        findings = Findings()
        config = Config.model_validate({"web": {"public_url": url}})
        assert not channels_whatsapp.check_address(config, findings)
        assert [(one.state, one.says) for one in findings.found] == [("wrong", line)]


def test_nothing_is_sent_to_an_address_without_https(whatsapp: Place, rangkul: Run) -> None:
    """And without it no exit code of 0."""
    whatsapp.env.setenv("RANGKUL_WEB__PUBLIC_URL", "http://0.0.0.0:1")
    said = rangkul("check", "whatsapp")
    assert said.code == 1
    assert any(wrong.startswith("WRONG  address: web.public_url is not https") for wrong in said.wrongs)
    assert "own webhook" not in said.out


def test_a_number_of_another_account_is_told(whatsapp: Place, rangkul: Run) -> None:
    """Both ids exist, and the token may see both."""
    answering(whatsapp, f"{ACCOUNT.waba_id}/phone_numbers", {"data": [{"id": "7"}]})
    (wrong,) = rangkul("check", "whatsapp").wrongs
    assert wrong.startswith("WRONG  account: the number does not belong to this account → one of")


def test_meta_that_is_away_is_one_line(whatsapp: Place, rangkul: Run) -> None:
    """Our own webhook is looked at all the same."""
    for fault in (Fault(dropped=True, kind="number"), Fault(http_status=502, kind="number")):
        whatsapp.fake.fail(fault)
        said = rangkul("check", "whatsapp")
        assert [wrong.startswith("WRONG  network: Meta does not answer") for wrong in said.wrongs] == [True]
        assert said.line("ok     own webhook")


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (PlainTextResponse("welcome"), "something else answers at our address"),
        (RedirectResponse("https://tanya.example.org/"), "it redirects (HTTP 307)"),
        (PlainTextResponse("", 502), "it answers HTTP 502"),
    ],
)
def test_another_server_at_our_address_is_told(whatsapp: Place, rangkul: Run, answer: Any, line: str) -> None:
    """A proxy's own page, a redirect that Meta does not follow, a proxy without the service behind it."""

    async def respond(_: Request) -> Response:
        return answer

    with serving_app(Starlette(routes=[Route("/webhooks/whatsapp", respond)])) as url:
        whatsapp.env.setenv("RANGKUL_WEB__PUBLIC_URL", url)
        whatsapp.fake.callback_url = f"{url}/webhooks/whatsapp"
        said = rangkul("check", "whatsapp")
    assert (said.code, [line in wrong for wrong in said.wrongs]) == (1, [True]), said.out


def test_our_address_may_be_out_of_reach_from_here(whatsapp: Place, rangkul: Run) -> None:
    """That is no proof that it is from outside: it is said, and nothing is called wrong."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{free.getsockname()[1]}"
    whatsapp.env.setenv("RANGKUL_WEB__PUBLIC_URL", url)
    whatsapp.fake.callback_url = f"{url}/webhooks/whatsapp"
    said = rangkul("check", "whatsapp")
    assert (said.code, "cannot be tried from here" in said.line("note   own webhook")) == (0, True)


def test_a_certificate_that_nobody_trusts_is_wrong(whatsapp: Place, rangkul: Run, tmp_path: Path) -> None:
    """Meta takes no self-signed one."""
    with self_signed_server(tmp_path) as url:
        whatsapp.env.setenv("RANGKUL_WEB__PUBLIC_URL", url)
        whatsapp.fake.callback_url = f"{url}/webhooks/whatsapp"
        said = rangkul("check", "whatsapp")
    assert (said.code, ["certificate is not trusted" in wrong for wrong in said.wrongs]) == (1, [True]), said.out


class self_signed_server:  # noqa: N801 - reads as a function
    """Greets by TLS with a certificate of its own making, once; gives its address."""

    def __init__(self, home: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        path = home / "own.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(path)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(10)
        self._thread = threading.Thread(target=self._greet, daemon=True)

    def _greet(self) -> None:
        try:
            peer, _ = self._socket.accept()
            self._context.wrap_socket(peer, server_side=True).close()
        except OSError:
            return  # the client leaves in the middle of the greeting: that is what is wanted

    def __enter__(self) -> str:
        self._thread.start()
        return f"https://localhost:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._socket.close()


# ── both ─────────────────────────────────────────────────────────────────────────────────────────


def test_channels_that_are_off_are_told(rangkul: Run, telegram: FakeTelegram) -> None:
    """2 when nothing was looked at; with one channel on, the other one's rest is no fault."""
    said = rangkul("check", "whatsapp")
    assert (said.code, said.err) == (2, "whatsapp: off (RANGKUL_WHATSAPP__TOKEN is not set)\n")
    rangkul("set-up", "telegram")
    said = rangkul("check")
    assert (said.code, "whatsapp: off" in said.err, said.out.splitlines()[0]) == (0, True, "telegram")


def test_settings_that_cannot_be_used_are_told(rangkul: Run, environment: pytest.MonkeyPatch) -> None:
    """All of them, and nobody is asked anything."""
    environment.setenv("RANGKUL_TELEGRAM__TOKEN", TOKEN)
    environment.setenv("RANGKUL_TELEGRAM__MODE", "webhook")
    environment.setenv("RANGKUL_WHATSAPP__TOKEN", ACCOUNT.token)
    said = rangkul("check")
    assert said.code == 2
    for name in ("telegram.secret_token", "web.public_url", "whatsapp.app_secret", "whatsapp.phone_number_id"):
        assert f"rangkul channels: {name}: " in said.err


def test_programs_can_read_it(telegram: FakeTelegram, whatsapp: Place, rangkul: Run) -> None:
    """The same findings, by channel."""
    rangkul("set-up", "telegram")
    whatsapp.fake.subscribed = False
    said = rangkul("check", "--json")
    told = json.loads(said.out)
    assert (said.code, told["ok"], list(told["channels"])) == (1, False, ["telegram", "whatsapp"])
    (wrong,) = [one for findings in told["channels"].values() for one in findings if one["state"] == "wrong"]
    assert (wrong["what"], bool(wrong["todo"])) == ("subscription", True)


# ── links ────────────────────────────────────────────────────────────────────────────────────────


def test_links_open_their_task_where_they_lead(telegram: FakeTelegram, whatsapp: Place, rangkul: Run) -> None:
    """What the app sends for such a link is read as the start of this task and no other, for every task there is."""
    config = load_config()
    links = Links(require_secrets(config), flows().by_name)
    on_telegram = TelegramReader(telegram.world.bot["id"], "rangkul_bot", links, SystemIds().new)
    on_whatsapp = WhatsAppReader(ACCOUNT.phone_id, links, SystemIds().new)
    budi, siti = telegram.person("Budi"), whatsapp.fake.add_user("Siti", phone="6281200009001")
    tasks = [line.split()[0] for line in rangkul("link").out.splitlines()[1:]]
    assert tasks == list(flows().by_name)
    for task in (tasks[0], tasks[-1]):
        said = rangkul("link", task)
        to_telegram, to_whatsapp = (urlsplit(line.split(": ", 1)[1]) for line in said.out.splitlines())
        assert (said.code, to_telegram.netloc + to_telegram.path) == (0, "t.me/rangkul_bot")
        assert to_whatsapp.netloc + to_whatsapp.path == "wa.me/6221555090001"
        start = telegram.updates.text(budi, f"/start {parse_qs(to_telegram.query)['start'][0]}")
        assert content_of(on_telegram.events_of(start, MORNING)) == Command("start", task)
        (text,) = parse_qs(to_whatsapp.query)["text"]
        assert content_of(on_whatsapp.events_of(text_webhook(siti.phone, text), MORNING)) == Command("start", task)


def content_of(events: Sequence[Event]) -> Any:
    (event,) = events
    assert isinstance(event, Arrival)
    return event.content


def text_webhook(phone: str | None, text: str) -> dict[str, Any]:
    """A text as Meta brings it."""
    message = {"id": "wamid.1", "from": phone, "timestamp": "1795399200", "type": "text", "text": {"body": text}}
    value = {"metadata": {"phone_number_id": ACCOUNT.phone_id}, "messages": [message]}
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT.waba_id, "changes": [change]}]}


def test_a_task_that_is_none_is_told_with_those_there_are(rangkul: Run) -> None:
    """Without asking any platform."""
    said = rangkul("link", "sulap")
    assert (said.code, said.err) == (2, "sulap: no such task; there are these:\n")
    assert "enroll" in said.out


def test_one_channel_that_cannot_tell_does_not_hide_the_other(
    telegram: FakeTelegram, whatsapp: Place, rangkul: Run
) -> None:
    """The link that can be made is printed; for the other one it says why not."""
    for change, words in (
        (held(token_expired=True), "whatsapp: Meta does not take the token"),
        (failing(131016, "number"), "whatsapp: Meta's service has trouble of its own"),
        (lambda place: place.fake.fail(Fault(dropped=True, kind="number")), "whatsapp: Meta does not answer"),
        (described(display_phone_number=""), "whatsapp: Meta does not tell the number"),
    ):
        change(whatsapp)
        said = rangkul("link", "enroll")
        whatsapp.fake.token_expired = False
        assert (said.code, said.out.startswith("telegram: https://t.me/")) == (1, True)
        assert said.err.startswith(words)


# ── templates ────────────────────────────────────────────────────────────────────────────────────


def test_templates_are_printed_whole_and_stand_in_the_docs(rangkul: Run) -> None:
    """With what Meta's form asks for."""
    said = rangkul("templates")
    docs = (DOCS / "set-up-whatsapp.md").read_text("utf-8")
    assert said.code == 0
    for one in load_words().templates:
        assert f"{one.setting}: {one.name}" in said.out
        for line in (*one.body.splitlines(), one.footer, one.name, *([one.sample] if one.sample else [])):
            assert line in said.out
            assert line in docs


def test_templates_keep_to_metas_rules() -> None:
    """Names and settings that exist, lengths, no place at an end of the body, a sample for each place."""
    for one in load_words().templates:
        section, name = one.setting.split(".")
        Config.model_validate({section: {name: one.name, "template_language": one.language}})
        places = re.findall(r"\{\{(\d)\}\}", one.body)
        assert places == (["1"] if one.sample else [])
        assert not one.body.startswith("{{")
        assert not one.body.rstrip(".").endswith("}}")
        assert len(one.body) + MAX_TEMPLATE_WORDS <= 1024
        assert len(one.footer) <= 60


@pytest.mark.asyncio
async def test_templates_go_out_as_the_service_sends_them(whatsapp: Place) -> None:
    """To somebody who has not written for days: the longest words that fit, and the call to write."""
    siti = whatsapp.fake.add_user("Siti", phone="6281200009001")
    channel = WhatsAppChannel(load_config().whatsapp, clock=ManualClock(MORNING), open_list="Lihat", draw=no_picture)
    words = Outgoing(
        id=1,
        conversation="c",
        channel="whatsapp",
        address=siti.key,
        inbox_id=1,
        n=0,
        body=Rendered("staff/says", "kata " * (MAX_TEMPLATE_WORDS // 5)),
        attempts=0,
        status="new",
        written_at=MORNING,
        phone=f"+{siti.phone}",
    )
    assert channel.can_reach_shut_out(words)
    await channel.send_shut_out(words)
    await channel.invite(words)
    await channel.close()
    first, second = whatsapp.fake.shown_to(siti)
    assert (first.template, second.template) == (MESSAGE.name, NEWS.name)
    assert second.text == f"{NEWS.body}\n{NEWS.footer}"


async def no_picture(_: Rendered) -> bytes | None:
    return None
