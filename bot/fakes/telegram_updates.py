"""Builds what people do into the platform's updates. Building one is the doing: the message is in the chat, the press
waits for its answer. The update reaches the bot when it is put (`FakeTelegram.put`) or delivered."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any, Final

from bot.fakes.telegram_formatting import utf16_length
from bot.fakes.telegram_media import photo_sizes
from bot.fakes.telegram_topics import drop_topic
from bot.fakes.telegram_wire import Json
from bot.fakes.telegram_world import Chat, Person, Reach, StoredFile, Topic, World

_ENTITY = re.compile(
    r"(?P<url>https?://[^\s]+)"
    r"|(?P<email>[\w.+-]+@[\w-]+\.[\w.]+)"
    r"|(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,32}(?:@\w+)?)"
    r"|(?<!\w)(?P<mention>@\w{4,32})"
    r"|(?<!\w)(?P<hashtag>#\w*[^\W\d]\w*)"
)
_CHAT_INSTANCE: Final = "-3141592653589793238"
RIGHTS: Final = dict.fromkeys(
    (
        "can_be_edited",
        "can_manage_chat",
        "can_change_info",
        "can_delete_messages",
        "can_invite_users",
        "can_restrict_members",
        "can_pin_messages",
        "can_manage_topics",
        "can_promote_members",
        "can_manage_video_chats",
        "can_post_stories",
        "can_edit_stories",
        "can_delete_stories",
        "is_anonymous",
        "can_send_welcome_messages",
    ),
    False,
)


def entities_in(text: str) -> list[Json]:
    """What the platform marks by itself in a text: commands, mentions, hashtags, addresses. Offsets in UTF-16 units."""
    found = []
    for match in _ENTITY.finditer(text):
        offset = utf16_length(text[: match.start()])
        found.append({"type": match.lastgroup, "offset": offset, "length": utf16_length(match[0])})
    return found


class Updates:
    """A builder for each kind of update. `chat` is the person's private chat unless a group is given."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ids = itertools.count(700_000_001)

    def update(self, kind: str, body: Any) -> Json:
        """Any update, with the next id."""
        return {"update_id": next(self._ids), kind: body}

    def message(
        self,
        person: Person,
        content: Json,
        *,
        chat: Chat | None = None,
        thread_id: int | None = None,
        reply_to: int | None = None,
    ) -> Json:
        """A message with any content. A person who writes can be reached from then on."""
        place = self._place(person, chat)
        if place.kind == "private":
            place.reach = "open"
        if reply_to is not None:
            answered = {key: value for key, value in place.messages[reply_to].items() if key != "reply_to_message"}
            content = {"reply_to_message": answered, **content}
        return self.update("message", self._world.message_from(place, person.user(), content, thread_id=thread_id))

    def text(
        self,
        person: Person,
        text: str,
        *,
        chat: Chat | None = None,
        thread_id: int | None = None,
        reply_to: int | None = None,
    ) -> Json:
        """A text, its commands, mentions and addresses marked."""
        return self.message(person, _words(text), chat=chat, thread_id=thread_id, reply_to=reply_to)

    def start(self, person: Person, payload: str = "") -> Json:
        """The Start button, or a link t.me/bot?start=payload."""
        return self.text(person, f"/start {payload}".rstrip())

    def press(self, person: Person, title: str, *, chat: Chat | None = None, message_id: int | None = None) -> Json:
        """The button with this title: the newest one the person can see, or that of one message.

        An inline button gives a callback query; one of the reply keyboard a text, or the person's contact. Raises
        LookupError when no such button is there.
        """
        place = self._place(person, chat)
        for message in sorted(place.messages.values(), key=lambda one: -one["message_id"]):
            if message_id in (None, message["message_id"]):
                for button in _buttons(message.get("reply_markup"), "inline_keyboard"):
                    if button["text"] == title and "callback_data" in button:
                        return self.callback(person, button["callback_data"], message=message, chat=place)
        for button in _buttons(place.keyboard, "keyboard") if message_id is None else []:
            if button["text"] == title:
                if place.keyboard and place.keyboard.get("one_time_keyboard"):
                    place.keyboard = None
                return self.contact(person) if button.get("request_contact") else self.text(person, title, chat=place)
        raise LookupError(f"no button {title!r} in chat {place.id}")

    def callback(self, person: Person, data: str, *, message: Json | None = None, chat: Chat | None = None) -> Json:
        """A callback query with any data, as a changed client can send it. Without `message` it comes from one that
        the bot can no longer read (`date` 0)."""
        place = self._place(person, chat)
        shown = message or {"chat": place.short(), "message_id": place.last_message_id or 1, "date": 0}
        query = {
            "id": self._world.add_press(person, place, data),
            "from": person.user(),
            "message": shown,
            "chat_instance": _CHAT_INSTANCE,
            "data": data,
        }
        return self.update("callback_query", query)

    def contact(self, person: Person, *, of: Person | None = None, registered: bool = True) -> Json:
        """A shared contact: the person's own, or somebody else's. `registered`: it has a Telegram account."""
        whose = of or person
        contact: Json = {"phone_number": whose.phone, "first_name": whose.first_name}
        if whose.last_name:
            contact["last_name"] = whose.last_name
        if registered:
            contact["user_id"] = whose.id
        return self.message(person, {"contact": contact})

    def location(self, person: Person, latitude: float, longitude: float) -> Json:
        """A place."""
        return self.message(person, {"location": {"latitude": latitude, "longitude": longitude}})

    def photo(
        self, person: Person, content: bytes | StoredFile, *, caption: str = "", chat: Chat | None = None
    ) -> Json:
        """A photo in three sizes, the largest last; only that one holds `content`."""
        return self.message(person, {"photo": self._sizes(content), **_caption(caption)}, chat=chat)

    def album(self, person: Person, contents: Sequence[bytes], *, caption: str = "") -> list[Json]:
        """Photos sent together: a message each, the caption on the first."""
        group = f"14{next(self._ids):015d}"
        captions = [caption, *[""] * (len(contents) - 1)]
        return [
            self.message(person, {"media_group_id": group, "photo": self._sizes(content), **_caption(words)})
            for content, words in zip(contents, captions, strict=True)
        ]

    def document(
        self, person: Person, content: bytes | StoredFile, *, name: str, mime: str | None = None, caption: str = ""
    ) -> Json:
        """A file as it is."""
        return self._file(person, "document", content, {"file_name": name}, mime, caption)

    def voice(
        self, person: Person, content: bytes | StoredFile, *, duration_s: int = 4, mime: str = "audio/ogg"
    ) -> Json:
        """A voice message."""
        return self._file(person, "voice", content, {"duration": duration_s}, mime, "")

    def audio(self, person: Person, content: bytes | StoredFile, *, duration_s: int = 60) -> Json:
        """A piece of music or another sound file."""
        return self._file(person, "audio", content, {"duration": duration_s}, "audio/mpeg", "")

    def video(self, person: Person, content: bytes | StoredFile, *, caption: str = "") -> Json:
        """A video."""
        size = {"width": 640, "height": 360, "duration": 5}
        return self._file(person, "video", content, size, "video/mp4", caption)

    def video_note(self, person: Person, content: bytes | StoredFile) -> Json:
        """A round video."""
        return self._file(person, "video_note", content, {"length": 240, "duration": 5}, None, "")

    def animation(self, person: Person, content: bytes | StoredFile) -> Json:
        """A GIF; the platform repeats it as a document."""
        file = self._stored(content)
        told = {**file.short(), "mime_type": "video/mp4"}
        size = {"width": 320, "height": 240, "duration": 2}
        return self.message(person, {"animation": {**told, **size}, "document": told})

    def sticker(self, person: Person, emoji: str = "👍") -> Json:
        """A sticker."""
        extra = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        return self._file(person, "sticker", b"sticker", {**extra, "emoji": emoji}, None, "")

    def poll(self, person: Person, question: str = "Makan apa?") -> Json:
        """A poll made by a person."""
        options = [
            {"persistent_id": str(number), "text": text, "voter_count": 0}
            for number, text in enumerate(("Nasi", "Mie"), start=1)
        ]
        told: Json = {"id": "5406000000000000001", "question": question, "options": options, "total_voter_count": 0}
        told |= {"is_closed": False, "is_anonymous": True, "type": "regular", "allows_multiple_answers": False}
        told |= {"allows_revoting": True, "members_only": False}
        return self.message(person, {"poll": told})

    def dice(self, person: Person) -> Json:
        """A thrown die."""
        return self.message(person, {"dice": {"emoji": "🎲", "value": 4}})

    def unknown_content(self, person: Person) -> Json:
        """A message of a kind that did not exist when the bot was written."""
        return self.message(person, {"hologram": {"id": "1", "depth": 3}})

    def unknown_update(self) -> Json:
        """An update of a kind that did not exist when the bot was written."""
        return self.update("telepathy", {"id": "1"})

    def forwarded(self, person: Person, text: str, *, origin: Person) -> Json:
        """Somebody else's text, passed on."""
        told = {"type": "user", "sender_user": origin.user(), "date": self._world.date()}
        return self.message(person, {"forward_origin": told, "text": text})

    def edited(self, person: Person, message_id: int, text: str, *, chat: Chat | None = None) -> Json:
        """The person's own message with other words."""
        place = self._place(person, chat)
        entities = entities_in(text)
        kept = {key: value for key, value in place.messages[message_id].items() if key != "entities"}
        changed = {
            **kept,
            "edit_date": self._world.date(),
            "text": text,
            **({"entities": entities} if entities else {}),
        }
        place.messages[message_id] = changed
        return self.update("edited_message", changed)

    def blocked(self, person: Person) -> Json:
        """The person blocks the bot: it cannot write to them from now on."""
        return self._membership(person, "blocked", {"status": "member"}, {"status": "kicked", "until_date": 0})

    def unblocked(self, person: Person) -> Json:
        """The person lets the bot write again."""
        return self._membership(person, "open", {"status": "kicked", "until_date": 0}, {"status": "member"})

    def added(self, person: Person, group: Chat, *, admin: bool = True) -> Json:
        """The bot is put into a group."""
        rights = {"status": "administrator", **RIGHTS, "can_manage_chat": True, "can_manage_topics": True}
        group.bot_is_admin = admin
        return self._membership(person, "open", {"status": "left"}, rights if admin else {"status": "member"}, group)

    def removed(self, person: Person, group: Chat) -> Json:
        """The bot is thrown out of a group."""
        return self._membership(person, "kicked", {"status": "member"}, {"status": "kicked", "until_date": 0}, group)

    def migrated(self, person: Person, group: Chat) -> tuple[list[Json], Chat]:
        """A group becomes a supergroup under another id: the two messages that tell it, and the new chat."""
        new = self._world.add_group(group.title or "", is_forum=group.is_forum)
        old_message = self.message(person, {"migrate_to_chat_id": new.id}, chat=group)
        new_message = self.message(person, {"migrate_from_chat_id": group.id}, chat=new)
        group.migrated_to = new.id
        return [old_message, new_message], new

    def topic_created(self, person: Person, group: Chat, name: str) -> Json:
        """A topic opened by a member in their app."""
        update = self.message(person, {"forum_topic_created": {"name": name, "icon_color": 7322096}}, chat=group)
        thread_id = update["message"]["message_id"]
        update["message"] |= {"message_thread_id": thread_id, "is_topic_message": True}
        group.topics[thread_id] = Topic(name)
        return update

    def topic_closed(self, person: Person, group: Chat, thread_id: int) -> Json:
        """A topic closed by a member in their app."""
        group.topics[thread_id].closed = True
        return self.message(person, {"forum_topic_closed": {}}, chat=group, thread_id=thread_id)

    def topic_deleted(self, group: Chat, thread_id: int) -> None:
        """A topic deleted by a member in their app: no update tells of it."""
        drop_topic(group, thread_id)

    def channel_post(self, channel: Chat, text: str) -> Json:
        """A post in a channel: it has no sender."""
        return self.update("channel_post", self._world.message_from(channel, {}, {"text": text}))

    def _place(self, person: Person, chat: Chat | None) -> Chat:
        return chat or self._world.chats[person.id]

    def _stored(self, content: bytes | StoredFile, name: str | None = None, mime: str | None = None) -> StoredFile:
        return content if isinstance(content, StoredFile) else self._world.put_file(content, name=name, mime=mime)

    def _sizes(self, content: bytes | StoredFile) -> list[Json]:
        return photo_sizes(self._world, self._stored(content, "photo.jpg"))

    def _file(
        self, person: Person, kind: str, content: bytes | StoredFile, extra: Json, mime: str | None, caption: str
    ) -> Json:
        file = self._stored(content, extra.get("file_name"), mime)
        told = {**file.short(), **extra, **({"mime_type": mime} if mime else {})}
        return self.message(person, {kind: told, **_caption(caption)})

    def _membership(self, person: Person, reach: Reach, old: Json, new: Json, group: Chat | None = None) -> Json:
        place = self._place(person, group)
        place.reach = reach
        bot = dict(self._world.bot)
        told = {"chat": place.short(), "from": person.user(), "date": self._world.date()}
        changes = {"old_chat_member": {"user": bot, **old}, "new_chat_member": {"user": bot, **new}}
        return self.update("my_chat_member", {**told, **changes})


def _buttons(markup: Json | None, field: str) -> list[Json]:
    rows = (markup or {}).get(field, [])
    return [{"text": button} if isinstance(button, str) else button for row in rows for button in row]


def _words(text: str) -> Json:
    entities = entities_in(text)
    return {"text": text, **({"entities": entities} if entities else {})}


def _caption(words: str) -> Json:
    return {"caption": words} if words else {}
