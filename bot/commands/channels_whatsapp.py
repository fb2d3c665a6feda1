"""What Meta tells about our number, account and template, held against the settings; and whether our webhook answers.

Nothing is changed by looking. Which fields there are: Meta's pages on business phone numbers, message templates,
webhook overrides and permissions (`debug_token`), read in copies of 2025 and 2026.
"""

from __future__ import annotations

import secrets
import ssl
from datetime import UTC, datetime
from typing import Final

import httpx

from bot.commands.channels_findings import Findings, host_of
from bot.commands.channels_graph import (
    ANSWER_WITHIN_S,
    NEW_TOKEN,
    PERMISSIONS,
    Away,
    Graph,
    Json,
    Refused,
    graph_of,
    part,
    text,
)
from bot.commands.channels_templates import check_templates
from bot.config import LOOPBACK_API_URL, LOOPBACK_URL, Config, WhatsAppSection, revealed

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
    _check_callback(part(number, "webhook_configuration"), webhook_url(config), findings)
    if not settings.waba_id:
        todo = "set whatsapp.waba_id: the app's WhatsApp page shows it beside the number's id"
        findings.wrong("account", "without its id neither subscription nor templates can be looked at", todo)
        return
    try:
        await _check_account(graph, settings, findings, app_id)
        await check_templates(graph, settings, findings)
    except Refused as error:
        findings.wrong("account", f"whatsapp.waba_id: {error.says}", error.todo)


async def _check_token(graph: Graph, settings: WhatsAppSection, findings: Findings, now: datetime) -> str:
    """The id of the app that the token belongs to; '' when Meta does not say."""
    try:
        told = part(await graph.get("debug_token", input_token=revealed(settings.token)), "data")
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
    return text(told, "app_id")


def _check_number(number: Json, findings: Findings) -> None:
    shown = f"{text(number, 'display_phone_number')} ({text(number, 'verified_name') or 'no name yet'})"
    status, platform = text(number, "status"), text(number, "platform_type")
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
    name_status = text(number, "name_status")
    if name_status and name_status not in GOOD_NAMES:
        findings.note("name", f"Meta's verdict on the name is {name_status}: people may see the number alone")
    quality = text(number, "quality_rating")
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
    kind = next((kind for kind in kinds if text(there, kind)), "")
    todo = "set the callback URL of the app's webhook, or take the override away: docs/how-to/set-up-whatsapp.md"
    if not kind:
        findings.note(
            "callback", "Meta does not say where it brings messages; compare it by hand with the address above"
        )
    elif text(there, kind) == ours:
        findings.ok("callback", "Meta brings messages to our address")
    elif host_of(text(there, kind)) == host_of(ours):
        findings.wrong("callback", f"Meta brings messages to another port or path of our host (set on: {kind})", todo)
    else:
        says = f"Meta brings messages to {host_of(text(there, kind))}, not to us (set on: {kind})"
        findings.wrong("callback", says, todo)


async def _check_account(graph: Graph, settings: WhatsAppSection, findings: Findings, app_id: str) -> None:
    numbers = await graph.listed(f"{settings.waba_id}/phone_numbers", fields="id")
    if settings.phone_number_id in [text(one, "id") for one in numbers]:
        findings.ok("account", "the number belongs to it")
    else:
        todo = "one of whatsapp.waba_id and whatsapp.phone_number_id is of another account: compare with Meta's page"
        findings.wrong("account", "the number does not belong to this account", todo)
    apps = await graph.listed(f"{settings.waba_id}/subscribed_apps")
    ids = [text(part(app, "whatsapp_business_api_data"), "id") for app in apps]
    if app_id in ids if app_id else ids:
        findings.ok("subscription", "the app gets what happens on this account")
    else:
        todo = "subscribe it: docs/how-to/set-up-whatsapp.md, step 7"
        findings.wrong("subscription", "the app is not subscribed to this account: no message reaches us", todo)


# ── our own webhook ──────────────────────────────────────────────────────────────────────────────


async def _check_own_webhook(config: Config, findings: Findings) -> None:
    """Asks our public address as Meta does when a webhook is set up: who knows the word gets the challenge back."""
    challenge = secrets.token_hex(8)
    word = revealed(config.whatsapp.verify_token)
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
