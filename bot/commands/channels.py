"""`rangkul channels`: whether Telegram and WhatsApp are set up rightly; links for posters; templates to submit."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final
from urllib.parse import quote

import msgspec

from bot.channels.links import Links
from bot.clock import SystemClock, SystemIds
from bot.commands.channels_findings import Finding, Findings, without_secrets
from bot.commands.opening import command_parser, settings_of
from bot.commands.tables import table
from bot.config import Config, load_config
from bot.logs import set_up_logs
from flows.catalogue import load_flows
from flows.work import Flows
from storage.inbox import Accepted, Event
from storage.keyring import Keyring

CHANNELS: Final = ("telegram", "whatsapp")
LOOK_WITHIN_S: Final = 60.0
"""Seconds after which nobody waits any longer for one channel."""

WRONG: Final = 1
UNUSABLE: Final = 2

SIGNS: Final[Mapping[str, str]] = {"ok": "ok   ", "wrong": "WRONG", "note": "note "}


def main(arguments: Sequence[str]) -> int:
    """`check`, `set-up`, `link` or `templates`. Raises ConfigError for settings that cannot be used."""
    given = _parser().parse_args(arguments)
    match given.verb:
        case "check":
            return _check(given)
        case "set-up":
            return _set_up(given)
        case "link":
            return _link(given)
        case _:
            return _templates()


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("channels", __doc__ or "")
    verbs = parser.add_subparsers(dest="verb", required=True)
    check = verbs.add_parser("check", help="looks at everything; 0 all right, 1 something wrong, 2 channel off")
    check.add_argument("channel", nargs="?", choices=CHANNELS, help="only this one (all that are on)")
    check.add_argument("--json", action="store_true")
    set_up = verbs.add_parser(
        "set-up", help="sets webhook and menu of commands again, as the start of the service does"
    )
    set_up.add_argument("channel", choices=("telegram",))
    link = verbs.add_parser("link", help="links that open a task, for posters; without TASK the tasks")
    link.add_argument("task", nargs="?", metavar="TASK")
    link.add_argument("--channel", choices=CHANNELS, help="only this one (all that are on)")
    verbs.add_parser("templates", help="the WhatsApp templates to submit to Meta")
    return parser


def is_on(channel: str, config: Config) -> bool:
    """Whether the settings turn this channel on."""
    return config.telegram.is_on if channel == "telegram" else config.whatsapp.is_on


def _wanted(channel: str | None, config: Config) -> list[str]:
    """The channels that were asked for and are on; those that are off are told about."""
    asked = [channel] if channel else list(CHANNELS)
    on = [one for one in asked if is_on(one, config)]
    for one in asked:
        if one not in on:
            print(f"{one}: off (RANGKUL_{one.upper()}__TOKEN is not set)", file=sys.stderr)
    return on


# ── check ────────────────────────────────────────────────────────────────────────────────────────


def _check(given: argparse.Namespace) -> int:
    config = load_config(given.config)
    set_up_logs(config.logs.model_copy(update={"level": "warning"}))
    found = {channel: asyncio.run(_looked_at(channel, config)) for channel in _wanted(given.channel, config)}
    if not found:
        return UNUSABLE
    is_wrong = any(one.state == "wrong" for findings in found.values() for one in findings)
    print(_as_json(found, is_wrong) if given.json else _as_lines(found))
    return WRONG if is_wrong else 0


async def _looked_at(channel: str, config: Config) -> list[Finding]:
    """What was found, without secrets. Each channel's library is loaded only here."""
    findings = Findings()
    now = SystemClock().now()
    try:
        async with asyncio.timeout(LOOK_WITHIN_S):
            if channel == "telegram":
                from bot.commands.channels_telegram import check_telegram

                await check_telegram(config, findings, now)
            else:
                from bot.commands.channels_whatsapp import check_whatsapp

                await check_whatsapp(config, findings, now)
    except TimeoutError:
        findings.wrong("network", f"not done after {LOOK_WITHIN_S:.0f} s", "try again when the network is better")
    return without_secrets(findings.found, config)


def _as_lines(found: Mapping[str, Sequence[Finding]]) -> str:
    lines = []
    for channel, findings in found.items():
        lines.append(channel)
        for one in findings:
            todo = f" → {one.todo}" if one.todo else ""
            lines.append(f"  {SIGNS[one.state]}  {one.what}: {one.says}{todo}")
        count = sum(one.state == "wrong" for one in findings)
        lines.append(f"  {'all right' if not count else f'{count} wrong'}")
    return "\n".join(lines)


def _as_json(found: Mapping[str, Sequence[Finding]], is_wrong: bool) -> str:
    channels = {channel: [asdict(one) for one in findings] for channel, findings in found.items()}
    return msgspec.json.encode({"ok": not is_wrong, "channels": channels}).decode()


# ── set-up ───────────────────────────────────────────────────────────────────────────────────────


def _set_up(given: argparse.Namespace) -> int:
    config, keys = settings_of(given, demo_when_bare=False)
    if not _wanted("telegram", config):
        return UNUSABLE
    return asyncio.run(_set_up_telegram(config, keys))


async def _set_up_telegram(config: Config, keys: Keyring) -> int:
    from telegram.error import TelegramError

    from bot.channels.opening import telegram_of
    from bot.channels.telegram.words import load_words
    from bot.commands.channels_telegram import trouble_of

    telegram = telegram_of(config, keys, _flows(config), SystemClock(), SystemIds())
    telegram.connect(_nobody)
    try:
        await telegram.set_up()
    except TelegramError as error:
        what, says, todo = trouble_of(error)
        print(f"telegram: {what}: {says} → {todo}")
        return WRONG
    finally:
        await telegram.stop()
    webhook = f"{config.web.public_url}{config.telegram.webhook_path}"
    print(f"menu: {', '.join(load_words().commands)}")
    print(f"way in: {f'webhook {webhook}' if config.telegram.has_webhook else 'polling; no webhook'}")
    return 0


async def _nobody(_: Sequence[Event]) -> list[Accepted]:
    """Takes nothing in: nothing is asked for here."""
    return []


# ── link ─────────────────────────────────────────────────────────────────────────────────────────


class CannotTell(Exception):
    """The platform does not tell what a link to us is made of; the message says why and what to do."""


def _link(given: argparse.Namespace) -> int:
    config, keys = settings_of(given, demo_when_bare=False)
    flows = _flows(config)
    if given.task not in flows.by_name:
        if given.task:
            print(f"{given.task}: no such task; there are these:", file=sys.stderr)
        print(table(("TASK", "WHAT IT IS"), [(name, _title(flows, name)) for name in flows.by_name]))
        return UNUSABLE if given.task else 0
    channels = _wanted(given.channel, config)
    payload = Links(keys, flows.by_name).payload_of(given.task)
    failed = 0
    for channel in channels:
        try:
            print(f"{channel}: {asyncio.run(_link_on(channel, config, payload, _title(flows, given.task)))}")
        except CannotTell as error:
            print(f"{channel}: {error}", file=sys.stderr)
            failed = WRONG
    return failed if channels else UNUSABLE


async def _link_on(channel: str, config: Config, payload: str, title: str) -> str:
    """Raises CannotTell."""
    if channel == "telegram":
        return f"https://t.me/{await _bot_name(config)}?start={payload}"
    from bot.channels.whatsapp.words import load_words

    text = load_words().link.format(task=title, payload=payload)
    return f"https://wa.me/{await _number(config)}?text={quote(text, safe='')}"


async def _bot_name(config: Config) -> str:
    from telegram.error import TelegramError

    from bot.commands.channels_telegram import bot_of, trouble_of

    async with bot_of(config) as bot:
        try:
            return (await bot.get_me()).username or ""
        except TelegramError as error:
            what, says, todo = trouble_of(error)
            raise CannotTell(f"{what}: {says} → {todo}") from error


async def _number(config: Config) -> str:
    from bot.commands.channels_graph import Away, Refused, display_number, graph_of

    async with graph_of(config) as graph:
        try:
            number = await display_number(graph, config.whatsapp)
        except Refused as error:
            raise CannotTell(f"{error.says} → {error.todo}") from error
        except Away as error:
            raise CannotTell(f"Meta does not answer ({error})") from error
    if not number:
        raise CannotTell("Meta does not tell the number → rangkul channels check whatsapp")
    return number


def _flows(config: Config) -> Flows:
    return load_flows(config.flow_settings())


def _title(flows: Flows, task: str) -> str:
    return flows.copy.label(f"label/task_{task}")


# ── templates ────────────────────────────────────────────────────────────────────────────────────


def _templates() -> int:
    from bot.channels.whatsapp.words import load_words

    for one in load_words().templates:
        print(f"For: {one.when}. Once it is approved: {one.setting}: {one.name}")
        rows = [("Name", one.name), ("Category", one.category.capitalize()), ("Language", one.language)]
        rows += [("Header", "none"), ("Buttons", "none"), ("Sample", one.sample or "none: nothing is to be filled in")]
        for name, value in rows:
            print(f"  {name + ':':<10}{value}")
        print("  Body:", *(f"    {line}" for line in one.body.splitlines()), sep="\n")
        print(f"  Footer:\n    {one.footer}")
    return 0
