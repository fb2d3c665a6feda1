"""Whether the WhatsApp templates that the settings name are there, approved, and fit what we send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bot.commands.channels_findings import Findings
from bot.commands.channels_graph import Graph, Json, text
from bot.config import WhatsAppSection

PLACE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
HEADERS_WITH_FILES: Final = ("IMAGE", "VIDEO", "DOCUMENT", "LOCATION")
BUTTONS_WITH_VALUES: Final = ("COPY_CODE", "OTP", "FLOW", "CATALOG", "MPM")


async def check_templates(graph: Graph, settings: WhatsAppSection, findings: Findings) -> None:
    """The template for single messages has one place in its body, numbered; that for news has none."""
    prints = "rangkul channels templates prints one to submit"
    if settings.template_message:
        await _check_template(graph, settings, findings, settings.template_message, {"body": ["1"]})
    else:
        says = "whatsapp.template_message is not set: after 24 hours no answer goes out before the person writes"
        findings.note("template", says, prints)
    if settings.template_news:
        await _check_template(graph, settings, findings, settings.template_news, {})
    else:
        says = "whatsapp.template_news is not set: after 24 hours nobody is asked to write, and staff get a ticket"
        findings.note("template", says, prints)


async def _check_template(
    graph: Graph, settings: WhatsAppSection, findings: Findings, name: str, fits: Mapping[str, list[str]]
) -> None:
    language = settings.template_language
    rows = await graph.listed(f"{settings.waba_id}/message_templates", name=name)
    named = [row for row in rows if text(row, "name") == name]
    row = next((row for row in named if text(row, "language") == language), None)
    if not named:
        findings.wrong("template", f"{name} does not exist", "rangkul channels templates prints what to submit")
    elif row is None:
        languages = ", ".join(sorted(text(one, "language") for one in named))
        todo = "set whatsapp.template_language to one of these, or submit it in that language"
        findings.wrong("template", f"{name} exists in {languages}, not in {language}", todo)
    else:
        _judge_template(f"{name} ({language})", row, fits, findings)


def _judge_template(shown: str, row: Json, fits: Mapping[str, list[str]], findings: Findings) -> None:
    status, category, places = text(row, "status"), text(row, "category"), _places(row)
    if status in ("PENDING", "IN_APPEAL"):
        findings.wrong("template", f"{shown} is {status}", "wait for Meta's review; until then it cannot be sent")
    elif status != "APPROVED":
        todo = "see the reason in WhatsApp Manager, Message templates; mend it there"
        findings.wrong("template", f"{shown} is {status}", todo)
    elif category != "UTILITY":
        todo = "submit it again as Utility, in the words that rangkul channels templates prints"
        findings.wrong("template", f"{shown} is of category {category}", todo)
    elif places != fits:
        says = f"{shown} wants {_counted(places)}; we send {_counted(fits)}"
        findings.wrong("template", says, "submit it as rangkul channels templates prints it")
    else:
        findings.ok("template", f"{shown} is approved, of category {category}, and wants {_counted(places)}")


def _places(row: Json) -> dict[str, list[str]]:
    """What has to be filled in when a template is sent, by its parts: names of places, or kinds of other things."""
    places: dict[str, list[str]] = {}
    for component in row.get("components") or ():
        kind, form = text(component, "type").upper(), text(component, "format").upper()
        wanted = sorted(set(PLACE.findall(text(component, "text"))))
        if kind == "HEADER" and form in HEADERS_WITH_FILES:
            wanted.append(form)
        for button in component.get("buttons") or () if kind == "BUTTONS" else ():
            wanted += PLACE.findall(text(button, "url"))
            wanted += [form for form in BUTTONS_WITH_VALUES if form == text(button, "type").upper()]
        if wanted:
            places[kind.lower()] = wanted
    return places


def _counted(places: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{', '.join(names)} in its {part}" for part, names in places.items()) or "no values"
