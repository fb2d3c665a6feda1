"""The fake Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import httpx
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.fakes.telegram_wire import Params, Upload

if TYPE_CHECKING:
    from bot.fakes.telegram import Call, FakeTelegram

MAX_FIELD_BYTES: Final = 4 << 20


def build_app(fake: FakeTelegram) -> Starlette:
    """The ASGI application of a fake."""

    async def api(request: Request) -> Response:
        params = await read_params(request)
        if params is None:
            body = {"ok": False, "error_code": 400, "description": "Bad Request: can't parse the body"}
            return JSONResponse(body, 400)
        call = await fake.call(request.path_params["token"], request.path_params["method"], params)
        if call.fate == "answered":
            return _answer(call)
        return _Silence(call, request, networked=fake.networked)

    async def file(request: Request) -> Response:
        content = fake.world.linked(request.path_params["path"])
        if request.path_params["token"] != fake.token or content is None:
            return JSONResponse({"ok": False, "error_code": 404, "description": "Not Found"}, 404)
        return Response(content, media_type="application/octet-stream")

    return Starlette(
        routes=[
            Route("/file/bot{token}/{path:path}", file),
            Route("/bot{token}/{method}", api, methods=["GET", "POST"]),
        ]
    )


async def read_params(request: Request) -> Params | None:
    """Parameters of the query, a form, a multipart body or a JSON body. None for a body that is none of these."""
    values: dict[str, Any] = dict(request.query_params)
    files: dict[str, Upload] = {}
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        try:
            body = json.loads(await request.body())
        except ValueError:
            return None
        if not isinstance(body, dict):
            return None
        values |= body
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form(max_part_size=MAX_FIELD_BYTES) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files[name] = Upload(await value.read(), value.filename or "", value.content_type or "")
                else:
                    values[name] = value
    return Params(values, files)


def _answer(call: Call) -> Response:
    headers = {}
    retry_after = call.answer.get("parameters", {}).get("retry_after")
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return JSONResponse(call.answer, call.status, headers)


class _Silence(Response):
    """No answer: the connection breaks, or nothing comes until the caller goes.

    In process the caller meets the same httpx error as over a network.
    """

    def __init__(self, call: Call, request: Request, *, networked: bool) -> None:
        super().__init__()
        self._hang = call.fate == "hung"
        self._request = request
        self._networked = networked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = self._request.path_params["method"]
        request = httpx.Request("POST", f"http://fake/{method}")
        if not self._hang:
            # Over a network, headers with a length and no body: the server closes the socket in mid-answer.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            raise httpx.RemoteProtocolError("the connection broke", request=request)
        if not self._networked:
            raise httpx.ReadTimeout("no answer", request=request)
        while (await receive())["type"] != "http.disconnect":
            pass
