"""The embedded engine: trained apart, kept as arrays, run without the library that trained it."""

import shutil
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from nlu.embedded import arrays
from nlu.embedded.model import SHOWN
from nlu.embedded.train import TrainingFailed, ensure_trained
from nlu.evaluate import LabelReport, evaluate, read_table
from nlu.training_data import DATA_DIR, Example, TrainingDataError, read_training_data
from nlu.understand import Understander, load_embedded

TODAY = date(2026, 11, 23)
HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]

SMALL_DATA = """
nlu:
  - intent: greet
    examples: |
      - halo kak
      - selamat pagi
      - hai min
      - pagi [Budi](person_name)
  - intent: check_balance
    examples: |
      - saldo saya berapa
      - cek saldo jht
      - berapa tabungan saya
      - lihat saldo dong
  - intent: thank
    examples: |
      - makasih banyak
      - terima kasih kak
      - oke makasih
complaints:
  other:
    - parkirnya susah
    - brosurnya tidak jelas
    - tangganya tinggi
  app_problem:
    - aplikasi error terus
    - jmo tidak bisa dibuka
    - gagal login aplikasi
    - wajah gagal terus di aplikasi
  staff_service:
    - petugas galak sekali
    - antre lama di kantor
    - petugas tidak ramah
    - saya dibentak petugas
"""


@pytest.fixture
def small_data(tmp_path: Path) -> Path:
    """A folder with three intents and three categories: quick to train on."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "small.yml").write_text(SMALL_DATA, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the small data, not to be changed."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.yml").write_text(SMALL_DATA, encoding="utf-8")
    return ensure_trained(folder / "cache", folder)


def intent_of(engine: Understander, text: str) -> str:
    return engine.parse(text, today=TODAY).intent


# ── what it gives ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_ranks_best_first_with_confidences(engine: Understander) -> None:
    """A ranking is never empty, holds five readings at most, best first, and its best one is the intent."""
    found = engine.parse("saldo jht saya berapa ya", today=TODAY)
    confidences = [each.confidence for each in found.ranking]
    assert found.text == "saldo jht saya berapa ya"
    assert (found.intent, found.confidence) == (found.ranking[0].name, found.ranking[0].confidence)
    assert confidences == sorted(confidences, reverse=True)
    assert 1 <= len(found.ranking) <= SHOWN
    assert all(0 <= confidence <= 1 for confidence in confidences)
    assert sum(confidences) <= 1.001
    assert len(found.categories) == SHOWN
    assert found.engine == "embedded"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("saldo jht saya berapa", "check_balance"),
        ("min mau daftar bpjs naker gmn caranya", "enroll"),
        ("cara mencairkan jht gimana syaratnya", "faq/claim_jht"),
        ("assalamualaikum", "greet"),
        ("tolooong saya mau komplaaaain", "file_complaint"),
    ],
)
def test_reads_what_people_type(engine: Understander, text: str, intent: str) -> None:
    """Plain requests, chat shorthand, questions and held-down letters come out as meant."""
    assert intent_of(engine, text) == intent


def test_same_text_same_reading(engine: Understander, model_dir: Path) -> None:
    """Another engine from the same folder gives the very same confidences."""
    text = "udah bayar iuran di alfamart tapi statusnya masih nonaktif"
    assert load_embedded(model_dir).parse(text, today=TODAY) == engine.parse(text, today=TODAY)


@pytest.mark.parametrize("text", ["", "   ", "...", "?!", "😂😂", "👍🏽", "wkwkwkwk", "hahaha", "​"])
def test_signs_and_laughter_are_out_of_scope(engine: Understander, text: str) -> None:
    """A message without a word in it says nothing this service does."""
    found = engine.parse(text, today=TODAY)
    assert (found.intent, found.confidence) == ("out_of_scope", 1.0)
    assert found.categories


@pytest.mark.parametrize(
    "text",
    [
        "3275011708909001",
        "3275 0117 0890 9001",
        "081234569001",
        "+62 812-3456-9001",
        "1",
        "50rb",
        "Rp 16.800",
        "1,5 jt",
        "17/8/1990",
        "17 agustus 1990",
        "tgl 5",
        "6 bulan",
        "12 orang",
        "dua juta lima ratus",
        "sepuluh orang",
    ],
)
def test_a_bare_value_informs(engine: Understander, text: str) -> None:
    """A number, date, amount or phone alone is an answer, whatever the statistics say."""
    found = engine.parse(text, today=TODAY)
    assert (found.intent, found.confidence) == ("inform", 1.0)


@pytest.mark.parametrize("text", ["bayar 3 bulan berapa", "hahaha saldo saya berapa", "ga ada 12", "haha"])
def test_a_value_or_a_laugh_with_words_is_read_whole(engine: Understander, text: str) -> None:
    """Rules speak only where nothing else is said; here the engine does, with its own confidence."""
    found = engine.parse(text, today=TODAY)
    assert (text == "haha") == (found.intent == "out_of_scope" and found.confidence == 1.0)


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "\x00\x01", "[](){}", "﷽" * 500, "\ud800", "1" * 5000, "saya " * 20_000, "halo. " * 20_000]
)
def test_no_text_is_too_strange(engine: Understander, text: str) -> None:
    """Whatever is sent, there is a reading."""
    assert engine.parse(text, today=TODAY).ranking


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("halo, saldo saya berapa dan iuran bulan ini udah masuk?", ["check_balance", "check_membership"]),
        ("cek saldo sama minta kode bayar", ["check_balance", "pay_contribution"]),
        ("mau daftar sekalian tanya iurannya berapa", ["enroll", "calculate_contribution"]),
        ("mau bayar iuran dan ganti nomor hp", ["pay_contribution", "update_profile"]),
        ("syarat daftar apa aja, terus bayarnya di mana?", ["faq/requirements", "faq/payment_channels"]),
        ("bayarnya di mana dan paling lambat tanggal berapa", ["faq/payment_channels", "faq/payment_deadline"]),
        ("minta alamat kantor Jepara, sekalian cek status kartu saya dong", ["find_office", "check_membership"]),
    ],
)
def test_two_requests_come_apart(engine: Understander, text: str, intents: list[str]) -> None:
    """Two different requests in one message are both named, in their order, in the person's own words."""
    found = engine.parse(text, today=TODAY)
    assert [part.intent for part in found.parts] == intents
    assert all(part.text in text for part in found.parts)


@pytest.mark.parametrize(
    "text",
    [
        "saya mau bayar iuran sama istri",
        "pagi kak, saldo jht saya berapa ya?",
        "cek saldo dan lihat saldo jht saya",
        "saya sudah bayar iuran dan struknya ada, terus kok saldo saya kosong?",
        "dulu saya kerja di pabrik, terus di-phk, sekarang dagang bakso sama istri, anak dua masih sekolah, mau daftar "
        "bpjs ketenagakerjaan gimana caranya ya pak, terima kasih",
        "makasih banyak ya kak, jelas sekali",
    ],
)
def test_one_request_stays_whole(engine: Understander, text: str) -> None:
    """Companions, greetings, repetitions, complaints and life stories do not become several requests."""
    assert engine.parse(text, today=TODAY).parts == ()


def test_stories_stay_whole_by_and_large(engine: Understander) -> None:
    """Of the held-out messages, which hold one request each, hardly any comes apart."""
    texts = [row.cells["text"] for row in read_table(HERE / "intents_holdout.tsv").rows]
    apart = [text for text in texts if engine.parse(text, today=TODAY).parts]
    assert len(apart) <= len(texts) / 50, apart


def test_thanks_before_a_request_is_the_request(engine: Understander) -> None:
    """Courtesy around a request does not hide it."""
    assert intent_of(engine, "makasih ya kak, sekalian mau cek tiket saya") == "check_ticket"
    assert intent_of(engine, "selamat siang admin, kantor cabang bekasi di mana?") == "find_office"


def test_thanks_alone_stay_thanks(engine: Understander) -> None:
    """A word of praise after the thanks is no request, however the engine reads it by itself."""
    assert intent_of(engine, "makasih banyak ya kak, jelas sekali") == "thank"


# ── how good it is ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("file", "floor"),
    [
        ("intents_holdout.tsv", 0.96),
        ("intents_blind.tsv", 0.96),
        ("intents_blind_2.tsv", 0.96),
        ("intents_fresh.tsv", 0.95),
        ("complaints_holdout.tsv", 0.94),
        ("complaints_blind.tsv", 0.95),
        ("complaints_blind_2.tsv", 0.95),
    ],
)
def test_holds_on_texts_it_never_saw(engine: Understander, file: str, floor: float) -> None:
    """Held-out texts keep above a floor that is a few points under what was measured."""
    report, _ = evaluate(read_table(HERE / file), engine, today=TODAY)
    assert isinstance(report, LabelReport)
    assert report.accuracy >= floor
    assert report.macro_f1 >= floor
    assert report.wrong_very_confident <= report.rows * 0.015


# ── training and its cache ────────────────────────────────────────────────────────────────────────────────────────


def test_trains_once_for_the_same_content(small_data: Path, tmp_path: Path) -> None:
    """The second call trains nothing; a changed example does, and the former model stays beside it."""
    cache = tmp_path / "cache"
    first = ensure_trained(cache, small_data)
    written = (first / "weights.npz").stat().st_mtime_ns
    assert ensure_trained(cache, small_data) == first
    assert (first / "weights.npz").stat().st_mtime_ns == written
    small_data.joinpath("small.yml").write_text(SMALL_DATA.replace("hai min", "hai hai"), encoding="utf-8")
    second = ensure_trained(cache, small_data)
    assert second != first
    assert sorted(path.name for path in cache.iterdir()) == sorted([first.name, second.name])


def test_the_same_data_give_the_same_model(small_data: Path, small_model: Path, tmp_path: Path) -> None:
    """Two trainings give equal arrays, so that a reading can be had again later."""
    one, two = arrays.load(small_model), arrays.load(ensure_trained(tmp_path / "cache", small_data))
    assert one.rows == two.rows
    assert np.array_equal(one.weights, two.weights)
    assert np.array_equal(one.bias, two.bias)
    assert (one.intents, one.categories) == (two.intents, two.categories)


def test_two_processes_may_train_at_once(small_data: Path, tmp_path: Path) -> None:
    """Both get the one model that is kept, and no half-made folder stays behind."""
    cache = tmp_path / "cache"
    code = "import sys; from pathlib import Path; from nlu.embedded.train import ensure_trained;" + (
        "print(ensure_trained(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(cache), str(small_data)]
    running = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = {process.communicate(timeout=120)[0].strip() for process in running}
    assert [process.returncode for process in running] == [0, 0]
    assert len(printed) == 1
    assert [str(path) for path in cache.iterdir()] == list(printed)


def test_data_that_teach_nothing_are_refused(tmp_path: Path) -> None:
    """A training that cannot be done says why, and leaves nothing that looks like a model."""
    data, cache = tmp_path / "data", tmp_path / "cache"
    data.mkdir()
    (data / "broken.yml").write_text("nlu: [{intent: greet, examples: 3}]", encoding="utf-8")
    with pytest.raises(TrainingFailed, match=r"broken\.yml: greet"):
        ensure_trained(cache, data)
    (data / "broken.yml").write_text(SMALL_DATA.replace("check_balance", "greet"), encoding="utf-8")
    with pytest.raises(TrainingFailed, match="3 labels at least"):
        ensure_trained(cache, data)
    assert list(cache.iterdir()) == []


def test_nothing_is_pickled(model_dir: Path) -> None:
    """The model is JSON and plain arrays, small enough to be carried anywhere."""
    with zipfile.ZipFile(model_dir / "weights.npz") as stored:
        assert sorted(stored.namelist()) == ["bias.npy", "rarity.npy", "steps.npy", "weights.npy"]
        for name in stored.namelist():
            with stored.open(name) as array:
                assert b"'descr': '|O'" not in array.read(200)
    assert sum(path.stat().st_size for path in model_dir.iterdir()) < 15_000_000


def test_serving_never_imports_the_library_that_trained(model_dir: Path) -> None:
    """A process that understands messages holds neither scikit-learn nor scipy: they would double its memory."""
    code = (
        "import sys; from datetime import date; from pathlib import Path;"
        "from nlu.embedded.train import ensure_trained; from nlu.understand import load_embedded;"
        "ensure_trained(Path(sys.argv[1]).parent);"
        "load_embedded(Path(sys.argv[1])).parse('saldo saya', today=date(2026, 11, 23));"
        "print([name for name in ('sklearn', 'scipy', 'pickle5', 'joblib') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(model_dir)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True)
    assert ended.stdout.strip() == "[]"


@pytest.mark.parametrize("damage", ["missing", "cut", "other labels"])
def test_a_damaged_model_is_refused(small_model: Path, tmp_path: Path, damage: str) -> None:
    """A folder that is not a whole model raises one error that says so."""
    folder = tmp_path / "copy"
    shutil.copytree(small_model, folder)
    description = folder / "model.json"
    if damage == "missing":
        (folder / "weights.npz").unlink()
    elif damage == "cut":
        description.write_bytes(description.read_bytes()[:100])
    else:
        description.write_bytes(description.read_bytes().replace(b'"greet",', b"", 1))
    with pytest.raises(arrays.ModelFileError):
        load_embedded(folder)


# ── the training data reader ──────────────────────────────────────────────────────────────────────────────────────


def test_reads_rasa_files_and_complaints(small_data: Path) -> None:
    """Examples come with their labels, in order, without the brackets that mark entities for Rasa."""
    data = read_training_data(small_data)
    assert data.intents[3] == Example("pagi Budi", "greet")
    assert {example.label for example in data.intents} == {"greet", "check_balance", "thank"}
    assert data.complaints[0] == Example("parkirnya susah", "other")


def test_no_data_is_an_error(tmp_path: Path) -> None:
    """An empty folder is a mistake, not a model that knows nothing."""
    with pytest.raises(TrainingDataError):
        read_training_data(tmp_path)


def test_the_product_learns_every_label_of_its_vocabulary(model_dir: Path) -> None:
    """The model can answer with every intent and category that the data name."""
    data, model = read_training_data(DATA_DIR), arrays.load(model_dir)
    assert set(model.intents.labels) == {example.label for example in data.intents}
    assert set(model.categories.labels) == {example.label for example in data.complaints}
