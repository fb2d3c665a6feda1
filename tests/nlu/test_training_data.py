"""The Rasa project as data: complete, varied, and apart from what it is measured with."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from nlu.training_data import without_annotations

NLU = Path(__file__).resolve().parents[2] / "nlu"
DATA = NLU / "data"
HOLDOUT = Path(__file__).with_name("intents_holdout.tsv")

CONTROL = [
    "greet",
    "goodbye",
    "thank",
    "affirm",
    "deny",
    "cancel",
    "go_back",
    "repeat",
    "correct",
    "skip",
    "help",
    "talk_to_staff",
    "bot_challenge",
    "abuse",
    "out_of_scope",
    "inform",
]
TASKS = [
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
]
TOPICS = [
    "what_is_bpjstk",
    "difference_bpjs_kesehatan",
    "who_can_join",
    "requirements",
    "age_limit",
    "program_jkk",
    "program_jkm",
    "program_jht",
    "program_jp_jkp",
    "scholarship",
    "family_covered",
    "when_cover_starts",
    "payment_channels",
    "payment_deadline",
    "late_payment",
    "claim_jht",
    "claim_jkk",
    "claim_jkm",
    "claim_duration",
    "stop_membership",
    "card_lost",
    "forgot_number",
    "change_job",
    "multiple_jobs",
    "company_not_registering",
    "what_is_gn_lingkaran",
    "who_is_vulnerable",
    "donation_usage",
    "donation_minimum",
    "donation_certificate",
    "jmo_app",
    "official_channels",
    "scam_warning",
    "complaint_process",
    "data_safety",
    "service_cost",
]
ENTITIES = [
    "nik",
    "kpj",
    "ticket_code",
    "pledge_code",
    "bill_code",
    "person_name",
    "phone",
    "date",
    "money",
    "count",
    "duration_months",
    "occupation",
    "region",
    "programme",
    "complaint_category",
]
MIN_EXAMPLES = dict.fromkeys(TASKS, 110) | dict.fromkeys(CONTROL, 60) | {"out_of_scope": 300}
MIN_TOPIC_EXAMPLES = 60
MAX_OVERLAP = 0.8
MIN_WORDS_TO_COMPARE = 4

_ENTITY = re.compile(r"\[[^\[\]]+\]\((?P<name>[^()]*)\)")


@dataclass(frozen=True)
class Row:
    """One training line as written, annotations included."""

    intent: str
    written: str
    file: str

    @property
    def plain(self) -> str:
        return plain(without_annotations(self.written))


def plain(text: str) -> str:
    """Lowercase, without punctuation, spaces evened out; a text of nothing but emoji stays itself."""
    return " ".join(re.sub(r"[^\w\s]|_", " ", text.lower()).split()) or text.strip()


def load(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict), path.name
    return content


def rows_of(path: Path) -> Iterator[Row]:
    for block in load(path).get("nlu", []):
        if "intent" in block:
            for line in block["examples"].splitlines():
                assert line.startswith("- "), f"{path.name}: {block['intent']}: {line!r}"
                yield Row(block["intent"], line[2:].strip(), path.name)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [row for path in sorted(DATA.glob("nlu_*.yml")) for row in rows_of(path)]


@pytest.fixture(scope="module")
def by_intent(rows: list[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.intent].append(row)
    return groups


@pytest.fixture(scope="module")
def holdout() -> list[list[str]]:
    header, *lines = HOLDOUT.read_text(encoding="utf-8").splitlines()
    assert header == "text\tintent\tstyle"
    return [line.split("\t") for line in lines]


@pytest.mark.parametrize("name", ["config.yml", "domain.yml", *sorted(f"data/{p.name}" for p in DATA.glob("*.yml"))])
def test_every_file_is_a_yaml_mapping(name: str) -> None:
    """Every file of the Rasa project loads as YAML with a mapping at the top."""
    assert load(NLU / name)


def test_domain_names_the_whole_vocabulary() -> None:
    """The domain holds every intent, entity, slot and topic of the vocabulary, and nothing else."""
    domain = load(NLU / "domain.yml")
    assert sorted(domain["intents"]) == sorted([*CONTROL, *TASKS, "faq"])
    assert sorted(domain["entities"]) == sorted(ENTITIES)
    assert sorted(domain["slots"]) == sorted(ENTITIES)
    assert {key: answers[0]["text"] for key, answers in domain["responses"].items()} == {
        f"utter_faq/{topic}": f"faq/{topic}" for topic in TOPICS
    }


def test_slots_are_filled_by_the_entity_of_their_name() -> None:
    """Every slot maps from the entity it is named after."""
    for name, slot in load(NLU / "domain.yml")["slots"].items():
        assert slot["mappings"] == [{"type": "from_entity", "entity": name}], name


def test_pipelines_are_seeded_and_rank_everything() -> None:
    """What trains has a seed and ranks every name; unsure readings are left to the flows, as with the other engine."""
    for file in ("config.yml", "config_quick.yml"):
        pipeline = load(NLU / file)["pipeline"]
        trained = [part for part in pipeline if part["name"] in {"DIETClassifier", "ResponseSelector"}]
        assert len(trained) == 2, file
        assert all(isinstance(part["random_seed"], int) for part in trained), file
        assert all(part["ranking_length"] == 0 for part in trained), file
        assert "FallbackClassifier" not in {part["name"] for part in pipeline}, file


def test_rules_name_each_intent_once() -> None:
    """No intent is left unused and none has two rules, so Rasa's validator has nothing to say."""
    named = Counter(
        step["intent"] for rule in load(DATA / "rules.yml")["rules"] for step in rule["steps"] if "intent" in step
    )
    assert named == Counter(load(NLU / "domain.yml")["intents"])


def test_every_intent_has_enough_examples(by_intent: dict[str, list[Row]]) -> None:
    """Each task, control intent and topic has at least the rows it needs to be learnt."""
    wanted = MIN_EXAMPLES | {f"faq/{topic}": MIN_TOPIC_EXAMPLES for topic in TOPICS}
    assert {
        name: len(by_intent.get(name, [])) for name, least in wanted.items() if len(by_intent.get(name, [])) < least
    } == {}


def test_every_trained_intent_is_in_the_domain(by_intent: dict[str, list[Row]]) -> None:
    """Training data has no intent or topic the vocabulary lacks."""
    known = {*CONTROL, *TASKS, *(f"faq/{topic}" for topic in TOPICS)}
    assert set(by_intent) - known == set()


def test_every_annotated_entity_is_in_the_domain(rows: list[Row]) -> None:
    """An entity in brackets is one the domain declares."""
    known = set(load(NLU / "domain.yml")["entities"])
    assert [
        (row.intent, row.written)
        for row in rows
        for entity in _ENTITY.finditer(row.written)
        if entity["name"] not in known
    ] == []


def test_brackets_are_well_formed(rows: list[Row]) -> None:
    """No bracket is left once the annotations are taken away, so none was mistyped."""
    assert [row.written for row in rows if re.search(r"[\[\]{}]", without_annotations(row.written))] == []


def test_no_row_stands_twice(rows: list[Row]) -> None:
    """A text stands once in all training data: twice in one intent adds nothing, in two it contradicts."""
    places: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        places[row.plain].append(f"{row.file}: {row.intent}")
    assert {text: where for text, where in places.items() if len(where) > 1} == {}


def test_rows_of_an_intent_differ(by_intent: dict[str, list[Row]]) -> None:
    """Two longer rows of one intent never share more than 0.8 of their words: people, not templates."""
    assert [pair for group in by_intent.values() for pair in too_similar(group)] == []


def too_similar(group: list[Row]) -> Iterator[tuple[str, str]]:
    worded = [(row.written, set(row.plain.split())) for row in group]
    return ((first, second) for (first, a), (second, b) in combinations(worded, 2) if overlap(a, b) > MAX_OVERLAP)


def overlap(a: set[str], b: set[str]) -> float:
    """The share of words two texts have in common; 0 where one of them is too short to judge."""
    return len(a & b) / len(a | b) if min(len(a), len(b)) >= MIN_WORDS_TO_COMPARE else 0.0


def test_overlap_lint_sees_a_template() -> None:
    """The lint would catch a sentence with one word exchanged, and lets two people's sentences pass."""
    template = [Row("x", f"saya mau bayar iuran bulan ini lewat {shop}", "") for shop in ("alfamart", "dana")]
    people = [
        Row("x", "saya mau bayar iuran bulan ini", ""),
        Row("x", "kirim kode buat setoran bapak dong", ""),
    ]
    assert list(too_similar([*template, Row("x", "saya mau bayar iuran bulan ini lewat alfamart ya", "")]))
    assert not list(too_similar(people))


def test_holdout_covers_the_vocabulary(holdout: list[list[str]]) -> None:
    """At least 250 rows, every intent among them, two of each topic and twenty out of scope."""
    counts = Counter(intent for _, intent, _ in holdout)
    assert len(holdout) >= 250
    assert set(counts) == {*CONTROL, *TASKS, *(f"faq/{topic}" for topic in TOPICS)}
    assert min(counts[f"faq/{topic}"] for topic in TOPICS) >= 2
    assert counts["out_of_scope"] >= 20


def test_holdout_is_apart_from_training(rows: list[Row], holdout: list[list[str]]) -> None:
    """No held-out text, punctuation and case aside, is one the model has seen; none stands twice."""
    held = Counter(plain(text) for text, _, _ in holdout)
    assert [text for text, times in held.items() if times > 1] == []
    assert set(held) & {row.plain for row in rows} == set()


def test_holdout_is_no_paraphrase_of_training(by_intent: dict[str, list[Row]], holdout: list[list[str]]) -> None:
    """No held-out text is a training row of its intent with a word changed."""
    assert [
        (text, row.written)
        for text, intent, _ in holdout
        for row in by_intent[intent]
        if overlap(set(plain(text).split()), set(row.plain.split())) > MAX_OVERLAP
    ] == []


@pytest.mark.parametrize("file", ["intents_blind.tsv", "intents_blind_2.tsv", "intents_fresh.tsv"])
def test_longer_test_rows_are_apart_from_training(by_intent: dict[str, list[Row]], file: str) -> None:
    """No sentence of the other test sets is a training row of its intent, as it is or with a word changed.

    Texts of up to three words ("dadah", "ganti alamat") are what everybody types, and may stand in both.
    """
    lines = HOLDOUT.with_name(file).read_text(encoding="utf-8").splitlines()[1:]
    assert [
        (text, row.written)
        for text, intent in (line.split("\t")[:2] for line in lines)
        for row in by_intent[intent]
        if overlap(set(plain(text).split()), set(row.plain.split())) > MAX_OVERLAP
    ] == []


def test_identity_numbers_are_invented(rows: list[Row], holdout: list[list[str]]) -> None:
    """Every 16-digit number uses a serial from 9000 on, which no registry hands out in order."""
    texts = [row.written for row in rows] + [text for text, _, _ in holdout]
    numbers = [number for text in texts for number in re.findall(r"\d{16}", re.sub(r"(?<=\d) (?=\d)", "", text))]
    assert numbers
    assert [number for number in numbers if number[12] != "9"] == []
