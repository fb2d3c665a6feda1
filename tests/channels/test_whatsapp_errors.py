"""What the codes of the Cloud API mean for a message, code by code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pywa.errors import WhatsAppError

from bot.channels.base import SendError
from bot.channels.whatsapp.errors import refused, remedy_of, unheard
from bot.fakes.whatsapp_errors import CODES

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
REQUEST = httpx.Request("POST", "https://graph.test/v26.0/1/messages")

STOPS = {
    "token": (0, 190),
    "permission": (3, 10, 131005, 200, 299),
    "messaging_limit": (131064,),
    "blocked": (368,),
    "locked": (131031,),
    "payment": (131042,),
    "address": (2500,),
}
"""Nothing more is sent on this number until somebody has mended it."""

PAUSES = {"call_limit": (4, 80007), "throttled": (130429,), "maintenance": (131057,)}
"""The number holds still for a while, and it passes by itself."""

GIVES_UP = {
    "spam_limit": (131048,),
    "not_engaged": (131049,),
    "country": (130497,),
    "undeliverable": (131026,),
    "opted_out": (131050,),
    "unsupported": (131051, 132068, 132069),
    "media": (131052, 131053),
    "needs_phone": (131062,),
    "bad_request": (100, 131008, 131009),
    "template_values": (132000, 132005, 132008, 132012),
    "template_missing": (132001,),
    "template_policy": (132007,),
    "template_paused": (132015,),
    "template_disabled": (132016,),
    "identity_changed": (137000,),
}
TRIES_AGAIN = {"service": (1, 2, 131000, 131016), "pair_limit": (131056,)}
WAITS = {"window_closed": (131047,)}


def each(table: dict[str, tuple[int, ...]]) -> list[tuple[int, str]]:
    return [(code, word) for word, codes in table.items() for code in codes]


def meant(code: int, *, attempts: int = 0, jitter: float = 0.0, **more: Any) -> SendError:
    """What an answer with this code comes to, by way of pywa."""
    headers = more.pop("headers", {})
    answer = {"code": code, "message": "(#0) of no matter", "type": "OAuthException", "fbtrace_id": "A1", **more}
    error = WhatsAppError.from_dict(answer, httpx.Response(400, headers=headers, request=REQUEST))
    return refused(error, attempts=attempts, now=NOW, jitter=lambda: jitter)


def test_every_code_that_is_known_has_its_place() -> None:
    """The fake knows the codes of the published table; none of them is left to chance here."""
    told = {code for table in (STOPS, PAUSES, GIVES_UP, TRIES_AGAIN, WAITS) for code, _ in each(table)}
    assert CODES - told == set()


@pytest.mark.parametrize(("code", "word"), each(STOPS))
def test_a_number_that_must_be_mended_stops_and_tells(code: int, word: str) -> None:
    """The queue is kept: the message does not count as tried."""
    error = meant(code)
    assert (error.word, error.permanent, error.alerts) == (word, False, True)
    assert error.pauses is not None and error.pauses >= timedelta(minutes=5)


@pytest.mark.parametrize(("code", "word"), each(PAUSES))
def test_a_number_that_is_too_fast_holds_still_for_a_while(code: int, word: str) -> None:
    """Somewhat longer for each process, so that they do not all come back at once."""
    error, later = meant(code), meant(code, jitter=0.5)
    assert (error.word, error.permanent, error.alerts) == (word, False, False)
    assert error.pauses is not None and later.pauses == error.pauses * 1.5


def test_a_platform_that_names_a_time_is_obeyed() -> None:
    """Retry-After is in seconds; what is no number of seconds is passed over."""
    assert meant(130429, headers={"retry-after": "30"}).pauses == timedelta(seconds=30)
    assert meant(130429, headers={"retry-after": "soon"}).pauses == meant(130429).pauses
    assert meant(131057, headers={"retry-after": "1"}).pauses == timedelta(seconds=20)


@pytest.mark.parametrize(("code", "word"), each(GIVES_UP))
def test_what_cannot_help_is_not_tried_again(code: int, word: str) -> None:
    """It is parked, and staff hear why."""
    error = meant(code)
    assert (error.word, error.permanent, error.pauses, error.uncertain) == (word, True, None, False)


@pytest.mark.parametrize(("code", "word"), each(TRIES_AGAIN))
def test_what_passes_is_tried_again(code: int, word: str) -> None:
    """Only this message waits, and it was surely not sent."""
    error = meant(code)
    assert (error.word, error.permanent, error.pauses, error.uncertain) == (word, False, None, False)


def test_a_closed_window_waits_for_the_person() -> None:
    """No number of tries opens it."""
    error = meant(131047)
    assert (error.word, error.waits_for_person, error.permanent, error.uncertain) == (
        "window_closed",
        True,
        False,
        False,
    )


def test_one_person_is_written_to_ever_more_slowly() -> None:
    """4^X seconds, X from 0 (Meta's page on pair rate limits), and not for ever longer."""
    waits = [meant(131056, attempts=attempts).retry_at for attempts in (0, 1, 2, 3, 6, 1000)]
    assert waits == [NOW + timedelta(seconds=seconds) for seconds in (1, 4, 16, 64, 4096, 4096)]


def test_a_wrong_number_id_stops_everything_instead_of_parking_everything() -> None:
    """Code 100 is a bad message, but with subcode 33 our own number is not there."""
    error = meant(100, error_subcode=33)
    assert (error.word, error.permanent, error.alerts) == ("phone_number_id", False, True)


def test_a_code_that_nobody_has_told_us_of_may_pass() -> None:
    """It is tried again a few times under its own number."""
    assert (meant(777777).word, meant(777777).permanent) == ("code_777777", False)
    assert remedy_of(-1).word == "unknown"


@pytest.mark.parametrize(
    ("status", "uncertain", "pauses"), [(502, True, False), (504, True, False), (403, False, False), (429, False, True)]
)
def test_an_answer_of_something_in_between(status: int, uncertain: bool, pauses: bool) -> None:
    """Not Meta's JSON: a gateway may have let the message through before it failed."""
    answer = {"code": status, "message": "<html>"}
    error = WhatsAppError.from_dict(answer, httpx.Response(status, request=REQUEST))
    failure = refused(error, attempts=0, now=NOW, jitter=lambda: 0.0)
    assert (failure.uncertain, failure.pauses is not None, failure.permanent) == (uncertain, pauses, False)


@pytest.mark.parametrize(
    ("error", "uncertain"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
        (httpx.ReadTimeout("silent"), True),
        (httpx.WriteTimeout("stuck"), True),
        (httpx.RemoteProtocolError("cut off"), True),
        (httpx.ReadError("reset"), True),
    ],
)
def test_silence_leaves_it_open_unless_nothing_was_said(error: httpx.HTTPError, uncertain: bool) -> None:
    """A network that is away is waited for and costs no try; after the request is out, it may have been taken."""
    failure = unheard(error)
    assert (failure.uncertain, failure.pauses is None, failure.permanent) == (uncertain, uncertain, False)
