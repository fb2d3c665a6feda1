"""Pictures that show what a message says: which ones there are, and what stands in them, as words ready to be drawn.

A picture tells the facts of its message and no others, and holds no whole identity number. It travels as a short text
that names it and its values; who sends the message draws it (`bot/pictures.py`).
"""

from __future__ import annotations

from datetime import date
from typing import TypeAlias

import msgspec

from flows.flow import Copy
from flows.format import long_date, mask_kpj, month_year, rupiah
from flows.model import MemberFacts
from flows.rules.contributions import Amount

ACTIVE = "active"


class Package(msgspec.Struct, frozen=True):
    """What one package costs a month, and of what; `usually` is its price without a discount, '' when that is it."""

    title: str
    total: str
    rows: tuple[tuple[str, str], ...]
    usually: str = ""


class ContributionTable(msgspec.Struct, frozen=True, tag="contribution_table", tag_field="picture"):
    """What a month costs, package by package."""

    title: str
    about: str
    packages: tuple[Package, ...]
    note: str = ""


class MembershipCard(msgspec.Struct, frozen=True, tag="membership_card", tag_field="picture"):
    """How a member is protected. `covers` are the programmes; they count only while `active`."""

    title: str
    name: str
    status: str
    active: bool
    covers: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    note: str


Picture: TypeAlias = ContributionTable | MembershipCard

_decoder: msgspec.json.Decoder[Picture] = msgspec.json.Decoder(ContributionTable | MembershipCard)


def name_of(picture: Picture) -> str:
    """The text by which a message names its picture."""
    return msgspec.json.encode(picture).decode()


def picture_named(text: str) -> Picture:
    """The picture that a message names. Raises ValueError for anything else."""
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError("names no picture") from error


def contribution_table(copy: Copy, *, income: int, month: date, two: Amount, three: Amount) -> ContributionTable:
    """The table for both packages of one income."""
    discount = three.discount
    note = ""
    if discount:
        until = month_year(discount.last_month)
        note = copy.label("label/picture_discount", share=str(discount.share), until=until)
    return ContributionTable(
        title=copy.label("label/picture_contribution", month=month_year(month)),
        about=copy.label("label/picture_income", income=rupiah(income)),
        packages=(
            _package(copy, "package_basic", two, ("jkk", "jkm"), discounted=discount is not None),
            _package(copy, "package_full", three, ("jkk", "jkm", "jht"), discounted=discount is not None),
        ),
        note=note,
    )


def _package(copy: Copy, label: str, amount: Amount, programmes: tuple[str, ...], *, discounted: bool) -> Package:
    rows = tuple((copy.label(f"label/picture_{name}"), rupiah(getattr(amount, name))) for name in programmes)
    usually = copy.label("label/picture_usually", amount=rupiah(amount.normal_total)) if discounted else ""
    return Package(copy.label(f"label/{label}"), rupiah(amount.total), rows, usually)


def membership_card(copy: Copy, member: MemberFacts, *, today: date) -> MembershipCard | None:
    """The card of a member; None for somebody who never paid, for whom there is nothing to show."""
    if member.paid_until is None:
        return None
    active = member.status == ACTIVE
    return MembershipCard(
        title=copy.label("label/picture_membership"),
        name=member.name,
        status=copy.label("label/picture_active" if active else "label/picture_inactive"),
        active=active,
        covers=tuple(copy.label(f"label/picture_{name.lower()}") for name in member.programmes),
        lines=(
            (copy.label("label/picture_paid_until"), month_year(member.paid_until)),
            (copy.label("label/picture_kpj"), mask_kpj(member.kpj)),
        ),
        note=copy.label("label/picture_as_of", day=long_date(today)),
    )
