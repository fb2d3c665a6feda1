"""What the platform itself saw: every answer of ours, every call, judged by its own rules and by strangers'."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from storm.checks import Verdict

from bot.fakes.telegram import Call
from crash_platforms.on_telegram import OnTelegram
from crash_platforms.on_whatsapp import OnWhatsApp
from crash_platforms.storm import PlatformStorm

PRESS_LIVES = timedelta(seconds=150)
"""After so long nobody waits for the answer to a button any more (channels.md 1.1)."""


def judge_platform(storm: PlatformStorm, verdict: Verdict) -> None:
    """Whichever it is."""
    if isinstance(storm.platform, OnTelegram):
        _telegram(storm, storm.platform, verdict)
    elif isinstance(storm.platform, OnWhatsApp):
        _whatsapp(storm.platform, verdict)


def _telegram(storm: PlatformStorm, platform: OnTelegram, verdict: Verdict) -> None:
    import telegram_judge  # takes seconds to import: for those alone who judge

    fake = platform.fake
    verdict.demand(not fake.violations, f"{len(fake.violations)} calls over a rate: {fake.violations[:3]}")
    refused = [call for call in fake.refusals if not (_is_late_answer(call) or _is_ghost(call))]
    verdict.demand(not refused, f"{len(refused)} calls refused: {[(c.method, c.answer) for c in refused[:3]]}")
    unsound = []
    for call in fake.requests:
        try:
            telegram_judge.judge_call(call)
        except telegram_judge.Unsound as error:
            unsound.append(str(error))
    verdict.demand(not unsound, f"{len(unsound)} calls that a stranger finds wrong: {unsound[:3]}")
    if platform.deliverer is not None:
        _answers(Counter(posted.status for posted in platform.deliverer.posted), verdict)
    unanswered = [press for press in fake.world.presses.values() if press.answer is None]
    deaths = [storm.clock.at(death) for death in storm.deaths]
    for press in unanswered:
        killed = any(press.at < death < press.at + PRESS_LIVES for death in deaths)
        verdict.demand(killed, f"a pressed button was never answered, and nobody was killed: {press.at}")
    figures = verdict.figures
    figures["calls of the Bot API"] = len(fake.requests)
    figures["buttons pressed"] = len(fake.world.presses)
    figures["buttons never answered"] = len(unanswered)
    figures["files asked for"] = sum(call.method.lower() == "getfile" for call in fake.requests)


def _is_late_answer(call: Call) -> bool:
    """An update that comes again after a kill has its button answered again: there is nobody left to tell."""
    return call.method.lower() == "answercallbackquery" and "query is too old" in str(call.answer)


def _is_ghost(call: Call) -> bool:
    """The question of a killed process, ended by that of the next one. A living one would stop and log it."""
    return call.method.lower() == "getupdates" and call.status == 409


def _whatsapp(platform: OnWhatsApp, verdict: Verdict) -> None:
    import whatsapp_judge

    fake = platform.fake
    verdict.demand(not fake.violations, f"{len(fake.violations)} calls over a limit: {fake.violations[:3]}")
    refused = [request for request in fake.requests if request.code is not None]
    verdict.demand(not refused, f"{len(refused)} calls refused: {[(r.kind, r.code, r.details) for r in refused[:3]]}")
    unsound = whatsapp_judge.refused(fake.requests)
    verdict.demand(not unsound, f"{len(unsound)} calls that a stranger finds wrong: {unsound[:3]}")
    _answers(Counter(platform.answers), verdict)
    lost = platform.courier.lost if platform.courier else []
    verdict.demand(not lost, f"{len(lost)} webhooks given up")
    figures = verdict.figures
    figures["calls of the Cloud API"] = len(fake.requests)
    figures["messages with a status told"] = len(platform.told)
    figures["files asked for"] = sum(
        request.path.startswith("/whatsapp_business/attachments") for request in fake.requests
    )


def _answers(statuses: Counter[int], verdict: Verdict) -> None:
    """A dying service gives no answer; a living one says 200 and nothing else."""
    living = {status: count for status, count in statuses.items() if status}
    verdict.demand(set(living) == {200}, f"webhooks were answered {living}")
    verdict.figures["webhooks answered 200"] = living.get(200, 0)
    verdict.figures["webhooks that met a dead process"] = statuses.get(0, 0)
