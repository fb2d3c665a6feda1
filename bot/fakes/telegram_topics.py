"""Methods for the topics of a forum group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.fakes.telegram_formatting import utf16_length
from bot.fakes.telegram_methods import Method
from bot.fakes.telegram_wire import Json, Params, Refused, bad
from bot.fakes.telegram_world import Chat, Topic, World

MAX_NAME: Final = 128
COLOURS: Final = frozenset({7322096, 16766590, 13338331, 9367192, 16749490, 16478047})


def create_forum_topic(world: World, params: Params) -> Json:
    """A new topic; its id is that of the message that tells of it."""
    chat = _forum(world, params)
    name = _name(params)
    colour = params.integer("icon_color", 7322096)
    if colour not in COLOURS:
        raise bad("invalid icon color specified")
    world.charge(chat)
    told = {"name": name, "icon_color": colour}
    message = world.message_from(chat, dict(world.bot), {"forum_topic_created": told})
    thread_id = message["message_id"]
    message |= {"message_thread_id": thread_id, "is_topic_message": True}
    chat.topics[thread_id] = Topic(name)
    return {"message_thread_id": thread_id, **told}


def edit_forum_topic(world: World, params: Params) -> bool:
    """Another name."""
    topic = _topic(_forum(world, params), params)
    if params.has("name"):
        name = _name(params)
        if name == topic.name:
            raise bad("TOPIC_NOT_MODIFIED")
        topic.name = name
    return True


def close_forum_topic(world: World, params: Params) -> bool:
    """Closes a topic that is open."""
    return _set_closed(world, params, closed=True)


def reopen_forum_topic(world: World, params: Params) -> bool:
    """Opens a topic that is closed."""
    return _set_closed(world, params, closed=False)


def delete_forum_topic(world: World, params: Params) -> bool:
    """Deletes a topic with its messages."""
    chat = _forum(world, params)
    _topic(chat, params)
    drop_topic(chat, params.integer("message_thread_id"))
    return True


def drop_topic(chat: Chat, thread_id: int) -> None:
    """What the platform forgets with a topic, whoever deleted it."""
    del chat.topics[thread_id]
    gone = [key for key, message in chat.messages.items() if message.get("message_thread_id") == thread_id]
    for key in gone:
        del chat.messages[key]


def _set_closed(world: World, params: Params, *, closed: bool) -> bool:
    topic = _topic(_forum(world, params), params)
    if topic.closed is closed:
        raise bad("TOPIC_NOT_MODIFIED")
    topic.closed = closed
    return True


def _forum(world: World, params: Params) -> Chat:
    chat = world.chat(params.text("chat_id"))
    if not chat.is_forum:
        raise bad("the chat is not a forum")
    if not chat.bot_is_admin:
        raise Refused(400, "Bad Request: not enough rights to manage topics")
    return chat


def _topic(chat: Chat, params: Params) -> Topic:
    topic = chat.topics.get(params.integer("message_thread_id"))
    if topic is None:
        raise bad("message thread not found")
    return topic


def _name(params: Params) -> str:
    name = params.text("name").strip()
    if not 1 <= utf16_length(name) <= MAX_NAME:
        raise bad("topic name must have 1 to 128 characters")
    return name


TOPIC_METHODS: Final[Mapping[str, Method]] = {
    "createforumtopic": create_forum_topic,
    "editforumtopic": edit_forum_topic,
    "closeforumtopic": close_forum_topic,
    "reopenforumtopic": reopen_forum_topic,
    "deleteforumtopic": delete_forum_topic,
}
