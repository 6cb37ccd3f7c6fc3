"""Settings as values: secrets stand outside, names have forms."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.errors import OurFault
from gateway.settings import Listen, Retries, Secret, X12Identity


def test_a_secret_is_read_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's last line feed is not part of it; relative files are under the workspace."""
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("TOKEN", "from the environment")
    assert Secret(file="token").read(tmp_path) == "s3cret"
    assert Secret(env="TOKEN").read(tmp_path) == "from the environment"


def test_a_secret_that_is_not_there_says_where_it_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable counts as absent."""
    monkeypatch.setenv("TOKEN", "")
    with pytest.raises(OurFault, match="TOKEN is not set"):
        Secret(env="TOKEN").read(tmp_path)
    with pytest.raises(OurFault, match="No such file"):
        Secret(file="token").read(tmp_path)


@pytest.mark.parametrize("given", [{}, {"env": "A", "file": "b"}])
def test_a_secret_has_exactly_one_home(given: dict[str, str]) -> None:
    """Two would leave open which one counts."""
    with pytest.raises(ValidationError, match="either env or file"):
        Secret.model_validate(given)


def test_what_is_absent_has_its_default_and_an_empty_key_is_absent() -> None:
    """`port:` without a value is no error."""
    assert Listen.model_validate({"port": None, "host": "::"}) == Listen(host="::")
    assert len(Retries().schedule_seconds) == 12


@pytest.mark.parametrize(
    ("qualifier", "identity"), [("Z", "A"), ("ZZ", ""), ("ZZ", " A"), ("ZZ", "A" * 16), ("zz", "é")]
)
def test_an_isa_identity_fits_its_elements(qualifier: str, identity: str) -> None:
    """Two characters, and at most fifteen without padding."""
    with pytest.raises(ValidationError):
        X12Identity(qualifier=qualifier, id=identity)
