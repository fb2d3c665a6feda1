"""Pictures that were sent together: one message to the person who is answered, whatever becomes of each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from world import Phone, World

from bot.app import Program
from bot.channels.base import Fetched, FetchError
from bot.incoming import ALBUM_WAIT
from flows.model import Media

pytestmark = pytest.mark.asyncio

JPEG = b"\xff\xd8\xff" + bytes(60)


class PhoneWithPhotos(Phone):
    """A phone whose photos wait at the platform; those named `gone` are there no more."""

    async def fetch(self, media: Media) -> Fetched:
        if media.source.startswith("gone"):
            raise FetchError("not there")
        return Fetched(JPEG, "image/jpeg")


def photo(source: str, caption: str = "") -> Media:
    """One picture of an album as a platform announces it."""
    return Media("photo", f"of-{source}", caption, source=source, album="a1")


async def send(world: World, program: Program, *parts: Media) -> list[str]:
    """The parts come one after the other, and the album's time passes; the reply keys since."""
    before = len(world.phone.keys)
    for part in parts:
        await program.receive(world.arrival(part))
    await program.settle()
    world.clock.advance(ALBUM_WAIT)
    await program.settle()
    return world.phone.keys[before:]


async def test_an_album_is_one_message(world: World) -> None:
    """It is answered once, when its time has passed, and its caption is the one of any part."""
    world = replace(world, phone=PhoneWithPhotos())
    async with world.program() as program:
        await program.receive(world.arrival(photo("one")))
        await program.settle()
        assert world.phone.keys == []
        replies = await send(world, program, photo("two", "ini struknya"), photo("three"))
        assert replies.count("engine/photo_not_now") == 1


@pytest.mark.parametrize("sources", [("gone", "two"), ("one", "gone")])
async def test_a_part_that_cannot_be_had_is_told(world: World, sources: tuple[str, str]) -> None:
    """The others are kept, and the person is asked for that one again, be it the first or the last."""
    world = replace(world, phone=PhoneWithPhotos())
    async with world.program() as program:
        replies = await send(world, program, *map(photo, sources))
        assert replies[:2] == ["engine/album_incomplete", "engine/photo_not_now"]


async def test_an_album_of_which_nothing_can_be_had_is_told_once(world: World) -> None:
    """As one picture would be."""
    world = replace(world, phone=PhoneWithPhotos())
    async with world.program() as program:
        replies = await send(world, program, photo("gone-1"), photo("gone-2"))
        assert replies.count("engine/media_unreadable") == 1


async def test_a_part_that_comes_late_is_a_message_of_its_own(world: World) -> None:
    """It is neither lost nor does it change what was answered."""
    world = replace(world, phone=PhoneWithPhotos())
    async with world.program() as program:
        assert await send(world, program, photo("one"), photo("two"))
        world.clock.advance(timedelta(minutes=1))
        assert "engine/photo_not_now" in await send(world, program, photo("three"))
