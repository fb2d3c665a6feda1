"""What every channel is to the program: how it sends, what its platform takes, and what it may refuse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from flows.model import Media
from storage.inbox import Accepted, Event
from storage.outbox import Outgoing, Rendered
from storage.pacing import Pace

Draw: TypeAlias = Callable[[Rendered], Awaitable[bytes | None]]
"""Makes the picture (PNG) that a message names; None when there is none, and its words go out alone."""

TakeIn: TypeAlias = Callable[[Sequence[Event]], Awaitable[list[Accepted]]]
"""Stores all events in one commit; when it returns, they are on disk. Raises Unavailable or Conflict."""


class SendError(Exception):
    """A channel could not send. `word` says why in one word for the record, such as `throttled` or `blocked`.

    permanent: trying this message again cannot help; it is parked and staff are told.
    retry_at: not before this moment, as the platform said; None when it did not say.
    uncertain: the platform may have taken it all the same.
    unreachable: nothing reaches this person until they write again; what is for them waits.
    pauses: the whole channel sends nothing for so long, and the message does not count as tried.
    alerts: staff and operators must be told, for it does not mend by itself (a token that is no longer good).
    waits_for_person: the platform takes nothing free for this person until they write.
    outage: the platform itself is in trouble; that is waited out for a day before the message is given up.
    """

    def __init__(
        self,
        word: str,
        *,
        permanent: bool = False,
        retry_at: datetime | None = None,
        uncertain: bool = False,
        unreachable: bool = False,
        pauses: timedelta | None = None,
        alerts: bool = False,
        waits_for_person: bool = False,
        outage: bool = False,
    ) -> None:
        super().__init__(word)
        self.word = word
        self.permanent = permanent
        self.retry_at = retry_at
        self.uncertain = uncertain
        self.unreachable = unreachable
        self.pauses = pauses
        self.alerts = alerts
        self.waits_for_person = waits_for_person
        self.outage = outage


class FetchError(Exception):
    """A file could not be had from the platform now; worth another try."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file from the platform. `problem` is '' or that of `flows.model.Media`: then `data` is empty."""

    data: bytes = b""
    mime: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a platform takes. Lengths as `bot.fitting.length` counts them: UTF-16 units.

    `max_chars` of a message, `max_chars_asking` of one with options, `max_caption` under a picture (0: no pictures).
    Up to `max_buttons` options are buttons, up to `max_rows` rows of a list (0: no lists), beyond that lines of text.
    `ids_by_link`: identity numbers are asked for by a link to our one-field page, never in the chat. `merges`: what is
    said in one go becomes one message where it fits. `names_staff`: a message shows no author, so the words of staff
    begin with whose they are. `deletes`: the bot may delete what the person wrote. `shares`: has buttons of its own for
    the person's contact and place.
    """

    max_chars: int = 1_000_000
    max_chars_asking: int = 1_000_000
    max_caption: int = 0
    max_buttons: int = 1_000
    max_rows: int = 0
    ids_by_link: bool = False
    merges: bool = False
    names_staff: bool = False
    deletes: bool = False
    shares: bool = False


ANYTHING: Final = Traits()
"""A channel of our own: it shows whatever there is."""


class Channel:
    """Where people are reached. A channel of a platform overrides what differs; the defaults fit one of our own.

    `reads_outbox`: its far end reads the outbox itself, so what is stored is sent. `confirms_within`: the platform
    tells later which messages it has taken; one whose sending ended in doubt is not sent again before that.
    `has_windows`: the platform takes free messages only for so long after the person wrote; `invites`: then it can ask
    them to write.
    """

    name: str
    reads_outbox: bool = False
    confirms_within: timedelta = timedelta(0)
    has_windows: bool = False
    invites: bool = False

    async def send(self, outgoing: Outgoing) -> str:
        """Returns when the platform has taken the message: its name there, '' when it has none. Raises SendError.

        It may be called again with the same row (its `id` stays) after a crash between the two.
        """
        raise NotImplementedError

    async def fetch(self, media: Media) -> Fetched:
        """The file that the platform keeps for `media.source`. Raises FetchError."""
        raise NotImplementedError

    def can_reach_shut_out(self, outgoing: Outgoing) -> bool:
        """Whether this message may go out to a person whose window is closed, within an approved template."""
        return False

    async def send_shut_out(self, outgoing: Outgoing) -> str:
        """The same as `send`, for a person whose window is closed. Raises SendError."""
        raise NotImplementedError

    async def invite(self, outgoing: Outgoing) -> str:
        """Asks a person whose window is closed to write, by an approved template, as `send` does. Raises SendError."""
        raise NotImplementedError

    def paces(self, address: str) -> Sequence[Pace]:
        """Which limits one message to this address counts against, the channel's own first; none: no limit."""
        return ()
