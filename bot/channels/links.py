"""Deep links: a printed code or a link opens one task. It carries a name that only we can make and read."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Final

from storage.keyring import Keyring

PAYLOAD_BYTES: Final = 12
"""16 characters of base64. Telegram allows 64 of A-Z, a-z, 0-9, _ and - (core.telegram.org/api/links)."""


class Links:
    """The payloads of the tasks that a link may open. They stay the same as long as the look-up key does."""

    def __init__(self, keys: Keyring, flows: Iterable[str]) -> None:
        self._payloads = {flow: _payload(keys, flow) for flow in flows}
        self._flows = {payload: flow for flow, payload in self._payloads.items()}

    def payload_of(self, flow: str) -> str:
        """What a link to this task carries. Raises KeyError for a task that no link may open."""
        return self._payloads[flow]

    def flow_of(self, payload: str) -> str:
        """The task that a link opens; '' for a payload that is not ours."""
        return self._flows.get(payload, "")


def _payload(keys: Keyring, flow: str) -> str:
    return base64.urlsafe_b64encode(keys.lookup("deep_link", flow)[:PAYLOAD_BYTES]).decode("ascii")
