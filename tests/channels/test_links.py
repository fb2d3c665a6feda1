"""Deep links: what is printed on a poster opens one task, and nothing that somebody makes up does."""

from __future__ import annotations

import re

import pytest

from bot.channels.links import Links
from storage.keyring import Keyring

FLOWS = ("enroll", "file_complaint", "check_balance")


def _keys(lookup: int) -> Keyring:
    return Keyring.from_keys({"a": bytes([1]) * 32}, "a", bytes([lookup]) * 32)


def test_a_payload_leads_to_its_task_and_fits_every_platform() -> None:
    """16 signs that Telegram takes in a link; the same ones for the same key, so that posters stay good."""
    links, later = Links(_keys(2), FLOWS), Links(_keys(2), FLOWS)
    for flow in FLOWS:
        assert links.flow_of(links.payload_of(flow)) == flow
        assert re.fullmatch(r"[A-Za-z0-9_-]{16}", links.payload_of(flow))
        assert later.payload_of(flow) == links.payload_of(flow)


@pytest.mark.parametrize("payload", ["", "enroll", "A" * 16, "😀"])
def test_a_payload_that_is_not_ours_leads_nowhere(payload: str) -> None:
    """Not even the plain name of a task does."""
    assert Links(_keys(2), FLOWS).flow_of(payload) == ""


def test_another_key_makes_other_payloads() -> None:
    """Nobody can make one without our key; a task that no link may open has none."""
    assert Links(_keys(3), FLOWS).flow_of(Links(_keys(2), FLOWS).payload_of("enroll")) == ""
    with pytest.raises(KeyError):
        Links(_keys(2), FLOWS).payload_of("talk_to_staff")
