"""What the Bot API's refusals mean for a message of ours.

The API has no error codes beneath those of HTTP: a 400 is known by its words. Those are the words of Telegram's own
server (github.com/tdlib/telegram-bot-api, Client.cpp).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut

from bot.channels.base import SendError
from bot.channels.telegram.http import NotSent

TOKEN_REST: Final = timedelta(minutes=5)
"""For how long nothing is tried with a token that is no longer good; somebody has to mend it."""

AFTER_NO_NETWORK: Final = timedelta(seconds=5)
"""For how long nothing is tried when Telegram cannot be reached: an outage must not use up anybody's tries."""

_NO_CHAT: Final = ("chat not found", "user not found", "peer_id_invalid")
_HARMLESS: Final = (
    "message is not modified",
    "query is too old",
    "query id is invalid",
    "message to delete not found",
    "message_id_invalid",
)
_TOO_LATE_TO_DELETE: Final = "message can't be deleted"
_TOO_LARGE: Final = "request entity too large"


def send_error(error: TelegramError, now: datetime) -> SendError:
    """Why a message could not be sent, and whether and when trying again may help."""
    match error:
        case InvalidToken():
            return SendError("bad_token", pauses=TOKEN_REST, alerts=True)
        case RetryAfter():
            return SendError("throttled", retry_at=now + wait_of(error))
        case Forbidden():
            return SendError("blocked", unreachable=True)
        case BadRequest():
            return _refused(error)
        case NotSent():
            return SendError("network", pauses=AFTER_NO_NETWORK)
        case TimedOut():
            return SendError("timeout", uncertain=True, outage=True)
        case NetworkError() if _TOO_LARGE in error.message.lower():
            return SendError("too_large", permanent=True)
        case NetworkError():
            return SendError("platform", uncertain=True, outage=True)
        case _:
            return SendError("unknown", uncertain=True)


def wait_of(error: RetryAfter) -> timedelta:
    """How long Telegram says to wait."""
    wait = error.retry_after
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


def is_harmless(error: TelegramError) -> bool:
    """What was asked for stands already, or has become pointless."""
    return isinstance(error, BadRequest) and _says(error, *_HARMLESS)


def _refused(error: BadRequest) -> SendError:
    if _says(error, *_NO_CHAT):
        return SendError("no_chat", unreachable=True)
    if _says(error, _TOO_LATE_TO_DELETE):
        return SendError("too_late", permanent=True)
    return SendError("refused", permanent=True)


def _says(error: BadRequest, *words: str) -> bool:
    said = error.message.lower()
    return any(word in said for word in words)
