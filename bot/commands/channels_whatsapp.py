"""What Meta tells about our number, account and template, held against the settings; and whether our webhook answers.

Nothing is changed by looking. Which fields there are: Meta's pages on business phone numbers, message templates,
webhook overrides and permissions (`debug_token`), read in copies of 2025 and 2026.
"""

from __future__ import annotations

import re
import secrets
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from pydantic import SecretStr

from bot.channels.whatsapp.errors import remedy_of
from bot.commands.channels_findings import Findings, host_of
from bot.config import LOOPBACK_API_URL, LOOPBACK_URL, Config, WhatsAppSection

ANSWER_WITHIN_S: Final = 10.0
MAX_PAGES: Final = 10
PERMISSIONS: Final = ("whatsapp_business_messaging", "whatsapp_business_management")
NUMBER_FIELDS: Final = (
    "display_phone_number",
    "verified_name",
    "name_status",
    "quality_rating",
    "status",
    "platform_type",
    "webhook_configuration",
)
GOOD_NAMES: Final = ("APPROVED", "AVAILABLE_WITHOUT_REVIEW")
PLACE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
HEADERS_WITH_FILES: Final = ("IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
BUTTONS_WITH_VALUES: Final = ("COPY_CODE", "OTP", "FLOW", "CATALOG", "MPM")

NEW_TOKEN: Final = "make a token of the system user that does not expire, put it into RANGKUL_WHATSAPP__TOKEN"  # noqa: S105
_TODO: Final[Mapping[str, tuple[str, str]]] = {
    "token": ("Meta does not take the token: it is wrong or has expired", NEW_TOKEN),
    "permission": (
        "Meta does not let this token look there",
        f"give the system user the app, the account, and {' and '.join(PERMISSIONS)}; then make a new token",
    ),
    "call_limit": ("Meta was asked too often", "try again in an hour"),
    "bad_request": ("Meta does not know it, or this token may not see it", "compare the setting with Meta's pages"),
    "service": ("Meta's service has trouble of its own", "try again later"),
}

Json = Mapping[str, Any]
_NOTHING: Final[Json] = {}


class Refused(Exception):
    """Meta answered with an error. `says` and `todo` tell of it without Meta's words, which may quote the token."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
        word = remedy_of(code).word
        self.says, self.todo = _TODO.get(
            word, (f"Meta answers with error {code}", "look it up in Meta's list of errors")
        )
        self.is_about_token = word == "token"


class Away(Exception):
    """Meta does not answer, or somebody else does."""


class Graph:
    """Questions to the Graph API with our token."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, **params: str) -> Json:
        """One object. Raises Refused and Away."""
        try:
            answer = await self._http.get(path, params=params)
            body = answer.json()
        except httpx.HTTPError as error:
            raise Away(type(error).__name__) from error
        except ValueError as error:
            raise Away(f"HTTP {answer.status_code} that is not of Meta") from error
        trouble = _part(body, "error")
        if trouble or not isinstance(body, dict):
            code = trouble.get("code")
            raise Refused(code if isinstance(code, int) else -1)
        return body

    async def listed(self, path: str, **params: str) -> list[Json]:
        """All objects of a list, a thousand at most. Raises Refused and Away."""
        rows: list[Json] = []
        for _ in range(MAX_PAGES):
            page = await self.get(path, limit="100", **params)
            rows += [row for row in page.get("data") or () if isinstance(row, dict)]
            paging = _part(page, "paging")
            after = _text(_part(paging, "cursors"), "after")
            if not after or not paging.get("next"):
                break
            params["after"] = after
        return rows


@asynccontextmanager
async def graph_of(config: Config) -> AsyncIterator[Graph]:
    """The Graph API as these settings reach it."""
    base, token = config.whatsapp.api_base_url, _revealed(config.whatsapp.token)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=ANSWER_WITHIN_S) as http:
        yield Graph(http)


async def check_whatsapp(config: Config, findings: Findings, now: datetime) -> None:
    """Looks at everything that can be seen from here; no further at Meta once it does not answer."""
    reachable = check_address(config, findings)
    try:
        async with graph_of(config) as graph:
            await _check_meta(graph, config, findings, now)
    except Away as error:
        findings.wrong(
            "network", f"Meta does not answer ({error})", "see that this machine reaches whatsapp.api_base_url"
        )
    except Refused as error:
        findings.wrong("token" if error.is_about_token else "number", error.says, error.todo)
    if reachable:
        await _check_own_webhook(config, findings)
    findings.note(
        "app secret", "Meta does not tell it back; a wrong one shows as whatsapp.refused bad_signature in the log"
    )


async def display_number(graph: Graph, settings: WhatsAppSection) -> str:
    """Our number as people dial it, digits with the country code. Raises Refused and Away."""
    number = await graph.get(settings.phone_number_id, fields="display_phone_number")
    return "".join(sign for sign in _text(number, "display_phone_number") if sign.isdecimal())


def webhook_url(config: Config) -> str:
    """Where Meta must bring what people write."""
    return f"{config.web.public_url}{config.whatsapp.webhook_path}"


def check_address(config: Config, findings: Findings) -> bool:
    """Whether our address can be tried at all: https, or a fake of the platform on this machine."""
    url = config.web.public_url
    with_fake = LOOPBACK_API_URL.fullmatch(config.whatsapp.api_base_url) and LOOPBACK_URL.fullmatch(url)
    if url.startswith("https://") or with_fake:
        findings.ok("address", webhook_url(config))
        return True
    says = "web.public_url is not https" if url else "web.public_url is not set"
    findings.wrong(
        "address", says, "set it to the https address of this service: Meta and the links in messages need it"
    )
    return False


# ── at Meta ──────────────────────────────────────────────────────────────────────────────────────


async def _check_meta(graph: Graph, config: Config, findings: Findings, now: datetime) -> None:
    """Raises Away; Refused when not even the number can be looked at."""
    settings = config.whatsapp
    number = await graph.get(settings.phone_number_id, fields=",".join(NUMBER_FIELDS))
    app_id = await _check_token(graph, settings, findings, now)
    _check_number(number, findings)
    _check_callback(_part(number, "webhook_configuration"), webhook_url(config), findings)
    if not settings.waba_id:
        todo = "set whatsapp.waba_id: the app's WhatsApp page shows it beside the number's id"
        findings.wrong("account", "without its id neither subscription nor templates can be looked at", todo)
        return
    try:
        await _check_account(graph, settings, findings, app_id)
        await _check_templates(graph, settings, findings)
    except Refused as error:
        findings.wrong("account", f"whatsapp.waba_id: {error.says}", error.todo)


async def _check_token(graph: Graph, settings: WhatsAppSection, findings: Findings, now: datetime) -> str:
    """The id of the app that the token belongs to; '' when Meta does not say."""
    try:
        told = _part(await graph.get("debug_token", input_token=_revealed(settings.token)), "data")
    except Refused as error:
        findings.ok("token", "Meta takes it")
        findings.note("token", f"how long, and for what, cannot be seen: {error.says}")
        return ""
    lacking = [one for one in PERMISSIONS if one not in (told.get("scopes") or ())]
    expires = told.get("expires_at")
    if told.get("is_valid") is False:
        findings.wrong("token", "Meta says that it is not valid", NEW_TOKEN)
    elif lacking:
        findings.wrong("token", f"it lacks {' and '.join(lacking)}", f"{NEW_TOKEN}, with these permissions")
    elif isinstance(expires, int) and expires > 0:
        until = datetime.fromtimestamp(expires, UTC)
        findings.wrong("token", f"it expires at {until:%Y-%m-%d %H:%M} UTC", NEW_TOKEN)
    else:
        findings.ok("token", "Meta takes it; it has the permissions needed and does not expire")
    return _text(told, "app_id")


def _check_number(number: Json, findings: Findings) -> None:
    shown = f"{_text(number, 'display_phone_number')} ({_text(number, 'verified_name') or 'no name yet'})"
    status, platform = _text(number, "status"), _text(number, "platform_type")
    if status not in ("", "CONNECTED"):
        findings.wrong(
            "number", f"{shown} is {status}", "see what Meta says about it in WhatsApp Manager, Phone numbers"
        )
    elif platform not in ("", "CLOUD_API"):
        findings.wrong(
            "number",
            f"{shown} is not on the Cloud API ({platform})",
            "register it there: docs/how-to/set-up-whatsapp.md",
        )
    else:
        findings.ok("number", shown)
    name_status = _text(number, "name_status")
    if name_status and name_status not in GOOD_NAMES:
        findings.note("name", f"Meta's verdict on the name is {name_status}: people may see the number alone")
    quality = _text(number, "quality_rating")
    if quality == "RED":
        todo = (
            "see in WhatsApp Manager why people block or report it; send templates to nobody who does not wait for them"
        )
        findings.wrong("quality", "RED: Meta may limit the number", todo)
    elif quality == "GREEN":
        findings.ok("quality", quality)
    elif quality:
        findings.note("quality", quality)


def _check_callback(there: Json, ours: str, findings: Findings) -> None:
    """The address of the number goes before that of the account, and that before the app's (page on overrides)."""
    kinds = ("phone_number", "whatsapp_business_account", "application")
    kind = next((kind for kind in kinds if _text(there, kind)), "")
    todo = "set the callback URL of the app's webhook, or take the override away: docs/how-to/set-up-whatsapp.md"
    if not kind:
        findings.note(
            "callback", "Meta does not say where it brings messages; compare it by hand with the address above"
        )
    elif _text(there, kind) == ours:
        findings.ok("callback", "Meta brings messages to our address")
    elif host_of(_text(there, kind)) == host_of(ours):
        findings.wrong("callback", f"Meta brings messages to another port or path of our host (set on: {kind})", todo)
    else:
        says = f"Meta brings messages to {host_of(_text(there, kind))}, not to us (set on: {kind})"
        findings.wrong("callback", says, todo)


async def _check_account(graph: Graph, settings: WhatsAppSection, findings: Findings, app_id: str) -> None:
    numbers = await graph.listed(f"{settings.waba_id}/phone_numbers", fields="id")
    if settings.phone_number_id in [_text(one, "id") for one in numbers]:
        findings.ok("account", "the number belongs to it")
    else:
        todo = "one of whatsapp.waba_id and whatsapp.phone_number_id is of another account: compare with Meta's page"
        findings.wrong("account", "the number does not belong to this account", todo)
    apps = await graph.listed(f"{settings.waba_id}/subscribed_apps")
    ids = [_text(_part(app, "whatsapp_business_api_data"), "id") for app in apps]
    if app_id in ids if app_id else ids:
        findings.ok("subscription", "the app gets what happens on this account")
    else:
        todo = "subscribe it: docs/how-to/set-up-whatsapp.md, step 7"
        findings.wrong("subscription", "the app is not subscribed to this account: no message reaches us", todo)


async def _check_templates(graph: Graph, settings: WhatsAppSection, findings: Findings) -> None:
    """The template for single messages has one place in its body, numbered; that for news has none."""
    prints = "rangkul channels templates prints one to submit"
    if settings.template_message:
        await _check_template(graph, settings, findings, settings.template_message, {"body": ["1"]})
    else:
        says = "whatsapp.template_message is not set: after 24 hours no answer goes out before the person writes"
        findings.note("template", says, prints)
    if settings.template_news:
        await _check_template(graph, settings, findings, settings.template_news, {})
    else:
        says = "whatsapp.template_news is not set: after 24 hours nobody is asked to write, and staff get a ticket"
        findings.note("template", says, prints)


async def _check_template(
    graph: Graph, settings: WhatsAppSection, findings: Findings, name: str, fits: Mapping[str, list[str]]
) -> None:
    language = settings.template_language
    rows = await graph.listed(f"{settings.waba_id}/message_templates", name=name)
    named = [row for row in rows if _text(row, "name") == name]
    row = next((row for row in named if _text(row, "language") == language), None)
    if not named:
        findings.wrong("template", f"{name} does not exist", "rangkul channels templates prints what to submit")
    elif row is None:
        languages = ", ".join(sorted(_text(one, "language") for one in named))
        todo = "set whatsapp.template_language to one of these, or submit it in that language"
        findings.wrong("template", f"{name} exists in {languages}, not in {language}", todo)
    else:
        _judge_template(f"{name} ({language})", row, fits, findings)


def _judge_template(shown: str, row: Json, fits: Mapping[str, list[str]], findings: Findings) -> None:
    status, category, places = _text(row, "status"), _text(row, "category"), _places(row)
    if status in ("PENDING", "IN_APPEAL"):
        findings.wrong("template", f"{shown} is {status}", "wait for Meta's review; until then it cannot be sent")
    elif status != "APPROVED":
        todo = "see the reason in WhatsApp Manager, Message templates; mend it there"
        findings.wrong("template", f"{shown} is {status}", todo)
    elif category != "UTILITY":
        todo = "submit it again as Utility, in the words that rangkul channels templates prints"
        findings.wrong("template", f"{shown} is of category {category}", todo)
    elif places != fits:
        says = f"{shown} wants {_counted(places)}; we send {_counted(fits)}"
        findings.wrong("template", says, "submit it as rangkul channels templates prints it")
    else:
        findings.ok("template", f"{shown} is approved, of category {category}, and wants {_counted(places)}")


def _places(row: Json) -> dict[str, list[str]]:
    """What has to be filled in when a template is sent, by its parts: names of places, or kinds of other things."""
    places: dict[str, list[str]] = {}
    for component in row.get("components") or ():
        kind, form = _text(component, "type").upper(), _text(component, "format").upper()
        wanted = sorted(set(PLACE.findall(_text(component, "text"))))
        if kind == "HEADER" and form in HEADERS_WITH_FILES:
            wanted.append(form)
        for button in component.get("buttons") or () if kind == "BUTTONS" else ():
            wanted += PLACE.findall(_text(button, "url"))
            wanted += [form for form in BUTTONS_WITH_VALUES if form == _text(button, "type").upper()]
        if wanted:
            places[kind.lower()] = wanted
    return places


def _counted(places: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{', '.join(names)} in its {part}" for part, names in places.items()) or "no values"


# ── our own webhook ──────────────────────────────────────────────────────────────────────────────


async def _check_own_webhook(config: Config, findings: Findings) -> None:
    """Asks our public address as Meta does when a webhook is set up: who knows the word gets the challenge back."""
    challenge = secrets.token_hex(8)
    word = _revealed(config.whatsapp.verify_token)
    params = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": word}
    try:
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S, follow_redirects=False) as http:
            answer = await http.get(webhook_url(config), params=params)
    except httpx.InvalidURL:
        findings.wrong("own webhook", "web.public_url cannot be read", "write it as https://host")
        return
    except httpx.HTTPError as error:
        if _is_of_tls(error):
            todo = "it must be whole, valid, and belong to the host of web.public_url; Meta takes no self-signed one"
            findings.wrong("own webhook", "the certificate is not trusted", todo)
        else:
            says = f"cannot be tried from here: our address does not answer this machine ({type(error).__name__})"
            findings.note("own webhook", says, "try it from outside: docs/how-to/set-up-whatsapp.md, step 6")
        return
    if answer.status_code == 200 and answer.text == challenge:
        findings.ok("own webhook", "it answers Meta's handshake")
    else:
        findings.wrong("own webhook", *_handshake_trouble(answer.status_code))


def _handshake_trouble(status: int) -> tuple[str, str]:
    match status:
        case 200:
            return "something else answers at our address", "let the proxy pass the path to the service"
        case 403:
            return (
                "the service there knows another verify token",
                "give both the same RANGKUL_WHATSAPP__VERIFY_TOKEN and start the service again",
            )
        case 404:
            return (
                "nothing is at that path",
                "start the service with the WhatsApp settings, and let the proxy pass the path",
            )
        case _ if 300 <= status < 400:
            return f"it redirects (HTTP {status})", "set web.public_url to the final address"
        case _:
            return f"it answers HTTP {status}", "see that the service runs behind the proxy"


def _is_of_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


# ── what Meta sends ──────────────────────────────────────────────────────────────────────────────


def _part(of: object, key: str) -> Json:
    value = of.get(key) if isinstance(of, Mapping) else None
    return value if isinstance(value, Mapping) else _NOTHING


def _text(of: object, key: str) -> str:
    value = of.get(key) if isinstance(of, Mapping) else None
    return value if isinstance(value, str) else ""


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
