"""The counts for a monitor: right, and for this machine alone."""

from __future__ import annotations

from typing import Any, cast

import httpx
import pytest
from web_service import ORIGIN, Service

from bot.loopback import Loopback
from bot.rasa import Rasa, RasaWithUnderstudy
from nlu.understanding import Understanding

pytestmark = pytest.mark.asyncio

NOBODY = "http://127.0.0.1:9"


class Understudy:
    """Takes every text for a greeting."""

    def categories(self, text: str) -> tuple[()]:
        return ()

    def parse(self, text: str, **_: object) -> Understanding:
        return Understanding(text, "greet", 1.0, (), (), engine="embedded")


def local(service: Service, *, host: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(service.app, client=(host, 5000))
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)


async def test_counts_what_rasa_and_its_understudy_did(service: Service) -> None:
    """With a server that is gone: asked once, refused, taken for down, and two messages answered by the understudy."""
    rasa = Rasa(Loopback(NOBODY), cast(Any, Understudy()), 1.0)
    engine = RasaWithUnderstudy(rasa, service.program.clock)
    service.program.understander = engine
    before = (await local(service).get("/metrics")).text
    assert 'rangkul_rasa_total{event="down"} 0' in before.splitlines()
    for _ in range(2):
        await engine.understand("saldo saya berapa", today=service.program.clock.now().date())
    page = await local(service).get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert set(page.text.splitlines()) >= {
        'rangkul_rasa_total{event="asked"} 1',
        'rangkul_rasa_total{event="refused"} 1',
        'rangkul_rasa_total{event="down"} 1',
        'rangkul_rasa_total{event="understudy"} 2',
        'rangkul_rasa_total{event="back"} 0',
    }


async def test_counts_turns_without_rasa(service: Service) -> None:
    """The embedded engine has no counts of Rasa's."""
    service.program.turns.handled = 7
    assert (await local(service).get("/metrics")).text == "# TYPE rangkul_turns_total counter\nrangkul_turns_total 7\n"


async def test_other_machines_see_no_such_page(service: Service) -> None:
    """A visitor, directly or through a proxy, gets what any unknown address gives."""
    assert (await local(service, host="10.1.2.3").get("/metrics")).status_code == 404
    assert (await local(service, **{"x-forwarded-for": "10.1.2.3"}).get("/metrics")).status_code == 404
    assert (await local(service).get("/metrics")).status_code == 200
