"""What goes between the page and us, as types: parsed once at the edge, written without a detour."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from storage.outbox import Outgoing

MAX_PAYLOAD_CHARS = 200

ClientId = Annotated[str, Meta(pattern="^[0-9a-fA-F-]{8,40}$")]


class Posted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message from the page: words, or a pressed button when `payload` is there."""

    id: ClientId
    text: str = ""
    payload: Annotated[str, Meta(max_length=MAX_PAYLOAD_CHARS)] = ""
    title: Annotated[str, Meta(max_length=MAX_PAYLOAD_CHARS)] = ""


class Choice(msgspec.Struct, frozen=True):
    """A button."""

    title: str
    payload: str


class FromBot(msgspec.Struct, frozen=True, tag="bot", tag_field="from"):
    """A row of the outbox for the page. `id` is the resume position; `form` the slot of a one-field page."""

    id: int
    text: str
    options: tuple[Choice, ...]
    numbered: bool
    form: str
    author: str


class FromPerson(msgspec.Struct, frozen=True, tag="me", tag_field="from"):
    """What the person sent earlier; `label` names a word of the page where there is no text to show."""

    text: str
    label: Literal["", "photo_sent", "form_answer"] = ""


class Conversation(msgspec.Struct, frozen=True):
    """The answer of GET /messages; `last` is the position to resume from."""

    messages: tuple[FromBot | FromPerson, ...]
    last: int


class Taken(msgspec.Struct, frozen=True):
    """The message with this id is stored."""

    id: str


class Refusal(msgspec.Struct, frozen=True):
    """Why a request was not carried out, in words for the person."""

    error: str


posted_decoder = msgspec.json.Decoder(Posted)
encode = msgspec.json.Encoder().encode


def from_bot(row: Outgoing) -> FromBot:
    """A row of the outbox as the page gets it."""
    body = row.body
    return FromBot(
        id=row.id,
        text=body.text,
        options=tuple(Choice(option.title, option.payload) for option in body.options),
        numbered=body.numbered,
        form=body.form,
        author=body.author,
    )
