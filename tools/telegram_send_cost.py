"""What one send to Telegram costs in CPU: python-telegram-bot through its own HTTP client and through ours.

    python -m tools.telegram_send_cost

A server in a process of its own answers every request with the same message; only this process's CPU time counts.
Medians over rounds in which both take their turn, so that both suffer from the same neighbours.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection
from typing import Final

import uvloop
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.request import BaseRequest, HTTPXRequest

from bot.channels.telegram.http import HttpRequest

ROUNDS: Final = 11
SENDS: Final = 200
TEXT: Final = "Nomor KTP (NIK) Bapak/Ibu? 16 angka. (3 dari 8)"
SENT: Final = {
    "message_id": 17,
    "date": 1795316400,
    "chat": {"id": 5, "type": "private", "first_name": "Siti"},
    "from": {"id": 1, "is_bot": True, "first_name": "Rangkul", "username": "rangkul_bot"},
    "text": TEXT,
}


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = json.dumps({"ok": True, "result": SENT}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            lines = request.lower().split(b"\r\n")
            size = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
            await reader.readexactly(size)
            writer.write(head + body)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _serve(told: Connection) -> None:
    async def forever() -> None:
        server = await asyncio.start_server(_answer, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


async def _measure(port: int) -> dict[str, list[float]]:
    """CPU milliseconds of one send, a figure a round."""
    ways: dict[str, BaseRequest] = {"HTTPXRequest": HTTPXRequest(), "HttpRequest": HttpRequest()}
    bots = {
        name: Bot("1:a", base_url=f"http://127.0.0.1:{port}/bot", request=way, get_updates_request=HttpRequest())
        for name, way in ways.items()
    }
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Daftar", callback_data="7.0")]] * 2)
    found: dict[str, list[float]] = {name: [] for name in bots}
    for _ in range(ROUNDS):
        for name, bot in bots.items():
            began = time.process_time()
            for _ in range(SENDS):
                await bot.send_message(
                    5, TEXT, reply_markup=keyboard, link_preview_options=LinkPreviewOptions(is_disabled=True)
                )
            found[name].append((time.process_time() - began) / SENDS * 1000)
    for way in ways.values():
        await way.shutdown()
    return found


def main() -> None:
    """Prints both, and what ours costs as a share of the library's."""
    listening, told = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.Process(target=_serve, args=(told,), daemon=True)
    server.start()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(_measure(listening.recv()))
    finally:
        server.kill()
    medians = {name: statistics.median(figures) for name, figures in found.items()}
    for name, figures in found.items():
        share = medians[name] / medians["HTTPXRequest"]
        print(f"{name:13} {medians[name]:.3f} ms ({min(figures):.3f} to {max(figures):.3f}), {share:.2f} of the first")


if __name__ == "__main__":
    main()
