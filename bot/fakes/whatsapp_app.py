"""The fake Cloud API over HTTP: addresses, tokens, errors, and answers that never come."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.fakes.whatsapp_checks import check_product
from bot.fakes.whatsapp_errors import GraphError
from bot.fakes.whatsapp_records import Fault, Json, Request
from bot.fakes.whatsapp_templates import listed

if TYPE_CHECKING:
    from bot.fakes.whatsapp import FakeWhatsApp

IN_PROCESS: Final = "rangkul.in_process"
SENDING: Final = "whatsapp_business_messaging"
MANAGING: Final = "whatsapp_business_management"
DEFAULT_PAGE: Final = 25


class NeverAnswered(Exception):
    """In-process stand-in for an answer that does not come."""


class Broken(Exception):
    """In-process stand-in for a connection that breaks."""


class InProcess(httpx.AsyncBaseTransport):
    """Reaches the fake without a network; silence is a read time-out at once, a break a protocol error."""

    def __init__(self, fake: FakeWhatsApp) -> None:
        self._inner = httpx.ASGITransport(_marked(fake.app))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except NeverAnswered as error:
            raise httpx.ReadTimeout("no answer came", request=request) from error
        except Broken as error:
            raise httpx.RemoteProtocolError("the connection broke", request=request) from error


def build_app(fake: FakeWhatsApp) -> Starlette:
    """Every address of the fake, of any version."""

    def at(path: str, method: str, handle: _Handle) -> Route:
        return Route(path, _endpoint(fake, handle), methods=[method])

    return Starlette(
        routes=[
            at("/whatsapp_business/attachments/", "GET", _fetch),
            at("/{version}/debug_token", "GET", _debug_token),
            at("/{version}/{id}/messages", "POST", _messages),
            at("/{version}/{id}/media", "POST", _upload),
            at("/{version}/{id}/message_templates", "GET", _templates),
            at("/{version}/{id}/phone_numbers", "GET", _numbers),
            at("/{version}/{id}/subscribed_apps", "GET", _subscribed),
            at("/{version}/{id}/subscribed_apps", "POST", _subscribe),
            at("/{version}/{id}", "GET", _node),
            at("/{version}/{id}", "DELETE", _delete),
            Route("/{rest:path}", _endpoint(fake, _nowhere), methods=["GET", "POST", "PUT", "DELETE"]),
        ]
    )


@dataclass(slots=True)
class _Call:
    """One request while it is worked on; what is learnt about it on the way is for the record."""

    fake: FakeWhatsApp
    http: HttpRequest
    kind: str
    params: Json

    @property
    def node(self) -> str:
        return str(self.http.path_params.get("id", ""))


_Handle = Callable[[_Call], Awaitable[Response]]


class _Silence(Response):
    """No answer, until the caller goes away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get(IN_PROCESS):
            raise NeverAnswered
        while (await receive())["type"] != "http.disconnect":
            pass


class _Break(Response):
    """The connection ends in the middle of the answer: a promised body never comes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get(IN_PROCESS):
            raise Broken
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"mess', "more_body": True})


def _endpoint(fake: FakeWhatsApp, handle: _Handle) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def endpoint(http: HttpRequest) -> Response:
        call = _Call(fake, http, kind=handle.__name__.strip("_"), params=dict(http.query_params))
        code, details = None, ""
        try:
            if not re.fullmatch(r"v\d+\.\d+", http.path_params.get("version", "v0.0")):
                return await _nowhere(call)
            fake.authorise(http.headers.get("authorization"))
            response = await handle(call)
        except GraphError as error:
            code, details = error.code, error.details
            trace = f"A{len(fake.requests):022d}"
            response = JSONResponse(error.body(trace), status_code=error.http_status, headers=error.headers)
        status = None if isinstance(response, (_Silence, _Break)) else response.status_code
        fake.record(
            Request(
                method=http.method,
                path=http.url.path,
                kind=call.kind,
                params=call.params,
                headers=dict(http.headers),
                at=fake.now(),
                status=status,
                code=code,
                details=details,
            )
        )
        return response

    return endpoint


async def _with_faults(call: _Call, to: str, answer: Callable[[Fault | None], Json]) -> Response:
    """The answer, or what an ordered fault makes of it."""
    fault = call.fake.take_fault(call.kind, to)
    if fault is None:
        return JSONResponse(answer(None))
    if fault.code is not None:
        raise GraphError(fault.code, retry_after_s=fault.retry_after_s)
    if fault.http_status is not None:
        return Response("<html>trouble</html>", status_code=fault.http_status, media_type="text/html")
    if fault.dropped and not fault.accepts:
        return _Break()
    body = answer(fault)
    if fault.silent:
        return _Silence()
    if fault.dropped:
        return _Break()
    if fault.delay_s is not None:
        await asyncio.sleep(fault.delay_s)
    return JSONResponse(body)


async def _messages(call: _Call) -> Response:
    call.params = await _json_body(call.http)
    call.kind = _kind_of(call.params)
    _expect(call, call.fake.account.phone_id)
    to = call.params.get("to") or call.params.get("recipient") or ""
    digits = re.sub(r"\D", "", str(to)) if "to" in call.params else str(to)

    def answer(fault: Fault | None) -> Json:
        return call.fake.send(call.params, late_code=fault.late_code if fault else None)

    return await _with_faults(call, digits, answer)


def _kind_of(params: Json) -> str:
    if "status" in params:
        return "typing" if "typing_indicator" in params else "read"
    return str(params.get("type", "text"))


async def _json_body(http: HttpRequest) -> Json:
    if http.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise GraphError(100, "The body must be application/json")
    try:
        params = json.loads(await http.body())
    except ValueError as error:
        raise GraphError(100, "The body is no JSON") from error
    if not isinstance(params, dict):
        raise GraphError(100, "The body must be a JSON object")
    return params


async def _upload(call: _Call) -> Response:
    _expect(call, call.fake.account.phone_id)
    form = await call.http.form()
    call.params = {key: value for key, value in form.items() if isinstance(value, str)}
    call.kind = "media"
    check_product(call.params)
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise GraphError(100, "The parameter file is required.")
    data = await file.read()
    mime_type = file.content_type or str(form.get("type", ""))
    return await _with_faults(call, "", lambda _: {"id": call.fake.media.upload(data, mime_type).id})


async def _fetch(call: _Call) -> Response:
    query = call.http.query_params
    file = call.fake.media.fetch(query.get("mid", ""), query.get("ext", ""), query.get("hash", ""))
    if file is None:
        return JSONResponse({"error": {"message": "Not found", "code": 404}}, status_code=404)
    faulty = await _with_faults(call, "", lambda _: {})
    if isinstance(faulty, JSONResponse) and faulty.status_code == 200:
        return Response(file.data, media_type=file.mime_type)
    return faulty


async def _node(call: _Call) -> Response:
    """A media id, our number or our account."""
    fake = call.fake
    file = fake.media.get(call.node)
    if file is not None:
        call.kind = "media_info"
        base = str(call.http.base_url)
        return await _with_faults(call, "", lambda _: fake.media.described(file, base))
    if call.node == fake.account.phone_id:
        call.kind = "number"
        return await _with_faults(call, "", lambda _: _asked_fields(_number(fake), call.params))
    if call.node == fake.account.waba_id:
        call.kind = "account"
        described = {"id": fake.account.waba_id, "name": fake.account.verified_name, "currency": "IDR"}
        return await _with_faults(call, "", lambda _: _asked_fields(described, call.params))
    raise _missing(call.node)


async def _delete(call: _Call) -> Response:
    if not call.fake.media.delete(call.node):
        raise _missing(call.node)
    return JSONResponse({"success": True})


async def _templates(call: _Call) -> Response:
    _expect(call, call.fake.account.waba_id)
    rows = [listed(template, number) for number, template in enumerate(call.fake.templates)]
    for key in ("name", "status", "category", "language"):
        if key in call.params:
            rows = [row for row in rows if row[key] == call.params[key]]
    start, size = int(call.params.get("after") or 0), int(call.params.get("limit") or DEFAULT_PAGE)
    page: Json = {"data": rows[start : start + size]}
    if rows:
        end = min(start + size, len(rows))
        page["paging"] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(rows):
            page["paging"]["next"] = str(call.http.url.include_query_params(after=end))
    if "summary" in call.params:
        page["summary"] = {
            "total_count": len(rows),
            "message_template_count": len(call.fake.templates),
            "message_template_limit": 250,
            "are_translations_complete": False,
        }
    return await _with_faults(call, "", lambda _: page)


async def _numbers(call: _Call) -> Response:
    _expect(call, call.fake.account.waba_id)
    return await _with_faults(call, "", lambda _: {"data": [_asked_fields(_number(call.fake), call.params)]})


async def _subscribed(call: _Call) -> Response:
    _expect(call, call.fake.account.waba_id)
    app = {"id": call.fake.account.app_id, "name": "Rangkul", "link": "https://www.facebook.com/games/?app_id=1"}
    data = [{"whatsapp_business_api_data": app}] if call.fake.subscribed else []
    return await _with_faults(call, "", lambda _: {"data": data})


async def _subscribe(call: _Call) -> Response:
    _expect(call, call.fake.account.waba_id)
    call.fake.subscribed = True
    return JSONResponse({"success": True})


async def _debug_token(call: _Call) -> Response:
    """What the app knows of a token: whose it is, whether it is valid, what it may do."""
    account = call.fake.account
    known = call.params.get("input_token") == account.token
    scopes = [MANAGING, SENDING] if known else []
    data = {
        "app_id": account.app_id,
        "type": "SYSTEM_USER",
        "application": "Rangkul",
        "expires_at": 0,
        "is_valid": known,
        "scopes": scopes,
        "granular_scopes": [{"scope": scope, "target_ids": [account.waba_id]} for scope in scopes],
    }
    call.params = {"input_token": "…"}
    return JSONResponse({"data": data})


async def _nowhere(call: _Call) -> Response:
    raise GraphError(2500, f"Unknown path components: {call.http.url.path}")


def _number(fake: FakeWhatsApp) -> Json:
    account = fake.account
    described: Json = {
        "id": account.phone_id,
        "verified_name": account.verified_name,
        "display_phone_number": f"+{account.display_phone_number}",
        "code_verification_status": "VERIFIED",
        "name_status": "APPROVED",
        "quality_rating": "GREEN",
        "status": "CONNECTED",
        "account_mode": "LIVE",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "is_official_business_account": False,
        "is_pin_enabled": True,
        "is_on_biz_app": False,
        "is_preverified_number": False,
        "whatsapp_business_manager_messaging_limit": "TIER_250",
    }
    if fake.callback_url:
        described["webhook_configuration"] = {"application": fake.callback_url}
    return described


def _asked_fields(described: Json, params: Json) -> Json:
    fields = params.get("fields")
    if not fields:
        return described
    return {key: value for key, value in described.items() if key == "id" or key in str(fields).split(",")}


def _expect(call: _Call, node: str) -> None:
    if call.node != node:
        raise _missing(call.node)


def _missing(node: str) -> GraphError:
    return GraphError(100, f"Object with ID '{node}' does not exist or does not support this operation", subcode=33)


def _marked(app: ASGIApp) -> ASGIApp:
    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        extended: dict[str, Any] = {**scope, IN_PROCESS: True}
        await app(extended, receive, send)

    return marked
