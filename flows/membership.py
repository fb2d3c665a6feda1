"""check_balance and check_membership: what is told to somebody who has proved to be the member, and nobody else."""

from __future__ import annotations

import re

from flows.flow import Flow, Leave, Outcome, View
from flows.format import mask_kpj, month_year, rupiah_long
from flows.identity import IDENTITY_STEPS, proof_of, proved_member, require_possession
from flows.model import Effect, Known, MemberById, MemberFacts, MyTickets, RecordIdentityTry, Say
from flows.pictures import ACTIVE, membership_card, name_of
from flows.wording import plain

_SHOWN_PAYMENTS = 3
_ABOUT_SIGN_UP = re.compile(r"\b(pendaftaran|permohonan)(nya)?\b")


def _member(view: View) -> MemberFacts:
    proved = view.text("proved_member")
    if not proved:
        return proved_member(view)
    member = view.fact(MemberById(proved))
    assert isinstance(member, MemberFacts)
    return member


def _outcome(view: View, member: MemberFacts, says: tuple[Say, ...]) -> Outcome:
    tried: tuple[Effect, ...] = ()
    if view.text("proved_member"):
        tried = (RecordIdentityTry(view.text("nik"), proved=True),)
    known = Known(member.name, member.sex, view.known.region)
    return Outcome((*tried, *says), known=known, proof=proof_of(view))


def tell_balance(view: View) -> Outcome:
    """The JHT balance, or that this member has no savings programme."""
    member = _member(view)
    name = member.name.split()[0]
    if "JHT" not in member.programmes:
        return _outcome(view, member, (Say("check_balance/no_savings", {"name": name}),))
    args = {"name": name, "balance": rupiah_long(member.jht_balance), "kpj": mask_kpj(member.kpj)}
    return _outcome(view, member, (Say("check_balance/balance", args),))


def tell_membership(view: View) -> Outcome:
    """Whether cover is active, until when, and the last payments; a card shows the same where there are pictures."""
    member = _member(view)
    payments = sorted(member.contributions, key=lambda paid: paid.month, reverse=True)[:_SHOWN_PAYMENTS]
    args = {
        "name": member.name.split()[0],
        "programmes": ", ".join(member.programmes),
        "until": month_year(member.paid_until) if member.paid_until else view.copy.label("label/never_paid"),
        "kpj": mask_kpj(member.kpj),
    }
    card = membership_card(view.copy, member, today=view.today)
    state = "active" if member.status == ACTIVE else "inactive"
    says = [Say(f"check_membership/{state}", args, picture=name_of(card) if card else "")]
    if payments:
        lines = "\n".join(f"• {month_year(paid.month)}: {rupiah_long(paid.amount)}" for paid in payments)
        says.append(Say("check_membership/payments", {"lines": lines}))
    return _outcome(view, member, tuple(says))


CHECK_BALANCE = Flow(name="check_balance", steps=IDENTITY_STEPS, finish=tell_balance, enter=require_possession)


def _enter_membership(view: View) -> Leave | None:
    """Whoever asks about a sign-up that they sent is told of it, and need not prove to be a member."""
    if _ABOUT_SIGN_UP.search(plain(view.opening)):
        mine = view.fact(MyTickets())
        applications = [sent for sent in mine if sent.kind == "application"] if isinstance(mine, tuple) else []
        if len(applications) == 1:
            return Leave((), then="check_ticket", then_slots={"ticket_code": applications[0].code}, completed=True)
        if applications:
            return Leave((), then="check_ticket", completed=True)
    return require_possession(view)


CHECK_MEMBERSHIP = Flow(name="check_membership", steps=IDENTITY_STEPS, finish=tell_membership, enter=_enter_membership)
