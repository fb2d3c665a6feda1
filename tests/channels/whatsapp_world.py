"""Shared by the tests of the fake Cloud API: its time, and a plain call of its messages address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from bot.fakes.whatsapp import FakeWhatsApp
from bot.fakes.whatsapp_app import InProcess

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0 a photo of nothing"


def client_of(fake: FakeWhatsApp, *, token: str | None = None) -> httpx.AsyncClient:
    """A plain client of the fake, without a network; the account's token unless another is given."""
    headers = {"authorization": f"Bearer {token or fake.account.token}"}
    return httpx.AsyncClient(transport=InProcess(fake), base_url="http://graph.test/v26.0", headers=headers)


async def send_over_http(fake: FakeWhatsApp, params: dict[str, Any], *, token: str | None = None) -> httpx.Response:
    """One POST to the messages address of the account's number."""
    async with client_of(fake, token=token) as client:
        return await client.post(f"/{fake.account.phone_id}/messages", json=params)


def text_to(address: str, body: str = "Halo", **more: Any) -> dict[str, Any]:
    """A plain text to a phone."""
    return {"messaging_product": "whatsapp", "to": address, "type": "text", "text": {"body": body}, **more}
