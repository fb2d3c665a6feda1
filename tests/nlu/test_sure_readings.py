"""Messages that need no statistics."""

import pytest

from nlu.sure_readings import sure_intent


@pytest.mark.parametrize(
    "text",
    [
        "RK-7K3Q-9XTM statusnya gimana",
        "rk 7k3q 9xtm sampai mana ya kak",
        "cek RK7K3Q9XTM dong",
        "kabarnya RK-7K3Q-9XTM?",
    ],
)
def test_a_code_and_how_it_stands_is_asked_after(text: str) -> None:
    """A code with nothing but a question after it leaves no doubt."""
    assert sure_intent(text) == "check_ticket"


@pytest.mark.parametrize(
    "text",
    [
        "RK-7K3Q-9XTM",
        "donasi RK-7K3Q-9XTM gimana",
        "RK-7K3Q-9XTM sudah dibayar",
        "gimana statusnya",
        "batalkan RK-7K3Q-9XTM",
    ],
)
def test_a_code_with_other_words_is_left_to_the_engine(text: str) -> None:
    """A gift, a payment, an order or no code at all: something else may be meant."""
    assert sure_intent(text) is None


@pytest.mark.parametrize("text", ["gocap", "goceng", "ceban", "Rp 50.000", "12 maret 1990", "dua juta lima ratus"])
def test_a_sum_or_number_alone_is_a_value(text: str) -> None:
    """Slang of the market included."""
    assert sure_intent(text) == "inform"


@pytest.mark.parametrize("text", ["👍", "...", "wkwkwk", "hahaha"])
def test_signs_and_laughter_ask_for_nothing(text: str) -> None:
    """Outside a form they are out of scope."""
    assert sure_intent(text) == "out_of_scope"
