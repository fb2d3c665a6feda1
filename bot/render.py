"""From what a decision says to the neutral message that is stored and sent: words from the copy, options as buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from flows.copybook import CopyBook
from flows.model import Content, Decision, DeleteMessage, Effect, Say, StaffAction
from flows.options import task_begun
from flows.private import deletion_of
from storage.outbox import Button, Rendered

STAFF_REPLY: Final = "staff/reply"
BY_LINK: Final = "@link"
"""Ends the key of a question's words for channels where identity numbers are never asked for in the chat."""
LINK_LINE: Final = "engine/link_line"
OFFER_DELETE: Final = "engine/offer_delete"


LinkFor: TypeAlias = Callable[[str, int], str]
"""Makes a link to our one-field page for a slot and the number of its question."""


def messages_of(
    copy: CopyBook, decision: Decision, content: Content, *, link_for: LinkFor | None = None
) -> tuple[Rendered, ...]:
    """The messages of a decision in order, each with its author: the bot, or the staff member who wrote it.

    With `link_for`, what the one-field page can take is asked for by a link to it.
    Raises `flows.copybook.MissingCopyError` for a key or an argument that the copy lacks.
    """
    return tuple(
        message for effect in decision.effects if (message := _message(copy, effect, content, link_for)) is not None
    )


def _message(copy: CopyBook, effect: Effect, content: Content, link_for: LinkFor | None) -> Rendered | None:
    match effect:
        case Say(key=key) if isinstance(content, StaffAction) and key == STAFF_REPLY:
            return staff_words(effect, content)
        case Say(form=form) if form and link_for:
            return _asking_by_link(copy, effect, link_for(form, effect.number))
        case Say():
            return rendered(copy, effect)
        case DeleteMessage(ref=ref):
            return Rendered(key="", text="", delete=ref)
        case _:
            return None


def _asking_by_link(copy: CopyBook, say: Say, link: str) -> Rendered:
    """The question in the words for a link, where it has such; else in its own, and the link below."""
    args = {**say.args, "link": link}
    variant = f"{say.key}{BY_LINK}"
    if copy.has(variant):
        text = copy.render(msgspec.structs.replace(say, key=variant, args=args))
    else:
        text = f"{copy.render(say)}\n{copy.render(Say(LINK_LINE, {'link': link}))}"
    return msgspec.structs.replace(rendered(copy, say), text=text, link=link)


def staff_words(say: Say, action: StaffAction) -> Rendered:
    """A staff member's own words, exactly as written; whose they are stands beside them, for the channel to show."""
    return Rendered(key=say.key, text=action.text, numbered=False, author=action.staff_name)


def rendered(copy: CopyBook, say: Say) -> Rendered:
    """One message with its words. A button's payload carries the number of its question, so an old press is known."""
    return Rendered(
        key=say.key,
        text=copy.render(say),
        options=tuple(
            Button(option.title, payload_of(say.number, place, task_begun(option)))
            for place, option in enumerate(say.options)
        ),
        numbered=say.numbered,
        form=say.form,
        wants=say.wants,
        page=say.page,
        picture=say.picture,
    )


def payload_of(number: int, place: int, task: str = "") -> str:
    """What a button carries: `7.0` is the first option of question 7. Short enough for every channel.

    One that begins a task names it, `7.0.enroll`, and does so also when its question is long past.
    """
    return f"{number}.{place}.{task}" if task else f"{number}.{place}"


def offer_delete(copy: CopyBook, messages: Sequence[Rendered], ref: str, now: datetime) -> tuple[Rendered, ...]:
    """The messages with an offer to take the person's own one, named `ref`, out of the chat."""
    offer = Rendered(OFFER_DELETE, copy.render(Say(OFFER_DELETE)))
    button = Button(copy.label("label/delete_message"), deletion_of(ref, now))
    *before, last = messages or (offer,)
    if last.wants:
        return (msgspec.structs.replace(offer, options=(button,), numbered=False), *messages)
    with_button = msgspec.structs.replace(last, options=(*last.options, button))
    return (offer, *before, with_button) if messages else (with_button,)
