"""What the codes of the Cloud API mean for a message: give it up, send it again, wait for the person, stop at all.

Codes and what to do: Meta's page "Cloud API error codes", read in copies of 2026, and pywa 4.5.0 `pywa/errors.py`.
The same codes come as an answer to a call and, later, in a `failed` status. The HTTP status decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import httpx

from bot.channels.base import SendError

if TYPE_CHECKING:
    from pywa.errors import WhatsAppError

UNTIL_MENDED: Final = timedelta(minutes=5)
"""After this, a channel that somebody must mend (a token, a payment) is tried again."""

AFTER_BLOCK: Final = timedelta(hours=1)
AFTER_CALL_LIMIT: Final = timedelta(minutes=2)
AFTER_THROUGHPUT: Final = timedelta(seconds=2)
AFTER_MAINTENANCE: Final = timedelta(seconds=20)
AFTER_NO_NETWORK: Final = timedelta(seconds=5)
MAX_PAIR_STEPS: Final = 6
"""A pair waits 4^X seconds, X from 0; 4^6 is more than an hour, and a burst is paid back in five minutes."""

GONE: Final = 33
"""Subcode of code 100: the object that was asked for does not exist, or is not ours."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What helps. `word` is for the record.

    `pauses`: the whole number sends nothing for so long, and somewhat longer, so that processes do not come back at
    once. `per_person`: only this person is written to more slowly. `alerts`: it does not mend by itself.
    """

    word: str
    then: Literal["give_up", "again", "wait_for_person"] = "give_up"
    pauses: timedelta | None = None
    per_person: bool = False
    alerts: bool = False


def _stopped(word: str, pauses: timedelta = UNTIL_MENDED) -> Remedy:
    return Remedy(word, "again", pauses, alerts=True)


_PERMISSION: Final = _stopped("permission")
_SERVICE: Final = Remedy("service", "again")
_TABLE: Final[Mapping[int, Remedy]] = {
    0: _stopped("token"),
    190: _stopped("token"),
    3: _PERMISSION,
    10: _PERMISSION,
    131005: _PERMISSION,
    4: Remedy("call_limit", "again", AFTER_CALL_LIMIT),
    80007: Remedy("call_limit", "again", AFTER_CALL_LIMIT),
    130429: Remedy("throttled", "again", AFTER_THROUGHPUT),
    131056: Remedy("pair_limit", "again", per_person=True),
    131057: Remedy("maintenance", "again", AFTER_MAINTENANCE),
    131048: Remedy("spam_limit", alerts=True),
    131049: Remedy("not_engaged"),
    131064: _stopped("messaging_limit", AFTER_BLOCK),
    368: _stopped("blocked", AFTER_BLOCK),
    131031: _stopped("locked", AFTER_BLOCK),
    131042: _stopped("payment", AFTER_BLOCK),
    131037: _stopped("display_name", AFTER_BLOCK),
    131045: _stopped("certificate", AFTER_BLOCK),
    133010: _stopped("not_registered", AFTER_BLOCK),
    2500: _stopped("address"),
    130497: Remedy("country"),
    131047: Remedy("window_closed", "wait_for_person"),
    131026: Remedy("undeliverable"),
    131050: Remedy("opted_out"),
    131021: Remedy("own_number"),
    131030: Remedy("not_a_test_number"),
    130472: Remedy("experiment"),
    137000: Remedy("identity_changed"),
    131062: Remedy("needs_phone"),
    131051: Remedy("unsupported"),
    131052: Remedy("media"),
    131053: Remedy("media"),
    100: Remedy("bad_request", alerts=True),
    131008: Remedy("bad_request", alerts=True),
    131009: Remedy("bad_request", alerts=True),
    1: _SERVICE,
    2: _SERVICE,
    131000: _SERVICE,
    131016: _SERVICE,
    132000: Remedy("template_values", alerts=True),
    132001: Remedy("template_missing", alerts=True),
    132005: Remedy("template_values", alerts=True),
    132007: Remedy("template_policy", alerts=True),
    132008: Remedy("template_values", alerts=True),
    132012: Remedy("template_values", alerts=True),
    132015: Remedy("template_paused", alerts=True),
    132016: Remedy("template_disabled", alerts=True),
    132068: Remedy("unsupported"),
    132069: Remedy("unsupported"),
}
"""131049 asks for 24 hours without another try: by then what was said is old, and what comes after it has waited."""

_API_PERMISSIONS: Final = range(200, 300)


def remedy_of(code: int) -> Remedy:
    """What helps after an error; one that we do not know (below 0: none was told) may pass."""
    if code in _API_PERMISSIONS:
        return _PERMISSION
    return _TABLE.get(code) or Remedy(f"code_{code}" if code >= 0 else "unknown", "again")


def refused(error: WhatsAppError, *, attempts: int, now: datetime, jitter: Callable[[], float]) -> SendError:
    """What an answer of the platform with an error in it means for this message. `jitter` gives 0 to 1.

    `attempts` counts the tries that failed before this one.
    """
    if error.status_code == error.code and error.code >= 400:
        return _without_meta(error.code, jitter)
    remedy = remedy_of(error.code)
    if error.code == 100 and error.subcode == GONE:
        remedy = _stopped("phone_number_id")
    if remedy.pauses is not None:
        remedy = replace(remedy, pauses=max(remedy.pauses, _asked_to_wait(error)))
    return SendError(
        remedy.word,
        permanent=remedy.then == "give_up",
        waits_for_person=remedy.then == "wait_for_person",
        retry_at=now + timedelta(seconds=4 ** min(attempts, MAX_PAIR_STEPS)) if remedy.per_person else None,
        pauses=_spread(remedy.pauses, jitter) if remedy.pauses is not None else None,
        alerts=remedy.alerts,
        outage=remedy is _SERVICE,
    )


def unheard(error: httpx.HTTPError) -> SendError:
    """What it means that no answer came. Only what never reached the platform is sure not to have been taken."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError):
        return SendError("network", pauses=AFTER_NO_NETWORK)
    word = "timeout" if isinstance(error, httpx.TimeoutException) else "broken_off"
    return SendError(word, uncertain=True, outage=True)


def _without_meta(http_status: int, jitter: Callable[[], float]) -> SendError:
    """An answer that is no JSON of Meta's: of something in between, which may have let the message through."""
    word = f"http_{http_status}"
    if http_status == 429:
        return SendError(word, pauses=_spread(AFTER_THROUGHPUT, jitter))
    return SendError(word, uncertain=http_status >= 500, outage=http_status >= 500)


def _asked_to_wait(error: WhatsAppError) -> timedelta:
    """The answer's own Retry-After, in seconds; zero where it has none."""
    header = error.raw_response.headers.get("retry-after", "") if error.raw_response is not None else ""
    return timedelta(seconds=min(int(header), 3600)) if header.isdecimal() else timedelta(0)


def _spread(pause: timedelta, jitter: Callable[[], float]) -> timedelta:
    return pause * (1 + jitter())
