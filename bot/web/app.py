"""Builds the web chat page and its server side as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from bot.app import Program
from bot.channels.web import NAME, WebChannel
from bot.web.form_page import FormPages
from bot.web.guard import SecurityHeaders
from bot.web.metrics import Metrics
from bot.web.pages import Pages
from bot.web.site import Site
from bot.web.talk import BUSY_S, Talk


def build_web(
    program: Program, *, routes: Sequence[Route] = (), stopped: Callable[[], Mapping[str, str]] = dict
) -> Starlette:
    """The application that serves the chat page of this program, and the `routes` of other channels.

    `stopped` tells which of those take nothing in any more, by name, and why. The program must have been opened with
    a `WebChannel`; raises ValueError without one. When the server begins to shut down, call `WebChannel.close`, or its
    open streams keep it waiting.
    """
    channel = program.sender.channels.get(NAME)
    if not isinstance(channel, WebChannel):
        raise ValueError("the program has no web channel")
    site = Site(program, channel)
    talk, pages, forms = Talk(site), Pages(site, stopped), FormPages(site)
    all_routes = [
        *routes,
        Route("/messages", talk.post, methods=["POST"]),
        Route("/messages", talk.read, methods=["GET"]),
        Route("/events", talk.events, methods=["GET"]),
        Route("/", pages.home, methods=["GET"]),
        Route("/static/{name}", pages.asset, methods=["GET"]),
        Route("/persona", pages.persona, methods=["POST"]),
        Route("/forget", pages.forget, methods=["POST"]),
        Route("/isi", forms.offer, methods=["POST"]),
        Route("/isi/{token}", forms.show, methods=["GET"]),
        Route("/isi/{token}", forms.fill, methods=["POST"]),
        Route("/health", pages.health, methods=["GET"]),
        Route("/ready", pages.ready, methods=["GET"]),
        Route("/metrics", Metrics(program).show, methods=["GET"]),
    ]
    return Starlette(
        routes=all_routes,
        middleware=[
            Middleware(
                SecurityHeaders,
                https=site.is_https,
                broken=site.refuse(500, site.words.errors.unavailable, retry_after_s=BUSY_S),
            )
        ],
        exception_handlers={404: pages.not_found},
    )
