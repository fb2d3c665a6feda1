"""How the program asks an engine: one that runs in the process at once, one that lives elsewhere by waiting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date

from bot.clock import Clock
from bot.config import NluSection
from nlu.embedded.train import ensure_trained
from nlu.understand import Understander, load_embedded
from nlu.understanding import Understanding


class Elsewhere(ABC):
    """An engine in another process. It is an `Understander` too: `parse` answers without asking over there."""

    __slots__ = ()

    @abstractmethod
    async def understand(self, text: str, *, today: date) -> Understanding:
        """The reading of `text`, after a bounded wait. Never raises, whatever the text or the other process does."""

    @abstractmethod
    def parse(self, text: str, *, today: date) -> Understanding:
        """The reading of `text`, at once."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of connections."""


async def understood(engine: Understander, text: str, *, today: date) -> Understanding:
    """What `text` was taken to mean. Gives the event loop away only for an engine that lives elsewhere."""
    if isinstance(engine, Elsewhere):
        return await engine.understand(text, today=today)
    return engine.parse(text, today=today)


def open_engine(settings: NluSection, clock: Clock) -> Understander:
    """The engine that the settings name, trained if it has to be. Raises `TrainingFailed` and `ModelFileError`."""
    embedded = load_embedded(ensure_trained(settings.cache_dir))
    if settings.engine == "embedded":
        return embedded
    from bot.loopback import Loopback
    from bot.rasa import Rasa, RasaWithUnderstudy

    rasa = Rasa(Loopback(settings.rasa_url), embedded, settings.rasa_timeout_ms / 1000)
    return RasaWithUnderstudy(rasa, clock)


def close_engine(engine: Understander) -> None:
    """Lets go of what an engine holds."""
    if isinstance(engine, Elsewhere):
        engine.close()
