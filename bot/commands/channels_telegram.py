"""What Telegram tells about our bot, held against the settings. Nothing there is changed by looking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from telegram import Bot, User, WebhookInfo
from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.channels.telegram.errors import wait_of
from bot.channels.telegram.http import HttpRequest
from bot.channels.telegram.payloads import ALLOWED_UPDATES
from bot.channels.telegram.words import load_words
from bot.commands.channels_findings import Findings, host_of
from bot.config import Config

ANSWER_WITHIN_S: Final = 10.0
RECENT: Final = timedelta(hours=1)
"""A failed delivery that is older than this has most likely been mended."""

WEBHOOK_PORTS: Final = (443, 80, 88, 8443)
"""core.telegram.org/bots/api#setwebhook"""

SET_UP_AGAIN: Final = "start the service, or run: rangkul channels set-up telegram"
NEW_TOKEN: Final = "get the token from @BotFather (/token) and put it into RANGKUL_TELEGRAM__TOKEN"  # noqa: S105

_HINTS: Final = (
    (
        "403",
        "the secret word there is not ours: run: rangkul channels set-up telegram, with the service's own settings",
    ),
    (
        "404",
        "nothing answers at that path: start the service with telegram.mode webhook, and let the proxy pass the path",
    ),
    ("ssl", "the certificate is not trusted: it must be whole and belong to the host of web.public_url"),
    ("certificate", "the certificate is not trusted: it must be whole and belong to the host of web.public_url"),
    ("redirect", "Telegram follows no redirect: web.public_url must be the final address"),
)


@asynccontextmanager
async def bot_of(config: Config) -> AsyncIterator[Bot]:
    """Our bot, over the same kind of connection as the service's. Raises ValueError while the channel is off."""
    if config.telegram.token is None:
        raise ValueError("Telegram needs a token")
    request = HttpRequest(read_timeout_s=ANSWER_WITHIN_S, trust_env=config.telegram.proxy_from_environment)
    base = config.telegram.api_base_url
    try:
        yield Bot(config.telegram.token.get_secret_value(), base_url=f"{base}/bot", request=request)
    finally:
        await request.shutdown()


async def check_telegram(config: Config, findings: Findings, now: datetime) -> None:
    """Looks at everything that can be seen from here, until Telegram does not answer any more."""
    _check_address(config, findings)
    async with bot_of(config) as bot:
        try:
            _check_bot(await bot.get_me(), findings)
            commands = {command.command: command.description for command in await bot.get_my_commands()}
            _check_commands(commands, findings)
            _check_way_in(config, await bot.get_webhook_info(), findings, now)
        except TelegramError as error:
            findings.wrong(*trouble_of(error))


def trouble_of(error: TelegramError) -> tuple[str, str, str]:
    """What was looked at, what went wrong, what to do."""
    match error:
        case InvalidToken():
            return "token", "Telegram does not know it", NEW_TOKEN
        case RetryAfter():
            return "network", f"Telegram wants {wait_of(error).total_seconds():.0f} s of peace", "try again then"
        case NetworkError():
            return "network", f"Telegram does not answer ({error.message})", "see that this machine reaches it"
        case _:
            return "network", f"Telegram refuses to answer ({error.message})", "try again later"


def _check_address(config: Config, findings: Findings) -> None:
    """The public address, which only a webhook needs; `load_config` has seen to its https."""
    if not config.telegram.has_webhook:
        return
    try:
        port = urlsplit(config.web.public_url).port or 443
    except ValueError:
        findings.wrong("address", "web.public_url cannot be read", "write it as https://host")
        return
    if port in WEBHOOK_PORTS:
        findings.ok("address", f"{config.web.public_url}{config.telegram.webhook_path}")
    else:
        ports = ", ".join(str(one) for one in WEBHOOK_PORTS)
        findings.wrong("address", f"web.public_url is on port {port}", f"Telegram comes to ports {ports} alone")


def _check_bot(me: User, findings: Findings) -> None:
    findings.ok("token", f"Telegram knows it: the bot is {me.first_name} (@{me.username})")
    joins = "can be put into groups" if me.can_join_groups else "cannot be put into groups"
    reads = "reads everything there" if me.can_read_all_group_messages else "sees only what is meant for it there"
    findings.note("groups", f"the bot {joins} and {reads}; it answers in private chats alone")


def _check_commands(there: dict[str, str], findings: Findings) -> None:
    ours = load_words().commands
    if list(there.items()) == list(ours.items()):
        findings.ok("menu", f"{len(ours)} commands: {', '.join(ours)}")
    else:
        findings.wrong("menu", "the menu of commands is not ours", SET_UP_AGAIN)


def _check_way_in(config: Config, info: WebhookInfo, findings: Findings, now: datetime) -> None:
    if config.telegram.has_webhook:
        _check_webhook(config, info, findings)
        _check_deliveries(info, findings, now)
    elif info.url:
        says = f"telegram.mode is polling, yet Telegram brings messages to {host_of(info.url)}"
        findings.wrong("way in", says, SET_UP_AGAIN)
    else:
        findings.ok("way in", "the service asks for messages (polling), and no webhook is in its way")
        findings.note(
            "other askers", "cannot be seen without disturbing them; the log would say telegram.stopped conflict"
        )
    count = info.pending_update_count
    findings.note("waiting", f"{count} {'message waits' if count == 1 else 'messages wait'} at Telegram")


def _check_webhook(config: Config, info: WebhookInfo, findings: Findings) -> None:
    ours = f"{config.web.public_url}{config.telegram.webhook_path}"
    if not info.url:
        findings.wrong("way in", "telegram.mode is webhook, yet none is set at Telegram", SET_UP_AGAIN)
        return
    if info.url == ours:
        findings.ok("way in", "Telegram brings messages to our address (webhook)")
    elif host_of(info.url) == host_of(ours):
        findings.wrong("way in", "Telegram brings messages to another port or path of our host", SET_UP_AGAIN)
    else:
        findings.wrong("way in", f"Telegram brings messages to {host_of(info.url)}, not to us", SET_UP_AGAIN)
    lacking = [kind for kind in ALLOWED_UPDATES if info.allowed_updates and kind not in info.allowed_updates]
    if lacking:
        findings.wrong("kinds", f"Telegram does not bring {', '.join(lacking)}", SET_UP_AGAIN)
    else:
        findings.ok("kinds", "Telegram brings all kinds of updates that we need")
    findings.note(
        "secret word", "Telegram does not tell it back; a wrong one would show as error 403 in the line on deliveries"
    )


def _check_deliveries(info: WebhookInfo, findings: Findings, now: datetime) -> None:
    if info.last_error_date is None:
        findings.ok("deliveries", "Telegram tells of no failure")
        return
    said = info.last_error_message or "without a reason"
    says = f"the last failure was at {info.last_error_date:%Y-%m-%d %H:%M} UTC: {said}"
    if now - info.last_error_date > RECENT:
        findings.note("deliveries", says)
    else:
        findings.wrong("deliveries", says, _hint(said))


def _hint(said: str) -> str:
    found = (hint for sign, hint in _HINTS if sign in said.lower())
    return next(found, "see that the service runs, and that web.public_url reaches it from outside")
