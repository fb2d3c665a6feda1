"""`rangkul chat`: a conversation in the terminal, typed or piped.

It handles only what it took in itself and shows only its own conversation, so that it can run beside the service.
Replies are read from the outbox, where the service's and the staff's stand too.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

from bot import demo, faults
from bot.app import Program, open_program
from bot.channels.terminal import COMMANDS, NAME, BadLine, Line, line_of, shown
from bot.clock import SystemIds
from bot.commands.opening import arm_faults, command_parser, settings_of
from bot.config import Config, ConfigError
from bot.outage import waited_out
from storage import outbox, people
from storage.inbox import Arrival
from storage.keyring import Keyring
from storage.outbox import Button, Outgoing

LOOK_EVERY_S: Final = 1.0
"""How often a waiting terminal looks for replies of staff."""

PAGE: Final = 200


def main(arguments: Sequence[str]) -> int:
    """Talks until the input ends."""
    parser = command_parser("chat", __doc__ or "")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--persona", choices=sorted(demo.PERSONAS), help="one of the demo's invented people")
    who.add_argument("--phone", help="a phone that the channel vouches for, as +628...")
    parser.add_argument("--new", action="store_true", help="a fresh conversation (piped input always has one)")
    parser.add_argument("--database", metavar="URL")
    given = parser.parse_args(arguments)
    config, keys = settings_of(given)
    if given.persona and not config.demo:
        raise ConfigError(["--persona: personas exist only with demo: true"])
    phone = demo.PERSONAS[given.persona].phone if given.persona else given.phone
    typed = sys.stdin.isatty()
    address = given.persona or given.phone or f"local:{getpass.getuser()}"
    if given.new or not typed:
        address = f"{address}#{SystemIds().new()}"
    arm_faults()
    asyncio.run(_talk(config, keys, address, phone, typed=typed))
    return 0


async def _talk(config: Config, keys: Keyring, address: str, phone: str | None, *, typed: bool) -> None:
    async with open_program(config, keys=keys) as program:
        terminal = Terminal(program, address, phone, sys.stdout)
        if typed:
            print(f"Ketik pesan; Ctrl-D untuk selesai. Juga: {COMMANDS}")
            await terminal.find_conversation()
        async for line in _lines(terminal, typed=typed):
            await terminal.say(line)


async def _lines(terminal: Terminal, *, typed: bool) -> AsyncIterator[str]:
    """Lines of standard input; while a person thinks, what staff said in the meantime is shown."""
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = await asyncio.wait_for(lines.get(), timeout=LOOK_EVERY_S if typed else None)
        except TimeoutError:
            await terminal.show_new()
            continue
        if line is None:
            return
        if line.strip():
            yield line.rstrip("\r\n")


@dataclass(slots=True)
class Terminal:
    """One person at one terminal."""

    program: Program
    address: str
    phone: str | None
    out: TextIO
    conversation: str = ""
    _seen: int = 0
    _buttons: Sequence[Button] = field(default=())

    async def find_conversation(self) -> None:
        """Goes on with the conversation of this address, if there is one: what was not shown yet is shown now."""
        found = await waited_out(
            self.program.db,
            self.program.clock,
            lambda conn: people.conversation_at(conn, self.program.keys, NAME, self.address),
        )
        if found is None:
            return
        self.conversation = found
        await self.program.take_over(found)
        rows = await self._rows()
        while rows:
            await self._take(rows, only_new=True)
            rows = await self._rows()

    async def say(self, typed: str) -> None:
        """Sends one line and shows what comes back."""
        program = self.program
        try:
            line = line_of(typed, self._buttons, program.ids.new, max_bytes=program.config.web.upload_max_bytes)
        except BadLine as error:
            print(error, file=self.out, flush=True)
            return
        accepted = await program.receive(self._arrival(line), files=line.files, patience_s=None)
        self.conversation = accepted.conversation
        await program.settle_received()
        await self.show_new()

    async def show_new(self) -> None:
        """Shows what this conversation was told since the last look."""
        if self.conversation:
            await self._take(await self._rows(), only_new=False)

    def _arrival(self, line: Line) -> Arrival:
        program = self.program
        return Arrival(
            channel=NAME,
            address=self.address,
            external_id=program.ids.new(),
            content=line.content,
            phone=self.phone,
            received_at=program.clock.now(),
        )

    async def _rows(self) -> list[Outgoing]:
        program = self.program
        return await waited_out(
            program.db,
            program.clock,
            lambda conn: outbox.since(conn, program.keys, self.conversation, self._seen, PAGE),
        )

    async def _take(self, rows: Sequence[Outgoing], *, only_new: bool) -> None:
        for row in rows:
            if not only_new or row.status == "new":
                print(shown(row.body), file=self.out, flush=True)
            self._buttons = row.body.options
            self._seen = row.id
        unsent = [row.id for row in rows if row.status == "new"]
        if unsent:
            faults.point("after_send")
            program = self.program
            await waited_out(
                program.db,
                program.clock,
                lambda conn: outbox.mark_sent(conn, unsent, now=program.clock.now()),
            )
