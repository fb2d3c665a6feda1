"""Two requests in one message. Conservative: a story with a request in it stays one message."""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from nlu.normalise import normalise
from nlu.understanding import Part, Ranked

Ranking: TypeAlias = tuple[Ranked, ...]
Rank: TypeAlias = Callable[[str], Ranking]

#: Where one request may end and another begin.
_BOUNDARY = re.compile(
    r"[.?!;\n]+(?=\s|\Z)|,(?=\s)"
    r"|\b(?:dan|terus|trus|trs|lalu|sama|sm|sekalian|skalian|serta|plus|abis itu|habis itu|setelah itu|satu lagi"
    r"|oh ya|oh iya|oya|jeung|lan|karo)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
#: What asks for something, in the words that normalising leaves: a wish, an order, a question.
_ASKS = re.compile(
    r"\?|\b(?:mau|minta|mohon|tolong|lihat|berapa|gimana|dimana|mana|apa|apakah|kapan|siapa|bisa|boleh|cara|tanya|daftar"
    r"|ganti|syarat|berapa lama|kenapa|sudah|status|hitung|bayar)\b"
)

#: What is said around a request and asks for nothing itself.
_COURTESIES: Final = frozenset({"greet", "thank", "goodbye", "affirm", "bot_challenge"})
#: Intents that may stand as one of several requests; besides them every `faq/` topic.
_REQUESTS: Final = frozenset(
    {
        "enroll",
        "check_balance",
        "check_membership",
        "pay_contribution",
        "calculate_contribution",
        "file_complaint",
        "check_ticket",
        "report_accident",
        "report_death",
        "pledge",
        "check_pledge",
        "request_assistance",
        "update_profile",
        "find_office",
        "privacy_request",
        "opt_out",
    }
)
#: What tells of something that happened. Its sentences hint at other intents ("sudah bayar, kok saldo kosong").
_TOLD: Final = frozenset({"file_complaint", "report_accident", "report_death", "request_assistance"})

#: Near neighbours: one wish, said in two ways, reads as both.
_ONE_WISH: Final = (
    frozenset({"privacy_request", "opt_out"}),
    frozenset({"check_pledge", "faq/donation_usage"}),
    frozenset({"enroll", "faq/who_can_join"}),
    frozenset({"faq/age_limit", "faq/who_can_join"}),
    frozenset({"faq/difference_bpjs_kesehatan", "faq/what_is_bpjstk"}),
    frozenset({"faq/program_jkm", "faq/family_covered"}),
    frozenset({"check_pledge", "check_ticket"}),
    frozenset({"check_pledge", "check_membership"}),
    frozenset({"pledge", "pay_contribution"}),
    frozenset({"faq/data_safety", "privacy_request"}),
    frozenset({"faq/stop_membership", "privacy_request"}),
    frozenset({"check_membership", "faq/late_payment"}),
    frozenset({"check_membership", "faq/payment_deadline"}),
    frozenset({"check_balance", "faq/program_jht"}),
    frozenset({"faq/claim_jht", "faq/requirements"}),
    frozenset({"faq/claim_jkk", "faq/requirements"}),
    frozenset({"faq/claim_jkm", "faq/requirements"}),
    frozenset({"faq/complaint_process", "faq/requirements"}),
    frozenset({"faq/donation_usage", "faq/service_cost"}),
    frozenset({"faq/jmo_app", "faq/who_can_join"}),
    frozenset({"faq/difference_bpjs_kesehatan", "faq/multiple_jobs"}),
    frozenset({"check_balance", "calculate_contribution"}),
    frozenset({"pay_contribution", "faq/late_payment"}),
)

#: How sure each request must be to stand for itself, and to outweigh the thanks that the whole message reads as.
_SURE: Final = 0.8
_SURE_BESIDE_COURTESY: Final = 0.85
_LONGEST_WORDS: Final = 30
_FEWEST_WORDS: Final = 2
_FEWEST_PARTS: Final = 2
_MOST_PARTS: Final = 3
_MOST_PIECES: Final = 5


def parts_of(text: str, whole: Ranking, rank: Rank) -> tuple[Part, ...]:
    """The requests of `text` in their order, when there are two or three different ones beyond doubt; else empty.

    `whole` is the ranking of the whole text. A message with fewer than two stretches that ask is settled without a
    ranking more.
    """
    if len(_WORD.findall(text)) > _LONGEST_WORDS:
        return ()
    parts = _sure_requests(_pieces(text), rank)
    names = frozenset(part.intent for part in parts)
    if not _FEWEST_PARTS <= len(parts) == len(names) <= _MOST_PARTS or names & _TOLD or names in _ONE_WISH:
        return ()
    if not names <= {reading.name for reading in whole}:
        return ()  # a part that speaks of "it" was read without what "it" is, and came out as something else
    return parts


def request_beside_courtesy(text: str, rank: Rank) -> Ranking | None:
    """The ranking of the one request in a message whose rest is greeting or thanks; None if there is not just one."""
    pieces = _pieces(text)
    if not 2 <= len(pieces) <= _MOST_PIECES:
        return None
    requests = [(piece, ranking) for piece in pieces if not is_courtesy((ranking := rank(piece))[0].name)]
    if len(requests) != 1:
        return None
    piece, ranking = requests[0]
    return ranking if _asks(piece) and _may_be_a_request(ranking[0], least=_SURE_BESIDE_COURTESY) else None


def is_courtesy(intent: str) -> bool:
    """Whether an intent is what people say around a request."""
    return intent in _COURTESIES


def _sure_requests(pieces: Sequence[str], rank: Rank) -> tuple[Part, ...]:
    """The pieces as requests, courtesies left out; empty as soon as one piece is neither."""
    if not 2 <= len(pieces) <= _MOST_PIECES:
        return ()
    asking = [_asks(piece) for piece in pieces]
    if sum(asking) < _FEWEST_PARTS:
        return ()
    parts: list[Part] = []
    for piece, asks in zip(pieces, asking, strict=True):
        best = rank(piece)[0]
        if is_courtesy(best.name):
            continue
        if not (asks and _may_be_a_request(best)):
            return ()
        parts.append(Part(piece, best.name, best.confidence))
    return tuple(parts)


def _asks(piece: str) -> bool:
    return len(_WORD.findall(piece)) >= _FEWEST_WORDS and _ASKS.search(normalise(piece)) is not None


def _pieces(text: str) -> list[str]:
    """The stretches between boundaries, as typed; a question keeps its mark, which tells much about it."""
    pieces: list[str] = []
    start = 0
    for boundary in _BOUNDARY.finditer(text):
        pieces.append(text[start : boundary.end() if boundary.group().startswith("?") else boundary.start()])
        start = boundary.end()
    pieces.append(text[start:])
    return [stripped for piece in pieces if _WORD.search(stripped := piece.strip(" \t\n,-"))]


def _may_be_a_request(best: Ranked, *, least: float = _SURE) -> bool:
    return best.confidence >= least and (best.name in _REQUESTS or best.name.startswith("faq/"))
