"""The embedded engine, trained on the real data; one model for the whole test run and for runs to come."""

from pathlib import Path

import pytest

from nlu.embedded.train import ensure_trained
from nlu.understand import Understander, load_embedded

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """A model of the data as they are now, kept in the repository's ignored `var/` under a digest of its content."""
    return ensure_trained(REPOSITORY / "var" / "nlu")


@pytest.fixture(scope="session")
def engine(model_dir: Path) -> Understander:
    """The embedded engine."""
    return load_embedded(model_dir)
