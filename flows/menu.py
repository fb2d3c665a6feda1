"""The menu, and how one is greeted."""

from __future__ import annotations

from typing import Final

from flows.flow import View
from flows.model import Option
from flows.wording import plain
from flows.work import Work

MENU: Final = (
    "enroll",
    "check_balance",
    "pay_contribution",
    "calculate_contribution",
    "report_accident",
    "file_complaint",
    "check_ticket",
    "request_assistance",
    "talk_to_staff",
)


def show_menu(work: Work) -> None:
    """All that can be done here; an open task is kept and can be gone on with."""
    options = menu_options(work)
    if work.tasks:
        options = (work.option("go_on", "resume"), *options[:-1], options[-1])
    work.ask("engine/menu", options=options)


def menu_options(work: Work) -> tuple[Option, ...]:
    return tuple(work.option(f"menu_{intent}", f"start:{intent}") for intent in MENU)


def greet(work: Work, text: str) -> None:
    key = "engine/greet_again" if work.greeted else "engine/greet"
    work.greeted = True
    work.ask(key, args={"hail": hail(work, text), "who": introduction(work)}, options=menu_options(work))


def hail(work: Work, text: str) -> str:
    """A salam is returned as a salam."""
    said = plain(text)
    salam = any(word in said for word in ("assalam", "asalam", "samlekum", "samlikum", "aslkm", "askum"))
    return work.copy.label("label/salam" if salam else "label/hello")


def introduction(view: View) -> str:
    """Who runs the service; a trial says that it is one, and not the institution."""
    if view.settings.trial:
        return view.copy.label("label/trial")
    return view.copy.label("label/run_by", operator=view.settings.operator)
