"""All tasks by name."""

from __future__ import annotations

from flows.calculate_contribution import CALCULATE_CONTRIBUTION
from flows.check_ticket import CHECK_TICKET
from flows.copybook import load_copy
from flows.enroll import ENROLL
from flows.file_complaint import FILE_COMPLAINT
from flows.membership import CHECK_BALANCE, CHECK_MEMBERSHIP
from flows.requests import REQUEST_FLOWS
from flows.settings import Settings
from flows.talk_to_staff import TALK_TO_STAFF
from flows.work import Flows

ALL_FLOWS = (
    ENROLL,
    CHECK_BALANCE,
    CHECK_MEMBERSHIP,
    CALCULATE_CONTRIBUTION,
    FILE_COMPLAINT,
    CHECK_TICKET,
    TALK_TO_STAFF,
    *REQUEST_FLOWS,
)


def load_flows(settings: Settings) -> Flows:
    """Tasks, words and limits, ready for `decide`. Raises CopyError when the copy cannot be used."""
    return Flows({flow.name: flow for flow in ALL_FLOWS}, load_copy(), settings)
