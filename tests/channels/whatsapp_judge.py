"""Judges a request to the Cloud API's messages address, apart from our fake and from our own adapter.

Three judges sit together: limits and shapes written as data, each with where it is published; a few rules that need
more than one field; and the models of kapso-whatsapp-cloud-api, which nobody here wrote. What only the platform's state
can tell (window, rates, whether a file or template exists) is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kapso_whatsapp import types as kapso
from pydantic import BaseModel, ValidationError

from bot.fakes.whatsapp_records import Request

Json = dict[str, Any]
ABSENT: Any = object()
OPENAPI = "facebook/openapi, business-messaging-api_v23.0.yaml"
LISTS = "whatsapp/messages/interactive-list-messages"
SENDING = "whatsapp/messages/send-messages"
MEDIA = "whatsapp/business-phone-numbers/media"
LINKS = "whatsapp/messages/interactive-cta-url-messages"


@dataclass(frozen=True, slots=True)
class Limit:
    """Characters of a string, or items of a list (its path ends in []), at a path; both ends are allowed."""

    path: str
    least: int
    most: int
    source: str


LIMITS = (
    Limit("biz_opaque_callback_data", 1, 512, SENDING),
    Limit("text.body", 1, 4096, SENDING),
    Limit("image.caption", 1, 1024, MEDIA),
    Limit("video.caption", 1, 1024, MEDIA),
    Limit("document.caption", 1, 1024, MEDIA),
    Limit("interactive.body.text", 1, 1024, OPENAPI),
    Limit("interactive.header.text", 1, 60, OPENAPI),
    Limit("interactive.footer.text", 1, 60, OPENAPI),
    Limit("interactive.action.buttons[]", 1, 3, OPENAPI),
    Limit("interactive.action.buttons[].reply.title", 1, 20, OPENAPI),
    Limit("interactive.action.buttons[].reply.id", 1, 256, OPENAPI),
    Limit("interactive.action.button", 1, 20, LISTS),
    Limit("interactive.action.sections[]", 1, 10, LISTS),
    Limit("interactive.action.sections[].title", 1, 24, LISTS),
    Limit("interactive.action.sections[].rows[]", 1, 10, LISTS),
    Limit("interactive.action.sections[].rows[].title", 1, 24, LISTS),
    Limit("interactive.action.sections[].rows[].description", 1, 72, LISTS),
    Limit("interactive.action.sections[].rows[].id", 1, 200, LISTS),
    Limit("interactive.action.parameters.display_text", 1, 20, LINKS),
)
ROWS_IN_ALL = 10  # LISTS: rows of all sections together

ENVELOPE = {
    "messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data",
    "recipient_identity_key_hash",
}  # fmt: skip
KEYS: dict[str, set[str]] = {
    "context": {"message_id"},
    "text": {"body", "preview_url"},
    "image": {"id", "link", "caption"},
    "video": {"id", "link", "caption"},
    "document": {"id", "link", "caption", "filename"},
    "audio": {"id", "link", "voice"},
    "sticker": {"id", "link"},
    "location": {"latitude", "longitude", "name", "address"},
    "reaction": {"message_id", "emoji"},
    "template": {"name", "language", "components"},
    "interactive": {"type", "header", "body", "footer", "action"},
    "interactive.body": {"text"},
    "interactive.footer": {"text"},
    "interactive.header": {"type", "text", "image", "video", "document"},
    "interactive.action.buttons[]": {"type", "reply"},
    "interactive.action.buttons[].reply": {"id", "title"},
    "interactive.action.sections[]": {"title", "rows"},
    "interactive.action.sections[].rows[]": {"id", "title", "description"},
    "interactive.action.parameters": {"display_text", "url"},
}
"""Every key that may stand at a path; another is refused ("Unexpected key")."""

ACTIONS: dict[str, set[str]] = {
    "button": {"buttons"},
    "list": {"button", "sections"},
    "cta_url": {"name", "parameters"},
    "location_request_message": {"name"},
    "request_contact_info": {"name"},
}
ACTION_NAMES = {
    "cta_url": "cta_url",
    "location_request_message": "send_location",
    "request_contact_info": "request_contact_info",
}
HEADERS = ("text", "image", "video", "document")
NEEDED: dict[str, tuple[str, ...]] = {
    "text": ("text.body",),
    "location": ("location.latitude", "location.longitude"),
    "reaction": ("reaction.message_id", "reaction.emoji"),
    "template": ("template.name", "template.language.code"),
    "interactive": ("interactive.type", "interactive.body.text", "interactive.action"),
    "button": (
        "interactive.action.buttons", "interactive.action.buttons[].reply.id",
        "interactive.action.buttons[].reply.title",
    ),
    "list": (
        "interactive.action.button", "interactive.action.sections", "interactive.action.sections[].rows",
        "interactive.action.sections[].rows[].id", "interactive.action.sections[].rows[].title",
    ),
    "cta_url": ("interactive.action.parameters.display_text", "interactive.action.parameters.url"),
}  # fmt: skip
MEDIA_KINDS = ("image", "video", "document", "audio", "sticker")
KINDS = {*MEDIA_KINDS, "text", "location", "contacts", "reaction", "interactive", "template"}


def judge(params: Json) -> list[str]:
    """What is wrong with the body of a POST to /{phone_id}/messages; empty when it may go out."""
    if params.get("messaging_product") != "whatsapp":
        return ["messaging_product must be whatsapp"]
    if "status" in params:
        return list(_read_mark(params))
    kind = params.get("type", "text")
    if kind not in KINDS:
        return [f"type {kind} is unknown"]
    if not isinstance(params.get(kind), list if kind == "contacts" else dict):
        return [f"{kind} is missing"]
    rules = (_address, _envelope, _needed, _keys, _limits, _files, _choices, _model)
    return [problem for rule in rules for problem in rule(params, kind)]


def refused(requests: Iterable[Request]) -> list[tuple[Json, list[str]]]:
    """The captured sends and read marks that any judge refuses, with why. Empty: every one may go out."""
    sends = (request.params for request in requests if request.method == "POST" and request.path.endswith("/messages"))
    return [(params, problems) for params in sends if (problems := judge(params))]


def at_path(params: Any, path: str) -> Iterator[Any]:
    """Every value at a path; ABSENT where the last step is not there. A final [] gives the list itself."""
    step, _, rest = path.partition(".")
    name, is_list = step.removesuffix("[]"), step.endswith("[]")
    value = params.get(name, ABSENT) if isinstance(params, dict) else ABSENT
    if not rest or value is ABSENT:
        if not rest:
            yield value
        return
    for item in value if is_list and isinstance(value, list) else [value]:
        yield from at_path(item, rest)


def _read_mark(params: Json) -> Iterator[str]:
    if params["status"] != "read":
        yield "status must be read"
    if not isinstance(params.get("message_id"), str) or not params["message_id"].strip():
        yield "message_id is missing"
    if params.get("typing_indicator", {"type": "text"}) != {"type": "text"}:
        yield "typing_indicator must be of type text"
    yield from (
        f"unexpected {key}" for key in params.keys() - {"messaging_product", "status", "message_id", "typing_indicator"}
    )


def _address(params: Json, kind: str) -> Iterator[str]:
    if ("to" in params) == ("recipient" in params):
        yield "either to or recipient"
        return
    if "recipient" in params:
        if not re.fullmatch(r"[A-Z]{2}\.(ENT\.)?\w{1,128}", str(params["recipient"])):
            yield "recipient is no business-scoped id"
        return
    number = params["to"]
    plain = isinstance(number, str) and re.fullmatch(r"\+?[\d ()-]+", number)
    if not plain or not 7 <= len(re.sub(r"\D", "", number)) <= 15:
        yield "to is no phone number"


def _envelope(params: Json, kind: str) -> Iterator[str]:
    yield from (f"unexpected {key}" for key in params.keys() - ENVELOPE - {kind})
    if params.get("recipient_type", "individual") != "individual":
        yield "recipient_type must be individual"


def _needed(params: Json, kind: str) -> Iterator[str]:
    paths = NEEDED.get(kind, ())
    if kind == "interactive":
        paths += NEEDED.get(str(params["interactive"].get("type")), ())
    for path in paths:
        above = path.rpartition(".")[0]
        parents = list(at_path(params, above))
        if any(value is ABSENT or value is None for value in [*parents, *at_path(params, path)]):
            yield f"{path} is missing"


def _keys(params: Json, kind: str) -> Iterator[str]:
    for path, allowed in KEYS.items():
        for found in at_path(params, path):
            for item in found if isinstance(found, list) else [found]:
                if isinstance(item, dict):
                    yield from (f"unexpected {key} in {path}" for key in item.keys() - allowed)


def _limits(params: Json, kind: str) -> Iterator[str]:
    for limit in LIMITS:
        wanted = list if limit.path.endswith("[]") else str
        for value in at_path(params, limit.path):
            if value is ABSENT or _untitled_section(params, limit.path, value):
                continue
            if not isinstance(value, wanted):
                yield f"{limit.path} is no {wanted.__name__}"
            elif not limit.least <= len(value) <= limit.most or (wanted is str and not value.strip()):
                yield f"{limit.path}: {len(value)}, allowed {limit.least} to {limit.most} ({limit.source})"


def _untitled_section(params: Json, path: str, value: Any) -> bool:
    return path.endswith("sections[].title") and not value and len(params["interactive"]["action"]["sections"]) == 1


def _files(params: Json, kind: str) -> Iterator[str]:
    if kind not in MEDIA_KINDS:
        return
    part = params[kind]
    if ("id" in part) == ("link" in part):
        yield "either id or link"
    if "link" in part and not re.match(r"https?://\S+$", str(part["link"])):
        yield "link is no web address"
    if not part.get("id", "x") or not isinstance(part.get("voice", False), bool):
        yield "id or voice is malformed"


def _choices(params: Json, kind: str) -> Iterator[str]:
    if kind != "interactive":
        return
    part = params["interactive"]
    name, action = part.get("type"), part.get("action")
    if name not in ACTIONS or not isinstance(action, dict):
        yield f"interactive type {name} is unknown"
        return
    yield from (f"unexpected {key} in action" for key in action.keys() - ACTIONS[name])
    if action.get("name") != ACTION_NAMES.get(name):
        yield f"the action of {name} must be named {ACTION_NAMES.get(name)}"
    if "header" in part:
        kinds = {"button": HEADERS, "list": ("text",), "cta_url": HEADERS}
        if part["header"].get("type") not in kinds.get(name, ()):
            yield "this header is not allowed here"
    if "footer" in part and name not in ("button", "list", "cta_url"):
        yield "no footer is allowed here"
    yield from {"button": _buttons, "list": _rows, "cta_url": _link}.get(name, _nothing)(action)


def _buttons(action: Json) -> Iterator[str]:
    replies = [button.get("reply", {}) for button in action.get("buttons", [])]
    for key in ("title", "id"):
        values = [str(reply.get(key, "")) for reply in replies]
        if len(set(values)) < len(values):
            yield f"two buttons have the same {key}"
        if any(value != value.strip() for value in values):
            yield f"space around a button's {key}"
    if any(button.get("type") != "reply" for button in action.get("buttons", [])):
        yield "a button must be of type reply"


def _rows(action: Json) -> Iterator[str]:
    sections = action.get("sections", [])
    ids = [row.get("id") for section in sections for row in section.get("rows", [])]
    if len(ids) > ROWS_IN_ALL:
        yield f"{len(ids)} rows in all, {ROWS_IN_ALL} allowed"
    if len(set(ids)) < len(ids):
        yield "two rows have the same id"
    if len(sections) > 1 and not all(section.get("title") for section in sections):
        yield "every section needs a title"


def _link(action: Json) -> Iterator[str]:
    if not re.match(r"https?://\S+$", str(action.get("parameters", {}).get("url"))):
        yield "url is no web address"


def _nothing(action: Json) -> Iterator[str]:
    yield from ()


def _model(params: Json, kind: str) -> Iterator[str]:
    """What kapso's model of this kind of message says."""
    try:
        for model, values in _as_models(params, kind):
            model.model_validate(values)
    except ValidationError as error:
        yield from (f"kapso: {problem['loc']}: {problem['msg']}" for problem in error.errors())
    except (KeyError, TypeError, AttributeError) as error:
        yield f"kapso: unreadable, {error!r}"


def _as_models(params: Json, kind: str) -> Iterator[tuple[type[BaseModel], Json]]:
    common = {"phone_number_id": "1", "to": params.get("to") or params.get("recipient")}
    part = params[kind]
    if kind in MEDIA_KINDS:
        yield kapso.MediaInput, part
    elif kind == "text":
        yield kapso.TextMessageInput, {**common, **part}
    elif kind == "contacts":
        yield kapso.ContactsMessageInput, {**common, "contacts": part}
    elif kind == "interactive":
        build = _INTERACTIVE.get(part["type"])
        if build is not None:
            yield build[0], common | _around(part) | build[1](part["action"])
    else:
        models: dict[str, type[BaseModel]] = {
            "location": kapso.LocationInput,
            "reaction": kapso.ReactionInput,
            "template": kapso.TemplateSendPayload,
        }
        yield models[kind], part


def _around(part: Json) -> Json:
    texts = {"body_text": part["body"]["text"]}
    if part.get("header", {}).get("type") == "text":
        texts["header_text"] = part["header"]["text"]
    if "footer" in part:
        texts["footer_text"] = part["footer"]["text"]
    return texts


def _list_values(action: Json) -> Json:
    """kapso wants a title for each section; its own client puts one where there is none."""
    sections = [{**section, "title": section.get("title") or "Options"} for section in action["sections"]]
    return {"button_text": action["button"], "sections": sections}


_INTERACTIVE: dict[str, tuple[type[BaseModel], Callable[[Json], Json]]] = {
    "button": (kapso.InteractiveButtonsInput, lambda action: {"buttons": [b["reply"] for b in action["buttons"]]}),
    "list": (kapso.InteractiveListInput, _list_values),
    "cta_url": (kapso.InteractiveCtaUrlInput, lambda action: {"parameters": action["parameters"]}),
}
