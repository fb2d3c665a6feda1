"""What the routes share: the program, the words, the templates, the limits, and the visitor's cookie."""

from __future__ import annotations

import gzip
import hashlib
import ipaddress
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Final

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bot.app import Program
from bot.channels.web import WebChannel
from bot.web import wire
from bot.web.guard import SameOrigin, origin_of
from bot.web.limits import ADDRESS_SHARE, Buckets
from bot.web.visits import Gone, Visit, Visits
from bot.web.words import Words, load_words

MIN_GZIP_BYTES: Final = 600

_HERE: Final = Path(str(resources.files("bot.web")))


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page, held in memory in both forms; `version` changes with its content."""

    mime: str
    data: bytes
    packed: bytes
    version: str


def load_assets() -> dict[str, Asset]:
    """Everything under `static/`, by name."""
    kinds = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
    assets = {}
    for path in sorted((_HERE / "static").iterdir()):
        if path.suffix in kinds:
            data = path.read_bytes()
            version = hashlib.sha256(data).hexdigest()[:12]
            assets[path.name] = Asset(kinds[path.suffix], data, gzip.compress(data, 9, mtime=0), version)
    return assets


class Templates:
    """The pages of `templates/`, every value escaped."""

    def __init__(self, words: Words, assets: Mapping[str, Asset], operator_line: str) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            words=words,
            operator=operator_line,
            menu=False,
            asset=lambda name: f"/static/{name}?v={assets[name].version}",
        )

    def page(self, request: Request, name: str, *, status: int = 200, **values: object) -> Response:
        """The finished page, packed for those who can unpack."""
        body = self._environment.get_template(name).render(values).encode()
        return packed(request, Response(body, status, media_type="text/html"))


class Site:
    """The web page of one program."""

    def __init__(self, program: Program, channel: WebChannel) -> None:
        web = program.config.web
        self.program = program
        self.channel = channel
        self.words = load_words()
        self.assets = load_assets()
        self.public_url = web.public_url or f"http://{web.host}:{web.port}"
        self.public_origin = origin_of(self.public_url)
        self.is_https = self.public_url.startswith("https://")
        self.same_origin = SameOrigin(self.public_url, host_is_ours=not web.public_url)
        self.idle = timedelta(minutes=web.idle_minutes)
        self.visits = Visits(program.db, program.keys, program.clock, program.ids, idle=self.idle)
        self.templates = Templates(self.words, self.assets, self._operator_line())
        self._by_visit = Buckets(web.messages_per_minute, time.monotonic)
        self._by_address = Buckets(web.messages_per_minute * ADDRESS_SHARE, time.monotonic)
        # The prefix binds the cookie to this host and to TLS; browsers refuse it over plain http.
        self._cookie = "__Host-rangkul" if self.is_https else "rangkul"

    # ── the visitor ──────────────────────────────────────────────────────────────────────────────

    def token(self, request: Request) -> str:
        """The visitor's token as sent, "" for none."""
        return request.cookies.get(self._cookie, "")

    async def visit(self, request: Request) -> Visit | Gone:
        """The visitor by cookie. Raises Unavailable."""
        return await self.visits.of(self.token(request))

    def set_cookie(self, response: Response, token: str) -> None:
        """A cookie that scripts cannot read and other sites cannot send; it ends with the browser."""
        response.set_cookie(self._cookie, token, path="/", secure=self.is_https, httponly=True, samesite="lax")

    def clear_cookie(self, response: Response) -> None:
        """The browser forgets the token."""
        response.delete_cookie(self._cookie, path="/", secure=self.is_https, httponly=True, samesite="lax")

    # ── limits ───────────────────────────────────────────────────────────────────────────────────

    def wait_s(self, request: Request, visit_key: str = "") -> int:
        """Whole seconds this visitor must wait before the next request, 0 for none."""
        wait = self._by_address.take(_network(request))
        if not wait and visit_key:
            wait = self._by_visit.take(visit_key)
        return math.ceil(wait)

    # ── answers ──────────────────────────────────────────────────────────────────────────────────

    def refuse(self, status: int, error: str, *, retry_after_s: int = 0) -> Response:
        """A JSON error with words for the person."""
        headers = {"retry-after": str(retry_after_s)} if retry_after_s else None
        return Response(wire.encode(wire.Refusal(error)), status, headers, "application/json")

    def json(self, value: msgspec.Struct, *, status: int = 200) -> Response:
        """A value of `wire` as JSON."""
        return Response(wire.encode(value), status, media_type="application/json")

    def long_json(self, request: Request, value: msgspec.Struct) -> Response:
        """The same, packed for those who can unpack: a whole talk shrinks to a fifth."""
        return packed(request, self.json(value))

    def notice(self, request: Request, title: str, *lines: str, action: str, status: int = 200) -> Response:
        """A page that says one thing and leads back to the talk."""
        return self.templates.page(request, "notice.html", status=status, title=title, lines=lines, action=action)

    def trouble(self, request: Request, status: int, text: str, retry_after_s: int) -> Response:
        """A page that says what is wrong for the moment."""
        response = self.notice(request, text, action=self.words.ended.again, status=status)
        response.headers["retry-after"] = str(retry_after_s)
        return response

    def _operator_line(self) -> str:
        service = self.program.config.service
        return self.words.chat.trial if service.trial else self.words.chat.run_by.format(operator=service.operator)


def packed(request: Request, response: Response) -> Response:
    """The answer with its body packed, where that pays and the browser can unpack."""
    response.headers["vary"] = "Accept-Encoding"
    if len(response.body) >= MIN_GZIP_BYTES and takes_gzip(request):
        response.body = gzip.compress(bytes(response.body), 6)
        response.headers["content-length"] = str(len(response.body))
        response.headers["content-encoding"] = "gzip"
    return response


def takes_gzip(request: Request) -> bool:
    """Whether the browser said that it can unpack gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def _network(request: Request) -> str:
    """Whose address counts as one: an IPv4 address, or the /64 that one IPv6 customer gets."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return host
