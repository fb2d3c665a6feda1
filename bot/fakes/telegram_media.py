"""Methods that send files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bot.fakes.telegram_methods import Method, caption_of, send_content, thread_of
from bot.fakes.telegram_wire import Json, Params, Refused, Upload, bad
from bot.fakes.telegram_world import StoredFile, World

MAX_UPLOAD_BYTES: Final = 50 << 20
MAX_PHOTO_BYTES: Final = 10 << 20
PICTURE_STARTS: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")
ALBUM_SIZE: Final = range(2, 11)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of media: what the platform adds to the file's own fields."""

    name: str
    extra: Mapping[str, Any]
    captioned: bool = True


KINDS: Final = (
    Kind("photo", {}),
    Kind("document", {}),
    Kind("voice", {"duration": 3}),
    Kind("audio", {"duration": 3}),
    Kind("video", {"width": 640, "height": 480, "duration": 3}),
    Kind("animation", {"width": 320, "height": 240, "duration": 3}),
    Kind("video_note", {"length": 240, "duration": 3}, captioned=False),
    Kind(
        "sticker",
        {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False},
        captioned=False,
    ),
)


def send_media(kind: Kind, world: World, params: Params) -> Json:
    """A file that is uploaded with the call or already known by its id."""
    caption = caption_of(params) if kind.captioned else {}
    file = _file_of(world, params, kind.name, kind.name)
    return send_content(world, params, {kind.name: _media_fields(world, kind, file), **caption})


def send_media_group(world: World, params: Params) -> list[Json]:
    """An album: 2 to 10 files, each its own message."""
    items = params.json("media")
    if not isinstance(items, list) or len(items) not in ALBUM_SIZE:
        raise bad("media group must have 2 to 10 items")
    contents = [_album_item(world, params, item) for item in items]
    chat = world.chat(params.text("chat_id"))
    thread_id = thread_of(chat, params)
    world.charge(chat, len(contents))
    group = f"13{chat.next_id():015d}"
    return [
        world.send(chat, {**content, "media_group_id": group}, markup=None, thread_id=thread_id) for content in contents
    ]


def _album_item(world: World, params: Params, item: Any) -> Json:
    kind = next((kind for kind in KINDS if isinstance(item, dict) and kind.name == item.get("type")), None)
    if kind is None or kind.name not in {"photo", "video", "document", "audio"}:
        raise bad("can't parse InputMedia: unsupported type")
    caption = caption_of(Params(item))
    file = _file_of(world, Params(item, params.files), "media", kind.name)
    return {kind.name: _media_fields(world, kind, file), **caption}


def _file_of(world: World, params: Params, field: str, kind: str) -> StoredFile:
    upload = params.files.get(field)
    reference = params.text(field)
    if upload is None and reference.startswith("attach://"):
        upload = params.files.get(reference.removeprefix("attach://"))
    if upload is not None:
        return _stored(world, upload, kind)
    if not reference:
        raise bad(f"there is no {kind} in the request")
    if "://" in reference:
        raise bad("failed to get HTTP URL content")
    if reference not in world.files:
        raise bad("wrong file identifier/HTTP URL specified")
    return world.files[reference]


def _stored(world: World, upload: Upload, kind: str) -> StoredFile:
    size = len(upload.content)
    if not size:
        raise bad("file must be non-empty")
    if size > MAX_UPLOAD_BYTES:
        raise Refused(413, "Request Entity Too Large")
    if kind == "photo" and size > MAX_PHOTO_BYTES:
        raise bad(f"file of size {size} bytes is too big for a photo; the maximum size is {MAX_PHOTO_BYTES} bytes")
    if kind == "photo" and not upload.content.startswith(PICTURE_STARTS):
        raise bad("IMAGE_PROCESS_FAILED")
    return world.put_file(upload.content, name=upload.name or None, mime=upload.mime or None)


def _media_fields(world: World, kind: Kind, file: StoredFile) -> Any:
    if kind.name == "photo":
        return photo_sizes(world, file)
    told = {**file.short(), **kind.extra}
    if kind.name in {"document", "audio", "video", "animation"} and file.name:
        told["file_name"] = file.name
    if file.mime and kind.name not in {"sticker", "video_note"}:
        told["mime_type"] = file.mime
    return told


def photo_sizes(world: World, file: StoredFile, *, width: int = 1280, height: int = 960) -> list[Json]:
    """A photo in several sizes, the largest last. The smaller ones hold other bytes, so that a reader
    that takes the wrong size is found out."""
    sizes: list[Json] = []
    for part in (14, 4):
        if file.size <= len(b"thumbnail 1/00"):
            break
        small = world.put_file(b"thumbnail 1/%d" % part, name="thumbnail.jpg")
        sizes.append({**small.short(), "width": width // part, "height": height // part})
    return [*sizes, {**file.short(), "width": width, "height": height}]


MEDIA_METHODS: Final[Mapping[str, Method]] = {
    **{f"send{kind.name.replace('_', '')}": partial(send_media, kind) for kind in KINDS},
    "sendmediagroup": send_media_group,
}
