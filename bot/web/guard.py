"""What every answer carries and every request must pass: headers, same origin, bounded bodies."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

_ALWAYS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_NO_STORE = (b"cache-control", b"no-store")
_HSTS = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Pure ASGI, so that it costs microseconds and never buffers a stream.

    Answers are not stored by browsers or proxies unless a route says otherwise.
    """

    def __init__(self, app: ASGIApp, *, https: bool, broken: ASGIApp) -> None:
        """`broken` is the answer when the application fails."""
        self._app = app
        self._broken = broken
        self._always = (*_ALWAYS, _HSTS) if https else _ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        has_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                headers = message["headers"]
                headers.extend(self._always)
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(_NO_STORE)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            # Answered here, where the headers are; raised on, so that the server logs it.
            if not has_started:
                await self._broken(scope, receive, send_with_headers)
            raise


class BodyTooLong(Exception):
    """The request body is longer than this route reads."""


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body, `max_bytes` at most; raises BodyTooLong without reading further."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise BodyTooLong
    chunks: list[bytes] = []
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > max_bytes:
            raise BodyTooLong
        chunks.append(chunk)
    return b"".join(chunks)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL as browsers write them in Origin, default ports left out."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + ("" if parts.port in (None, default) else f":{parts.port}")


class SameOrigin:
    """Tells requests of our own pages from those that another site makes a browser send."""

    def __init__(self, public_url: str, *, host_is_ours: bool) -> None:
        """`host_is_ours`: no public address is set, so whatever address the browser used for us is taken as ours."""
        self._allowed = origin_of(public_url)
        self._host_is_ours = host_is_ours

    def permits(self, request: Request, *, secret_path: bool = False) -> bool:
        """Whether the request comes from a page of ours.

        Browsers since 2020 say so in Sec-Fetch-Site, which no page can forge. Older ones send Origin; from a
        form on a no-referrer page they send "null", which is taken only where the path itself is a secret
        (`secret_path`). A request with neither is refused.
        """
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origin = request.headers.get("origin")
        if origin is None:
            return False
        if self._host_is_ours and origin == f"http://{request.headers.get('host')}":
            return True
        return origin == self._allowed or (secret_path and origin == "null")
