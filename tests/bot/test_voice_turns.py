"""Voice notes through the whole program: fetched, written down by a real program, kept with what they tell."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from world import Phone, World

from bot.channels.base import Fetched
from bot.config import SpeechSection
from flows.model import Media
from storage import inbox, media

AUDIO = b"OggS" + bytes(200)


class PhoneWithVoice(Phone):
    """A phone whose voice notes wait at the platform until they are fetched."""

    async def fetch(self, media: Media) -> Fetched:
        return Fetched(AUDIO, "audio/ogg")


def writing_down(world: World, words: str) -> World:
    """The same world with a recogniser that hears these words in whatever it gets, and checks what that is."""
    whole = f"sys.stdin.buffer.read() == {AUDIO!r} and os.environ['AUDIO_MIME'] == 'audio/ogg'"
    code = f"import os, sys; assert {whole}; print({words!r})"
    command = shlex.join([sys.executable, "-c", code])
    config = world.config.model_copy(update={"speech": SpeechSection(command=command)})
    return replace(world, config=config, phone=PhoneWithVoice())


def voice(name: str) -> Media:
    """A voice note as a platform announces it."""
    return Media("voice", name, source=f"file-of-{name}")


@pytest.mark.asyncio
async def test_words_of_a_voice_note_are_heard_as_if_typed(world: World) -> None:
    """What the recogniser writes down is understood, and begins the complaint that was asked for."""
    world = writing_down(world, "lapor")
    async with world.program() as program:
        await world.say(program, voice("v1"))
        assert world.engine.heard == ["lapor"]
        assert world.phone.keys == ["file_complaint/ask_description"]


@pytest.mark.asyncio
async def test_recording_is_in_the_ticket_with_its_words(world: World) -> None:
    """The call for a human opens a ticket, and the recording is there to be listened to."""
    world = writing_down(world, "petugas")
    async with world.program() as program:
        await world.say(program, voice("v1"))
        (ticket,) = await world.tickets(program)
        kept = await program.db.read(lambda conn: media.load(conn, world.keys, "v1"))
    assert (ticket.kind, ticket.media) == ("handover", ("v1",))
    assert kept is not None
    assert kept.content == AUDIO


@pytest.mark.asyncio
async def test_silent_recogniser_leaves_it_to_a_person(world: World) -> None:
    """No words in it: staff are offered, and on a yes hear it by a promised day."""
    world = writing_down(world, "")
    async with world.program() as program:
        await world.say(program, voice("v1"))
        await world.say(program, voice("v2"))
        await world.say(program, "ya")
        assert world.phone.keys == ["engine/voice_offer", "engine/voice_offer", "engine/voice_passed_on"]
        (ticket,) = await world.tickets(program)
    assert (ticket.kind, ticket.media) == ("voice_note", ("v1", "v2"))
    assert ticket.promised is not None


@pytest.mark.asyncio
async def test_a_file_of_a_channel_that_is_off_is_left_alone_for_a_while(world: World) -> None:
    """It waits for a process that has the channel, and nobody looks at it over and over meanwhile."""
    async with world.program() as program:
        await program.receive(replace(world.arrival(voice("v1")), channel="telegram"))
        await program.settle()
        assert await program.db.read(inbox.next_free) == world.clock.now() + timedelta(seconds=5)
        assert (await program.db.read(inbox.waiting))[0] == 1
