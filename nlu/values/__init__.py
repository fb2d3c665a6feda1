"""Readers of Indonesian values: what somebody answered, as a value with its doubts or a refusal with its reason.

`read(kind, text, today=…)` is the one way in; each kind has a module of its own. `sentences.read_in_sentence`
finds values in a whole
sentence. All of it is deterministic, knows the day only from `today`, and raises on no text.
"""

from collections.abc import Sequence
from datetime import date

from nlu.values.affirm import read_affirm_deny
from nlu.values.choices import read_choice
from nlu.values.codes import read_ticket_code
from nlu.values.counts import read_count
from nlu.values.dates import read_date
from nlu.values.kpj import read_kpj
from nlu.values.money import read_money
from nlu.values.months import read_duration_months, read_month
from nlu.values.names import read_person_name
from nlu.values.nik import NikFacts, nik_facts, read_nik
from nlu.values.occupations import read_occupation
from nlu.values.phones import read_phone
from nlu.values.reading import Reading, Refusal
from nlu.values.regions import read_region

__all__ = ["KINDS", "NikFacts", "Reading", "Refusal", "nik_facts", "read"]

KINDS: frozenset[str] = frozenset(
    {
        "money", "date", "count", "duration_months", "phone", "nik", "kpj", "affirm_deny", "choice", "person_name",
            "occupation",
        "region", "month", "ticket_code",
    }
)  # fmt: skip

_BY_TEXT = {
    "money": read_money,
    "count": read_count,
    "duration_months": read_duration_months,
    "phone": read_phone,
    "kpj": read_kpj,
    "affirm_deny": read_affirm_deny,
    "person_name": read_person_name,
    "occupation": read_occupation,
    "region": read_region,
    "ticket_code": read_ticket_code,
}


def read(kind: str, text: str, *, today: date, options: Sequence[str] = ()) -> Reading | Refusal:
    """The value of `kind` in `text`.

    `today` is the person's present day, which relative dates, months without a year and the century of a NIK depend on.
    `options` are the labels offered, in order, for kind "choice". Raises ValueError for a kind that is not in `KINDS`.
    """
    by_text = _BY_TEXT.get(kind)
    if by_text is not None:
        return by_text(text)
    if kind == "date":
        return read_date(text, today=today)
    if kind == "month":
        return read_month(text, today=today)
    if kind == "nik":
        return read_nik(text, today=today)
    if kind == "choice":
        return read_choice(text, options)
    raise ValueError(f"unknown kind of value: {kind}")
