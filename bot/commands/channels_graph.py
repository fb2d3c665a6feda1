"""Questions to Meta's Graph API about our own set-up. Its words are not passed on: they may quote the token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from bot.channels.whatsapp.errors import remedy_of
from bot.config import Config, WhatsAppSection, revealed

ANSWER_WITHIN_S: Final = 10.0
MAX_PAGES: Final = 10
PERMISSIONS: Final = ("whatsapp_business_messaging", "whatsapp_business_management")

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
        trouble = part(body, "error")
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
            paging = part(page, "paging")
            after = text(part(paging, "cursors"), "after")
            if not after or not paging.get("next"):
                break
            params["after"] = after
        return rows


@asynccontextmanager
async def graph_of(config: Config) -> AsyncIterator[Graph]:
    """The Graph API as these settings reach it."""
    base, token = config.whatsapp.api_base_url, revealed(config.whatsapp.token)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=ANSWER_WITHIN_S) as http:
        yield Graph(http)


async def display_number(graph: Graph, settings: WhatsAppSection) -> str:
    """Our number as people dial it, digits with the country code; '' when Meta has none. Raises Refused and Away."""
    number = await graph.get(settings.phone_number_id, fields="display_phone_number")
    return "".join(sign for sign in text(number, "display_phone_number") if sign.isdecimal())


# ── what Meta sends ──────────────────────────────────────────────────────────────────────────────


def part(of: object, key: str) -> Json:
    """The object under a key; an empty one where there is none."""
    value = of.get(key) if isinstance(of, Mapping) else None
    return value if isinstance(value, Mapping) else _NOTHING


def text(of: object, key: str) -> str:
    """The words under a key; '' where there are none."""
    value = of.get(key) if isinstance(of, Mapping) else None
    return value if isinstance(value, str) else ""
