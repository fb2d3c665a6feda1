"""Who and what there is on the platform's side: the bot, people, chats, messages, files, button presses."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.fakes.telegram_keyboards import button_pairs
from bot.fakes.telegram_limits import Limits, Rates, Violation
from bot.fakes.telegram_wire import Json, Refused, bad

ChatKind = Literal["private", "group", "supergroup", "channel"]
Reach = Literal["open", "not_started", "blocked", "deactivated", "kicked", "not_member"]
"""Whether the bot may write to a chat, and if not, why."""

CALLBACK_LIFE: Final = timedelta(seconds=150)
FILE_LINK_LIFE: Final = timedelta(hours=1)
MAX_DOWNLOAD_BYTES: Final = 20 << 20

REFUSALS: Final = {
    "not_started": Refused(400, "Bad Request: chat not found"),
    "blocked": Refused(403, "Forbidden: bot was blocked by the user"),
    "deactivated": Refused(403, "Forbidden: user is deactivated"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a Telegram account. Names are invented by the caller."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = "id"
    phone: str = "+628110009000"

    def user(self) -> Json:
        """The platform's `User`."""
        given = {"last_name": self.last_name, "username": self.username, "language_code": self.language_code}
        told = {name: value for name, value in given.items() if value is not None}
        return {"id": self.id, "is_bot": False, "first_name": self.first_name, **told}


@dataclass(slots=True)
class Topic:
    """A topic of a forum group."""

    name: str
    closed: bool = False


@dataclass(slots=True)
class Chat:
    """A chat as the platform keeps it. Message ids count up in each chat by itself."""

    id: int
    kind: ChatKind
    title: str | None = None
    username: str | None = None
    person: Person | None = None
    is_forum: bool = False
    reach: Reach = "open"
    migrated_to: int | None = None
    bot_is_admin: bool = True
    messages: dict[int, Json] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    topics: dict[int, Topic] = field(default_factory=dict)
    keyboard: Json | None = None
    """The reply keyboard that people see now."""
    last_message_id: int = 0

    @property
    def is_group(self) -> bool:
        """Whether the group rate holds here."""
        return self.kind in {"group", "supergroup"}

    def short(self) -> Json:
        """The platform's `Chat`."""
        if self.person is not None:
            names = {key: value for key, value in self.person.user().items() if key.endswith("name")}
            return {"id": self.id, "type": "private", **names}
        told: Json = {"id": self.id, "type": self.kind, "title": self.title}
        if self.username:
            told["username"] = self.username
        if self.is_forum:
            told["is_forum"] = True
        return told

    def next_id(self) -> int:
        """A fresh message id."""
        self.last_message_id += 1
        return self.last_message_id


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file the platform keeps. `size` may be told larger than the content, to try the limits cheaply."""

    file_id: str
    file_unique_id: str
    content: bytes
    size: int
    path: str
    name: str | None = None
    mime: str | None = None

    def short(self) -> Json:
        """The fields every kind of file shares."""
        return {"file_id": self.file_id, "file_unique_id": self.file_unique_id, "file_size": self.size}


@dataclass(slots=True)
class Press:
    """A pressed button that waits for its answer."""

    person: Person
    chat_id: int
    data: str
    at: datetime
    answer: str | None = None
    """The text shown to the person, empty for a silent answer; None until it is answered."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message, or a new state of one, that people really got.

    `text` is what they see (text or caption). `buttons` are (title, payload), row by row. `media` is the kind of
    attachment ("photo", "document" …), `file_id` names it. `keyboard` says which markup came with it.
    """

    at: datetime
    chat_id: int
    message_id: int
    kind: Literal["message", "edit"]
    text: str
    buttons: tuple[tuple[str, str], ...]
    keyboard: str | None
    media: str | None
    file_id: str | None
    thread_id: int | None
    reply_to: int | None
    entities: tuple[Json, ...]


MEDIA_KINDS: Final = (
    "photo",
    "animation",
    "document",
    "voice",
    "audio",
    "video_note",
    "video",
    "sticker",
    "location",
    "contact",
)


class World:
    """Everything behind the API. Time comes from `now` alone."""

    def __init__(self, *, now: Callable[[], datetime], bot_id: int, bot_username: str, limits: Limits) -> None:
        self.now = now
        self.bot: Json = {"id": bot_id, "is_bot": True, "first_name": "Rangkul", "username": bot_username}
        self.rates = Rates(limits)
        self.violations: list[Violation] = []
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, StoredFile] = {}
        self.links: dict[str, tuple[StoredFile, datetime]] = {}
        self.presses: dict[str, Press] = {}
        self.accepted: list[Accepted] = []
        self.actions: list[tuple[datetime, int, str]] = []
        self.commands: dict[str, list[Json]] = {}
        self._person_ids = itertools.count(5_000_000_001)
        self._group_ids = itertools.count(1)
        self._file_ids = itertools.count(1)
        self._press_ids = itertools.count(4_382_000_000_000_000_001)

    def add_person(
        self,
        first_name: str,
        *,
        person_id: int | None = None,
        last_name: str | None = None,
        username: str | None = None,
        language_code: str | None = "id",
        phone: str | None = None,
        started: bool = True,
    ) -> Person:
        """A person with a private chat. Before `started` the bot cannot reach them; any message of theirs starts it.

        Ids need more than 32 bits, as on the platform.
        """
        number = person_id if person_id is not None else next(self._person_ids)
        invented = phone if phone is not None else f"+62811{number % 10_000_000:07d}"
        person = Person(number, first_name, last_name, username, language_code, invented)
        self.people[number] = person
        reach: Reach = "open" if started else "not_started"
        self.chats[number] = Chat(number, "private", person=person, username=username, reach=reach)
        return person

    def add_group(self, title: str, *, kind: ChatKind = "supergroup", is_forum: bool = False) -> Chat:
        """A group or channel with the bot in it, as administrator."""
        number = next(self._group_ids)
        identity = -number if kind == "group" else -(1_000_000_000_000 + number)
        # Message 1 of a forum is its general topic.
        self.chats[identity] = Chat(identity, kind, title=title, is_forum=is_forum, last_message_id=int(is_forum))
        return self.chats[identity]

    def put_file(
        self, content: bytes, *, name: str | None = None, mime: str | None = None, size: int | None = None
    ) -> StoredFile:
        """Keeps a file and gives it its ids."""
        number = next(self._file_ids)
        unique = hashlib.sha256(b"%d:" % number + content).hexdigest()[:16]
        suffix = f".{name.rsplit('.', 1)[1]}" if name and "." in name else ""
        told = len(content) if size is None else size
        file = StoredFile(
            f"AgACAgUAAx{unique}{number:06d}", unique, content, told, f"files/file_{number}{suffix}", name, mime
        )
        self.files[file.file_id] = file
        return file

    def link(self, file_id: str) -> Json:
        """The answer of getFile; the link is good for an hour. Refused above 20 MB."""
        file = self.files.get(file_id)
        if file is None:
            raise bad("invalid file_id")
        if file.size > MAX_DOWNLOAD_BYTES:
            raise bad("file is too big")
        self.links[file.path] = (file, self.now() + FILE_LINK_LIFE)
        return {**file.short(), "file_path": file.path}

    def linked(self, path: str) -> bytes | None:
        """The content behind a link, or None once the link has expired."""
        file, until = self.links.get(path, (None, self.now()))
        return file.content if file is not None and self.now() < until else None

    def chat(self, name: str) -> Chat:
        """The chat a call names, if the bot may write there. Refused in the platform's words otherwise."""
        if not name:
            raise bad("chat_id is empty")
        if name.startswith("@"):
            found = next((chat for chat in self.chats.values() if chat.username == name[1:] and not chat.person), None)
        else:
            found = self.chats.get(int(name)) if name.lstrip("-").isdigit() else None
        if found is None:
            raise bad("chat not found")
        if found.migrated_to is not None:
            raise Refused(
                400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to=found.migrated_to
            )
        if found.reach == "kicked":
            raise Refused(403, f"Forbidden: bot was kicked from the {_chat_word(found)} chat")
        if found.reach == "not_member":
            raise Refused(403, f"Forbidden: bot is not a member of the {_chat_word(found)} chat")
        if found.reach in REFUSALS:
            refusal = REFUSALS[found.reach]
            raise Refused(refusal.status, refusal.description)
        return found

    def charge(self, chat: Chat, messages: int = 1) -> None:
        """Counts messages against the rates. Refused with 429 when they come too fast."""
        self._judge(self.rates.admit(self.now(), chat.id, group=chat.is_group, messages=messages))

    def charge_edit(self, chat: Chat) -> None:
        """Counts an edit against the rates."""
        self._judge(self.rates.admit_edit(self.now(), chat.id, group=chat.is_group))

    def _judge(self, violation: Violation | None) -> None:
        if violation is not None:
            self.violations.append(violation)
            raise too_many(violation.retry_after_s)

    def date(self) -> int:
        """Now, as the platform writes it: whole seconds since 1970."""
        return int(self.now().timestamp())

    def message_from(self, chat: Chat, sender: Json, content: Json, *, thread_id: int | None = None) -> Json:
        """A new message in a chat, kept there."""
        message: Json = {"message_id": chat.next_id(), "from": sender, "chat": chat.short(), "date": self.date()}
        if chat.kind == "channel":
            message["sender_chat"] = message["chat"]
            del message["from"]
        if thread_id is not None:
            message |= {"message_thread_id": thread_id, "is_topic_message": True}
        message |= content
        chat.messages[message["message_id"]] = message
        return message

    def send(self, chat: Chat, content: Json, *, markup: Json | None, thread_id: int | None) -> Json:
        """A message of the bot's: kept, shown, noted as accepted."""
        if markup is not None and "inline_keyboard" in markup:
            content = {**content, "reply_markup": markup}
        elif markup is not None:
            chat.keyboard = None if markup.get("remove_keyboard") else markup if "keyboard" in markup else chat.keyboard
        message = self.message_from(chat, dict(self.bot), content, thread_id=thread_id)
        self.note(chat, message, "message", markup)
        return message

    def note(self, chat: Chat, message: Json, kind: Literal["message", "edit"], markup: Json | None) -> None:
        """Writes down what people see of a message now."""
        media = next((name for name in MEDIA_KINDS if name in message), None)
        held = message.get(media) if media else None
        file = held[-1] if isinstance(held, list) else held
        self.accepted.append(
            Accepted(
                at=self.now(),
                chat_id=chat.id,
                message_id=message["message_id"],
                kind=kind,
                text=message.get("text") or message.get("caption") or "",
                buttons=button_pairs(markup),
                keyboard=next(iter(_kinds_of(markup)), None),
                media=media,
                file_id=file.get("file_id") if isinstance(file, dict) else None,
                thread_id=message.get("message_thread_id"),
                reply_to=message.get("reply_to_message", {}).get("message_id"),
                entities=tuple(message.get("entities") or message.get("caption_entities") or ()),
            )
        )

    def add_press(self, person: Person, chat: Chat, data: str) -> str:
        """A pressed button; its id is good for 150 s and one answer."""
        identity = str(next(self._press_ids))
        self.presses[identity] = Press(person, chat.id, data, self.now())
        return identity

    def answer_press(self, identity: str, text: str) -> None:
        """Ends the progress bar at the person's button. Refused when it is too late, unknown or answered."""
        press = self.presses.get(identity)
        if press is None or press.answer is not None or self.now() - press.at > CALLBACK_LIFE:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        press.answer = text


def too_many(retry_after_s: int) -> Refused:
    """The platform's 429."""
    return Refused(429, f"Too Many Requests: retry after {retry_after_s}", retry_after=retry_after_s)


def _chat_word(chat: Chat) -> str:
    return chat.kind if chat.kind != "private" else "user"


def _kinds_of(markup: Json | None) -> list[str]:
    kinds = {"inline_keyboard": "inline", "keyboard": "reply", "remove_keyboard": "remove", "force_reply": "force"}
    return [word for key, word in kinds.items() if markup and key in markup]
