"""Errors as the Cloud API answers them, and as it reports them later in a failed status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.fakes.whatsapp_records import Json

HREF: Final = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


@dataclass(frozen=True, slots=True)
class _Kind:
    title: str
    http_status: int


_KINDS: Final[dict[int, _Kind]] = {
    0: _Kind("AuthException", 401),
    1: _Kind("API Unknown", 400),
    2: _Kind("API Service", 503),
    3: _Kind("API Method", 500),
    4: _Kind("Application request limit reached", 400),
    10: _Kind("Permission Denied", 403),
    100: _Kind("Invalid parameter", 400),
    190: _Kind("Access token has expired", 401),
    200: _Kind("API Permission", 403),
    368: _Kind("Temporarily blocked for policies violations", 403),
    2500: _Kind("Unknown path components", 400),
    80007: _Kind("Rate limit issues", 400),
    130429: _Kind("Rate limit hit", 400),
    130497: _Kind("Business account is restricted from messaging users in this country", 403),
    131000: _Kind("Something went wrong", 500),
    131008: _Kind("Required parameter is missing", 400),
    131009: _Kind("Parameter value is not valid", 400),
    131016: _Kind("Service unavailable", 500),
    131026: _Kind("Message undeliverable", 400),
    131031: _Kind("Account has been locked", 403),
    131042: _Kind("Business eligibility payment issue", 400),
    131047: _Kind("Re-engagement message", 400),
    131048: _Kind("Spam rate limit hit", 400),
    131049: _Kind("This message was not delivered to maintain healthy ecosystem engagement", 400),
    131050: _Kind("User has stopped receiving marketing messages", 400),
    131051: _Kind("Unsupported message type", 400),
    131052: _Kind("Media download error", 400),
    131053: _Kind("Media upload error", 400),
    131056: _Kind("(Business Account, Consumer Account) pair rate limit hit", 400),
    131057: _Kind("Account in maintenance mode", 500),
    131062: _Kind("Business-scoped user id is not supported for this message", 400),
    131064: _Kind("Messaging limit reached", 400),
    132000: _Kind("Template param count mismatch", 400),
    132001: _Kind("Template does not exist", 404),
    132005: _Kind("Template hydrated text too long", 400),
    132007: _Kind("Template format character policy violated", 400),
    132008: _Kind("Template parameter value is not valid", 400),
    132012: _Kind("Template parameter format mismatch", 400),
    132015: _Kind("Template is paused", 400),
    132016: _Kind("Template is disabled", 400),
    132068: _Kind("Flow is blocked", 400),
    132069: _Kind("Flow is throttled", 400),
    137000: _Kind("Recipient identity key hash mismatch", 400),
}
"""The codes of Meta's page on errors (support/error-codes, read in copies of 2026), those a sender has to tell apart.

The HTTP status differs per code and is a detail: callers decide on the code. Titles are short forms, not Meta's words.
"""

CODES: Final = frozenset(_KINDS)


class GraphError(Exception):
    """A call that is refused. `details` is what Meta puts into error_data; `subcode` only where one is known.

    Raises KeyError for a code that is not in the table.
    """

    def __init__(
        self, code: int, details: str = "", *, subcode: int | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(f"{code}: {details}")
        self.code = code
        self.details = details or _KINDS[code].title
        self.subcode = subcode
        self.retry_after_s = retry_after_s

    @property
    def http_status(self) -> int:
        return _KINDS[self.code].http_status

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after_s is None else {"retry-after": str(self.retry_after_s)}

    def body(self, trace: str) -> Json:
        """The answer's JSON; `trace` becomes fbtrace_id."""
        error: Json = {
            "message": f"(#{self.code}) {_KINDS[self.code].title}",
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": trace,
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return {"error": error}


def in_webhook(code: int, details: str = "") -> Json:
    """One entry of `errors[]` in a status or in an unsupported message."""
    title = _KINDS[code].title
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or title},
        "href": HREF,
    }
