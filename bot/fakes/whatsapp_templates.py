"""Templates: whether one may be sent with these parameters, what it says then, and how it is listed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.fakes.whatsapp_errors import GraphError
from bot.fakes.whatsapp_fields import a_string, objects, only
from bot.fakes.whatsapp_records import Json, Tap, Template

PLACE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
MAX_TEXT: Final = 1024
UNSENDABLE: Final[Mapping[str, int]] = {"PAUSED": 132015, "DISABLED": 132016}


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with its parameters in place."""

    template: Template
    text: str
    taps: tuple[Tap, ...]


def fill(templates: list[Template], part: Json) -> Filled:
    """The template a checked part names, its text with the parameters in place, and its buttons.

    Raises GraphError 132001 (missing, or not approved), 132015, 132016, 132000 (count), 132012, 132005, 100.
    """
    template = _find(templates, part)
    components = objects(part, "components", "template", most=20, least=0) if part.get("components") else []
    values: dict[str, dict[str, str]] = {"header": {}, "body": {}}
    buttons: dict[int, Json] = {}
    for component in components:
        only(component, ("type", "parameters", "sub_type", "index"), "components")
        kind = str(component.get("type", "")).lower()
        if kind == "button":
            buttons[_index(component)] = component
        elif kind in values:
            values[kind] = _values(component)
        else:
            raise GraphError(132012, f"components['type'] {kind} is unknown")
    pieces = [_filled(template.header, values["header"], "header"), _filled(template.body, values["body"], "body")]
    taps = _taps(template, buttons)
    return Filled(template, "\n".join(piece for piece in (*pieces, template.footer) if piece), taps)


def listed(template: Template, number: int) -> Json:
    """As `GET /{waba_id}/message_templates` shows it."""
    components: list[Json] = [{"type": "BODY", "text": template.body}]
    if template.header:
        components.insert(0, {"type": "HEADER", "format": "TEXT", "text": template.header})
    if template.footer:
        components.append({"type": "FOOTER", "text": template.footer})
    buttons: list[Json] = [{"type": "QUICK_REPLY", "text": text} for text in template.quick_replies]
    buttons += [{"type": "URL", "text": text, "url": url} for text, url in template.url_buttons]
    if buttons:
        components.append({"type": "BUTTONS", "buttons": buttons})
    named = any(not place.isdigit() for place in PLACE.findall(template.body))
    return {
        "id": str(910_000_000_000_000 + number),
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "parameter_format": "NAMED" if named else "POSITIONAL",
        "components": components,
    }


def _find(templates: list[Template], part: Json) -> Template:
    name, code = part["name"], part["language"]["code"]
    for template in templates:
        if (template.name, template.language) == (name, code):
            if template.status in UNSENDABLE:
                raise GraphError(UNSENDABLE[template.status], f"Template {name} ({code}) is {template.status.lower()}")
            if template.status == "APPROVED":
                return template
    raise GraphError(132001, f"template name ({name}) does not exist in {code}")


def _values(component: Json) -> dict[str, str]:
    """Parameters by the name of their place: the given one, or their position from 1."""
    values = {}
    parameters = objects(component, "parameters", "components", most=50, least=0)
    for position, parameter in enumerate(parameters, start=1):
        only(parameter, ("type", "text", "parameter_name"), "parameters")
        if parameter.get("type") != "text":
            raise GraphError(132012, f"parameters['type'] {parameter.get('type')} does not fit a text place")
        text = a_string(parameter, "text", "parameters", most=32_768)
        if re.search(r"[\n\t]| {5}", text):
            raise GraphError(100, "Param text cannot hold line breaks, tabs or more than 4 spaces in a row")
        values[str(parameter.get("parameter_name") or position)] = text
    return values


def _filled(pattern: str, values: dict[str, str], where: str) -> str:
    places = set(PLACE.findall(pattern))
    if len(values) != len(places):
        raise GraphError(132000, f"{where}: {len(values)} parameters given, {len(places)} expected")
    if set(values) != places:
        raise GraphError(100, f"{where}: parameter names do not fit the template")
    text = PLACE.sub(lambda match: values[match.group(1)], pattern)
    if len(text) > MAX_TEXT:
        raise GraphError(132005, f"{where} has {len(text)} characters when filled in. Max {MAX_TEXT}")
    return text


def _index(component: Json) -> int:
    index = str(component.get("index", ""))
    if not index.isdecimal():
        raise GraphError(131008, "The parameter components['index'] is required")
    return int(index)


def _taps(template: Template, given: dict[int, Json]) -> tuple[Tap, ...]:
    taps = []
    count = len(template.quick_replies) + len(template.url_buttons)
    if any(index >= count for index in given):
        raise GraphError(132000, f"buttons: index {max(given)} given, {count} buttons exist")
    for index, title in enumerate(template.quick_replies):
        taps.append(Tap(title, _button_value(given.get(index), "quick_reply", "payload") or title, "quick_reply"))
    for index, (title, url) in enumerate(template.url_buttons, start=len(template.quick_replies)):
        value = _button_value(given.get(index), "url", "text")
        if bool(PLACE.search(url)) != (value is not None):
            raise GraphError(132000, f"buttons: the address of {title} and its parameter do not fit")
        taps.append(Tap(title, PLACE.sub(value or "", url), "link"))
    return tuple(taps)


def _button_value(component: Json | None, sub_type: str, key: str) -> str | None:
    if component is None:
        return None
    if str(component.get("sub_type", "")).lower() != sub_type:
        raise GraphError(132012, f"buttons: sub_type {component.get('sub_type')} does not fit, {sub_type} expected")
    (parameter,) = objects(component, "parameters", "components", most=1)
    if parameter.get("type") != key:
        raise GraphError(132012, f"buttons: a parameter of type {key} expected")
    return a_string(parameter, key, "parameters", most=2000)
