"""The yardsticks: each library's own echo, with nothing stored and no limits kept, on the server of the service."""

from __future__ import annotations

import json
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.fakes.telegram import TOKEN
from bot.fakes.whatsapp_records import Account


def telegram_echo(url: str) -> Starlette:
    """python-telegram-bot as it comes: reads an update, sends its text back through the default HTTP client."""
    from telegram import Bot, Update

    bot = Bot(TOKEN, base_url=f"{url}/bot")

    async def hook(request: Request) -> Response:
        update = Update.de_json(json.loads(await request.body()), bot)
        assert update.message and update.message.text
        await bot.send_message(update.message.chat.id, update.message.text)
        return Response(status_code=200)

    return Starlette(routes=[Route("/echo", hook, methods=["POST"])])


def whatsapp_echo(url: str) -> Starlette:
    """pywa as it comes: checks the signature, hands the message to a handler, which sends its text back."""
    from pywa_async.client import WhatsApp
    from pywa_async.handlers import MessageHandler
    from pywa_async.types.message import Message

    account, client = Account(), httpx.AsyncClient(timeout=10)
    wa: WhatsApp = WhatsApp(
        phone_id=account.phone_id, token=account.token, session=client, app_secret=account.app_secret
    )
    client.base_url = httpx.URL(f"{url}/v26.0")  # pywa has put its own there

    async def echo(wa: WhatsApp, message: Message) -> None:
        assert message.from_user.wa_id
        await wa.send_message(to=message.from_user.wa_id, text=message.text or "")

    wa.add_handlers(MessageHandler(echo))  # type: ignore[arg-type]  # its type names the client without async

    async def hook(request: Request) -> Response:
        body = await request.body()
        refused: Any = await wa.webhook_update_validator(body, request.headers.get("x-hub-signature-256", ""))
        text, status = refused or await wa.webhook_update_handler(body)
        return PlainTextResponse(text, status)

    return Starlette(routes=[Route("/echo", hook, methods=["POST"])])
