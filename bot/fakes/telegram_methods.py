"""The methods of the Bot API that a message service needs, but for those that hand out updates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from bot.fakes.telegram_formatting import Styled, styled, utf16_length
from bot.fakes.telegram_keyboards import checked_inline, checked_markup
from bot.fakes.telegram_wire import Json, Params, bad
from bot.fakes.telegram_world import Chat, World

Method = Callable[[World, Params], Any]

MAX_TEXT: Final = 4096
MAX_CAPTION: Final = 1024
MAX_ANSWER: Final = 200
DELETABLE: Final = timedelta(hours=48)
MAX_COMMANDS: Final = 100
CHAT_ACTIONS: Final = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)
COMMAND_SCOPES: Final = frozenset(
    [
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    ]
)
NOT_MODIFIED: Final = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content"
    " and reply markup of the message"
)


def get_me(world: World, params: Params) -> Json:
    """The bot itself."""
    return {
        **world.bot,
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def text_of(params: Params) -> Styled:
    """The checked text of a message."""
    given = params.text("text")
    if not given:
        raise bad("message text is empty")
    read = styled(given, params.text("parse_mode"), params.json("entities"))
    if not read.text:
        raise bad("text must be non-empty")
    if utf16_length(read.text) > MAX_TEXT:
        raise bad("message is too long")
    return read


def caption_of(params: Params) -> Json:
    """The checked caption as fields of a message; empty when there is none."""
    read = styled(params.text("caption"), params.text("parse_mode"), params.json("caption_entities"))
    if utf16_length(read.text) > MAX_CAPTION:
        raise bad("message caption is too long")
    if not read.text:
        return {}
    return {"caption": read.text, **({"caption_entities": list(read.entities)} if read.entities else {})}


def send_content(world: World, params: Params, content: Json) -> Json:
    """Sends checked content where the parameters say."""
    chat = world.chat(params.text("chat_id"))
    thread_id = thread_of(chat, params)
    reply = _replied(chat, params)
    markup = checked_markup(params.json("reply_markup"), private=chat.kind == "private")
    world.charge(chat)
    return world.send(chat, {**content, **reply}, markup=markup, thread_id=thread_id)


def thread_of(chat: Chat, params: Params) -> int | None:
    """The topic to send to. The general topic has id 1, yet must not be named."""
    if not params.has("message_thread_id"):
        return None
    thread_id = params.integer("message_thread_id")
    if thread_id not in chat.topics:
        raise bad("message thread not found")
    return thread_id


def _replied(chat: Chat, params: Params) -> Json:
    parameters = params.json("reply_parameters")
    if parameters is None and not params.has("reply_to_message_id"):
        return {}
    if parameters is None:
        parameters = {"message_id": params.integer("reply_to_message_id")}
    if not isinstance(parameters, dict) or not isinstance(parameters.get("message_id"), int):
        raise bad("can't parse reply parameters")
    message = chat.messages.get(parameters["message_id"])
    if message is not None:
        return {"reply_to_message": {key: value for key, value in message.items() if key != "reply_to_message"}}
    if parameters.get("allow_sending_without_reply"):
        return {}
    raise bad("message to be replied not found")


def send_message(world: World, params: Params) -> Json:
    """Text."""
    read = text_of(params)
    preview = params.json("link_preview_options")
    if preview is not None and not isinstance(preview, dict):
        raise bad("can't parse link preview options")
    return send_content(world, params, _text_fields(read))


def _text_fields(read: Styled) -> Json:
    return {"text": read.text, **({"entities": list(read.entities)} if read.entities else {})}


def send_location(world: World, params: Params) -> Json:
    """A place on the map."""
    try:
        latitude, longitude = float(params.text("latitude")), float(params.text("longitude"))
    except ValueError:
        raise bad("latitude and longitude must be numbers") from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise bad("invalid location specified")
    return send_content(world, params, {"location": {"latitude": latitude, "longitude": longitude}})


def send_contact(world: World, params: Params) -> Json:
    """A phone number with a name."""
    phone, name = params.text("phone_number"), params.text("first_name")
    if not phone:
        raise bad("phone number is empty")
    if not name:
        raise bad("first name is empty")
    return send_content(world, params, {"contact": {"phone_number": phone, "first_name": name}})


def own_message(world: World, params: Params, what: str) -> tuple[Chat, Json]:
    """The message of the bot's that a call names."""
    chat = world.chat(params.text("chat_id"))
    message = chat.messages.get(params.integer("message_id"))
    if message is None:
        raise bad(f"message to {what} not found")
    if message.get("from", {}).get("id") != world.bot["id"] and chat.kind != "channel":
        raise bad(f"message can't be {what}ed")
    return chat, message


def edit_message_text(world: World, params: Params) -> Json:
    """New text. Without a keyboard in the call the old keyboard goes."""
    read = text_of(params)
    chat, message = own_message(world, params, "edit")
    if "text" not in message:
        raise bad("there is no text in the message to edit")
    return _edited(world, chat, message, {"text", "entities"}, _text_fields(read), params)


def edit_message_caption(world: World, params: Params) -> Json:
    """New caption, or none."""
    fields = caption_of(params)
    chat, message = own_message(world, params, "edit")
    if "text" in message:
        raise bad("there is no caption in the message to edit")
    return _edited(world, chat, message, {"caption", "caption_entities"}, fields, params)


def edit_message_reply_markup(world: World, params: Params) -> Json:
    """New keyboard, or none."""
    chat, message = own_message(world, params, "edit")
    return _edited(world, chat, message, set(), {}, params)


def _edited(world: World, chat: Chat, message: Json, dropped: set[str], fields: Json, params: Params) -> Json:
    markup = checked_inline(params.json("reply_markup"))
    kept = {key: value for key, value in message.items() if key not in dropped | {"reply_markup", "edit_date"}}
    changed = {**kept, **fields, **({"reply_markup": markup} if markup else {})}
    if changed == {key: value for key, value in message.items() if key != "edit_date"}:
        raise bad(NOT_MODIFIED)
    world.charge_edit(chat)
    changed["edit_date"] = world.date()
    chat.messages[message["message_id"]] = changed
    world.note(chat, changed, "edit", markup)
    return changed


def delete_message(world: World, params: Params) -> bool:
    """Deletes the bot's own messages, and in private chats also the other's, for 48 hours."""
    chat = world.chat(params.text("chat_id"))
    _delete(world, chat, params.integer("message_id"))
    return True


def delete_messages(world: World, params: Params) -> bool:
    """Deletes several at once; those that are not there are passed over."""
    chat = world.chat(params.text("chat_id"))
    ids = params.json("message_ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 100:
        raise bad("message identifiers are not specified, or too many")
    for identity in ids:
        if identity in chat.messages:
            _delete(world, chat, identity)
    return True


def _delete(world: World, chat: Chat, identity: int) -> None:
    message = chat.messages.get(identity)
    if message is None:
        raise bad("message to delete not found")
    own = message.get("from", {}).get("id") == world.bot["id"]
    allowed = own or chat.kind == "private" or chat.bot_is_admin
    if not allowed or world.date() - message["date"] > DELETABLE.total_seconds():
        raise bad("message can't be deleted for everyone")
    del chat.messages[identity]
    chat.deleted.add(identity)


def answer_callback_query(world: World, params: Params) -> bool:
    """Ends the progress bar at a pressed button, with a short notice if there is text."""
    text = params.text("text")
    if utf16_length(text) > MAX_ANSWER:
        raise bad("MESSAGE_TOO_LONG")
    world.answer_press(params.text("callback_query_id"), text)
    return True


def send_chat_action(world: World, params: Params) -> bool:
    """Shows "is typing" or the like."""
    chat = world.chat(params.text("chat_id"))
    thread_of(chat, params)
    action = params.text("action")
    if action not in CHAT_ACTIONS:
        raise bad("wrong parameter action in request")
    world.actions.append((world.now(), chat.id, action))
    return True


def set_my_commands(world: World, params: Params) -> bool:
    """The commands in the menu, by scope and language."""
    commands = params.json("commands")
    if not isinstance(commands, list):
        raise bad("can't parse commands list: expected an Array of BotCommand")
    if len(commands) > MAX_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not isinstance(command, dict) or not re.fullmatch(r"/?[a-z0-9_]{1,32}", str(command.get("command", ""))):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= utf16_length(str(command.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    world.commands[_command_key(params)] = commands
    return True


def get_my_commands(world: World, params: Params) -> list[Json]:
    """The commands of exactly this scope and language."""
    return world.commands.get(_command_key(params), [])


def delete_my_commands(world: World, params: Params) -> bool:
    """Takes them away."""
    world.commands.pop(_command_key(params), None)
    return True


def _command_key(params: Params) -> str:
    scope = params.json("scope") or {"type": "default"}
    if not isinstance(scope, dict) or scope.get("type") not in COMMAND_SCOPES:
        raise bad("unsupported type specified")
    language = params.text("language_code")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad("invalid language code specified")
    return f"{scope['type']}:{scope.get('chat_id', '')}:{scope.get('user_id', '')}:{language}"


def get_chat(world: World, params: Params) -> Json:
    """A chat in full."""
    chat = world.chat(params.text("chat_id"))
    gifts = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
    )
    return {**chat.short(), "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}


def get_file(world: World, params: Params) -> Json:
    """The link to a file."""
    return world.link(params.text("file_id"))


METHODS: Final[Mapping[str, Method]] = {
    "getme": get_me,
    "sendmessage": send_message,
    "sendlocation": send_location,
    "sendcontact": send_contact,
    "editmessagetext": edit_message_text,
    "editmessagecaption": edit_message_caption,
    "editmessagereplymarkup": edit_message_reply_markup,
    "deletemessage": delete_message,
    "deletemessages": delete_messages,
    "answercallbackquery": answer_callback_query,
    "sendchataction": send_chat_action,
    "setmycommands": set_my_commands,
    "getmycommands": get_my_commands,
    "deletemycommands": delete_my_commands,
    "getchat": get_chat,
    "getfile": get_file,
}
