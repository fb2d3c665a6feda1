"""Proving to be a member, by the one policy of docs/security/identity.md: possession, the NIK, one more fact.

Possession is a phone that the channel vouches for and that stands on the member's record; a helper's phone
proves nothing. All failures sound alike, member or not. No code is ever asked for.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, Literal

from flows.flow import Ask, Checked, Fill, Leave, Rejected, View
from flows.model import (
    Effect,
    IdentityCheck,
    IdentityResult,
    MemberById,
    MemberFacts,
    OpenTicket,
    Proof,
    RecordIdentityTry,
    Say,
    Value,
)
from nlu.values import Reading, Refusal, read

_LAST4 = 4
_FORGOTTEN = re.compile(
    r"\b(lupa|hilang|ilang|(ga|gak|nggak|tidak|tdk|ndak) (tau|tahu|ada|inget|ingat|punya|hafal|hapal))\b"
)


def has_proof(view: View) -> bool:
    """Whether this sender proved to be a member a short while ago."""
    return view.proof is not None and view.proof.until > view.turn.now


def needs_proof(view: View) -> bool:
    return not has_proof(view)


def require_possession(view: View) -> Leave | None:
    """Without a phone that the channel vouches for nothing about a member is told; ways to go on are."""
    if has_proof(view) or view.turn.sender.phone or _can_share_phone(view):
        return None
    hides_phone = view.turn.sender.channel == "whatsapp"
    return Leave((Say("identity/no_number" if hides_phone else "identity/no_possession"),))


def _can_share_phone(view: View) -> bool:
    """Whether the channel vouches for a number that the person shares with its own button."""
    return view.turn.sender.channel == "telegram"


def _must_share_phone(view: View) -> bool:
    return needs_proof(view) and not view.turn.sender.phone and _can_share_phone(view)


def _check_own_phone(view: View, value: Value, _: Reading | None) -> Checked:
    """A typed number proves nothing; one that was shared is vouched for from this very message on."""
    if view.turn.sender.phone != value:
        return Rejected("identity/share_not_typed")
    return Fill({"own_phone": value})


def proved_member(view: View) -> MemberFacts:
    """The record of the member that this sender has proved to be."""
    assert view.proof
    member = view.fact(MemberById(view.proof.member))
    assert isinstance(member, MemberFacts)
    return member


def _known_fact(view: View, text: str) -> tuple[Literal["kpj_last4", "last_paid"], str] | None:
    """Four digits of the card, or the month of the last payment as YYYY-MM."""
    digits = "".join(text.split())
    if digits.isdecimal() and len(digits) == _LAST4:
        return "kpj_last4", digits
    kpj = read("kpj", text, today=view.today)
    if isinstance(kpj, Reading):
        return "kpj_last4", str(kpj.value)[-_LAST4:]
    month = read("month", text, today=view.today)
    if not isinstance(month, Refusal):
        return "last_paid", str(month.value)
    return None


def _check_fact(view: View, value: Value, _: Reading | None) -> Checked:
    known = _known_fact(view, str(value))
    if known is None and _FORGOTTEN.search(str(value).lower()):
        return Rejected("identity/fact_unknown")
    if known is None:
        return Rejected("identity/fact_unreadable")
    result = view.fact(IdentityCheck(view.text("nik"), view.turn.sender.phone or "", known[0], known[1]))
    assert isinstance(result, IdentityResult)
    if result.outcome == "proved":
        return Fill({"identity_fact": True, "proved_member": result.member})
    return Leave((Say("identity/failed"),), _failure_effects(view, result))


def _failure_effects(view: View, result: IdentityResult) -> tuple[Effect, ...]:
    """The try is recorded whatever was wrong; staff are alerted once when many fail on one number."""
    tried = RecordIdentityTry(view.text("nik"), proved=False)
    if result.failures + 1 != view.settings.many_failures:
        return (tried,)
    alert = OpenTicket(view.fresh_code(), "identity_alert", view.copy.label("label/identity_alert"), priority="urgent")
    return (tried, alert)


def proof_of(view: View) -> Proof | None:
    """The proof that a finished task carries into the session."""
    member = view.text("proved_member")
    if not member:
        return view.proof
    return Proof(member, view.turn.now + timedelta(minutes=view.settings.proof_minutes))


IDENTITY_STEPS: Final = (
    Ask("own_phone", "phone", when=_must_share_phone, check=_check_own_phone, key="identity/ask_own_phone",
        counted=False, fresh=True),
    Ask("nik", "nik", when=needs_proof, entity="nik", names=("nik", "ktp", "nomor ktp"), form=True, fresh=True,
        key="identity/ask_nik", clears=("identity_fact",)),
    Ask("identity_fact", "free", when=needs_proof, check=_check_fact, key="identity/ask_fact"),
)  # fmt: skip
