"""Every conversation script passes on the page, on Telegram and on WhatsApp alike; strangers judge what was sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from telegram_judge import judge_call
from whatsapp_judge import judge

from bot.channels.whatsapp.rendering import Message
from bot.config import Config
from bot.replay.company import Order, flows_of, play
from bot.replay.on_telegram import OnTelegram
from bot.replay.on_whatsapp import OnWhatsApp
from bot.replay.platforms import Platform
from bot.replay.reading import read_script
from bot.replay.reports import failure_lines
from bot.replay.script import Script
from bot.replay.vocabulary import vocabulary_of
from flows.settings import Settings

FOLDER = Path(__file__).resolve().parent.parent / "conversations"

MEANT_ELSEWHERE = {
    "telegram": {},
    "whatsapp": {
        "NIK lewat halaman isian": "a link is good for one answer, so the page takes no second one",
        "jam istirahat dan malam tidak dihitung": "after a day WhatsApp takes no question with buttons",
    },
    "web": {},
}
"""Cases that name no channel of their own, and that one of them cannot play by its nature, and why."""


def _read(path: Path, channel: str = "") -> Script:
    script = read_script(path, vocabulary_of(flows_of(Settings())), channel=channel).script
    assert script is not None
    return script


@pytest.mark.parametrize("channel", ["web", "telegram", "whatsapp"])
def test_every_script_passes_on(channel: str) -> None:
    """All cases pass that name no other channel; those meant elsewhere fail, or they would not be left out.

    A case that names another channel is played here, too, for what strangers think of it, but need not pass.
    """
    watched = Watched()
    played = play(
        [_read(path, channel) for path in sorted(FOLDER.rglob("*.yaml"))], Order(Config(), watch=watched.look)
    )
    elsewhere = named_elsewhere(channel)
    failed = [one for one in played.outcomes if not one.passed and one.name not in elsewhere]
    left_out = MEANT_ELSEWHERE[channel]
    assert "\n".join(line for one in failed if one.name not in left_out for line in failure_lines(one)) == ""
    assert {one.name for one in failed} == set(left_out)
    assert len(elsewhere) < len(played.outcomes) / 5
    assert len(played.outcomes) > 150
    assert watched.unsound == []
    assert watched.refused == []
    assert (watched.judged > len(played.outcomes)) is (channel != "web")


GREETING = """
test_cases:
  - test_case: menyapa
    steps: [user: halo]
"""


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_what_is_seen_otherwise_than_said_fails_a_case(
    channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case that expects nothing fails all the same when an adapter leaves out the buttons."""
    script = tmp_path / "menyapa.yaml"
    script.write_text(GREETING)
    assert [one.passed for one in play([_read(script, channel)], Order(Config())).outcomes] == [True]
    monkeypatch.setattr("bot.channels.telegram.channel.markup_of", lambda *_, **__: None)
    monkeypatch.setattr(
        "bot.channels.whatsapp.channel.message_of",
        lambda body, **_: Message("text", {"body": body.text, "preview_url": False}),
    )
    (outcome,) = play([_read(script, channel)], Order(Config())).outcomes
    assert next(failure.got for failure in outcome.failures).startswith("the person sees no button ")


def named_elsewhere(channel: str) -> set[str]:
    """The cases whose script names another channel than this one; the terminal is what is named by nobody."""
    cases = [case for path in sorted(FOLDER.rglob("*.yaml")) for case in _read(path).cases]
    return {case.name for case in cases if case.channel not in ("terminal", channel)}


class Watched:
    """What the platforms got over all cases, judged by strangers, and what they refused of themselves."""

    def __init__(self) -> None:
        self.judged = 0
        self.unsound: list[str] = []
        self.refused: list[Any] = []

    def look(self, case: str, platform: Platform) -> None:
        """Looks at one case's platform when the case is over."""
        if isinstance(platform, OnTelegram):
            let_go = {
                call.params["callback_query_id"] for call in platform.fake.requests if call.done and _lets_go(call)
            }
            self.refused += [
                (case, call)
                for call in platform.fake.refusals
                # A press that is delivered again is let go again, for we may have died before the first time.
                if not (_lets_go(call) and call.params["callback_query_id"] in let_go)
            ]
            self.refused += [(case, violation) for violation in platform.fake.violations]
            for call in platform.fake.requests:
                self._judge(case, lambda call=call: judge_call(call))  # type: ignore[misc]
        elif isinstance(platform, OnWhatsApp):
            self.refused += [(case, violation) for violation in platform.fake.violations]
            for request in platform.fake.requests:
                if request.path.endswith("/messages"):
                    self._judge(case, lambda request=request: self._none(judge(request.params)))  # type: ignore[misc]

    def _judge(self, case: str, judging: Any) -> None:
        self.judged += 1
        try:
            judging()
        except AssertionError as error:
            self.unsound.append(f"{case}: {error}")

    @staticmethod
    def _none(problems: list[str]) -> None:
        assert problems == []


def _lets_go(call: Any) -> bool:
    return bool(call.method == "answerCallbackQuery")
