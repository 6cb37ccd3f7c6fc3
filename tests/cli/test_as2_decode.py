"""`gateway as2 decode` on each file of samples/as2/broken: the sentence for it stands in sentences.tsv.

GATEWAY_RENEW=1 writes the sentences anew, to be read before they are committed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.as2.anatomy import dotted
from gateway.as2.der import oid

BROKEN = Path(__file__).parents[2] / "samples/as2/broken"
KEYS = BROKEN / "keys"
TABLE = BROKEN / "sentences.tsv"
FILES = sorted(BROKEN.glob("*.http"))
SOUND = {"nothing-wrong", "mdn-nothing-wrong"}
Run = Callable[..., Result]


def decode(run: Run, file: Path, *more: object, **options: Any) -> Result:
    """With the test keys; a receipt is held against what was sent."""
    keys = ["--key", KEYS / "ours-test-key.pem", "--cert", KEYS / "ours.pem", "--cert", KEYS / "acme.pem"]
    against = ["--for", KEYS / "sent.http"] if file.name.startswith("mdn-") else []
    return run("as2", "decode", file, *keys, *against, *more, **options)


def sentences() -> dict[str, str]:
    """The table: a fault's name and what is said of it."""
    rows = (line.split("\t", 1) for line in TABLE.read_text("utf-8").splitlines()[1:])
    return dict(rows)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_fault_is_named_in_one_sentence(run: Run, file: Path) -> None:
    """The first line says it; exit 1 for what is refused."""
    result = decode(run, file)
    assert result.exit_code == (0 if file.stem in SOUND else 1), result.output
    first = result.stdout.splitlines()[0]
    assert first.endswith(".")
    if os.environ.get("GATEWAY_RENEW"):
        known = sentences() if TABLE.exists() else {}
        rows = sorted((known | {file.stem: first}).items())
        TABLE.write_text("file\tsentence\n" + "".join(f"{name}\t{said}\n" for name, said in rows), "utf-8")
    assert sentences()[file.stem] == first


def test_every_file_has_its_sentence_and_there_are_many() -> None:
    """No row without a file, no file without a row."""
    assert {file.stem for file in FILES} == set(sentences())
    assert len(FILES) >= 40


def test_of_several_files_each_gets_its_sentence(run: Run) -> None:
    """A line each, and a list in JSON; exit 1 when one of them would be refused."""
    names = ["nothing-wrong", "no-signer", "truncated"]
    files = [BROKEN / f"{name}.http" for name in names]
    told = decode(run, files[0], *files[1:])
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [f"{BROKEN / name}.http: {sentences()[name]}" for name in names]
    listed = json.loads(decode(run, files[0], *files[1:], "--json").stdout)
    assert [one["taken"] for one in listed] == [True, False, False]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_without_keys_nothing_is_claimed(run: Run, file: Path, tmp_path: Path) -> None:
    """It is refused for what can be seen, or nothing is decided and what would be needed is told."""
    blind = run("as2", "decode", file, "--json", "--workspace", tmp_path)
    assert blind.exit_code in {0, 1}, blind.output
    found = json.loads(blind.stdout)
    assert found["taken"] is not True
    if found["taken"] is None:
        assert "annot be judged" in found["sentence"] or "not held against" in found["sentence"]


BARE = (
    b"AS2-From: ACME\r\nAS2-To: HARBORLINE\r\nMessage-ID: <1@acme.example>\r\n"
    b"Content-Type: application/edi-x12\r\n\r\nISA*00*"
)


def test_a_bare_message_is_taken_only_where_somebody_agreed_to_that(run: Run, tmp_path: Path) -> None:
    """Without keys and agreement it says what would be needed; by the defaults of an agreement it is refused."""
    (tmp_path / "bare.http").write_bytes(BARE)
    blind = run("as2", "decode", tmp_path / "bare.http", "--json", "--workspace", tmp_path)
    told = json.loads(blind.stdout)
    assert (blind.exit_code, told["taken"], told["disposition"]) == (0, None, None)
    assert "neither signed nor encrypted" in told["sentence"]
    assert "as2.require_signature: no" in told["sentence"]
    judged = json.loads(decode(run, tmp_path / "bare.http", "--json").stdout)
    assert (judged["taken"], judged["disposition"]) == (
        False,
        "processed/error: insufficient-message-security",
    )


def test_the_tree_shows_every_layer_with_its_algorithms_and_the_mic(run: Run) -> None:
    """Headers, envelope, signature with signer and certificate, content; the MIC and what it is over."""
    text = decode(run, BROKEN / "nothing-wrong.http").stdout
    for said in (
        "AS2 headers",
        "<20260301-7@acme.example>",
        "encrypted with aes-256-cbc",
        "issuer CN=HARBORLINE TEST ONLY, serial 3e9, rsa-pkcs1-v1.5, which is our key of CN=HARBORLINE TEST ONLY",
        "signed with sha-256",
        "CN=ACME TEST ONLY",
        "says it signed at",
        "2026-03-01 12:00:00 UTC",
        "RSA 2048 bits",
        "application/edi-x12",
        "what was signed, MIME headers included",
    ):
        assert said in text, said
    assert "\x1b" not in text


def test_json_says_the_same(run: Run) -> None:
    """The sentence, the verdict, the MIC, every layer with its facts."""
    told = json.loads(decode(run, BROKEN / "line-ends-changed.http", "--json").stdout)
    assert told["sentence"] == sentences()["line-ends-changed"]
    assert (told["taken"], told["disposition"]) == (False, "processed/error: integrity-check-failed")
    assert [layer["title"] for layer in told["layers"]] == [
        "AS2 headers",
        "encrypted with aes-256-cbc",
        "signed with sha-256",
        "content",
    ]
    assert told["layers"][2]["wrong"]


def test_a_sender_reads_less_than_the_operator(run: Run) -> None:
    """What is wrong inside an envelope is told here, and what the receipt says instead."""
    text = decode(run, BROKEN / "bad-padding.http").stdout
    assert "disposition: processed/error: decryption-failed" in text
    assert "the sender reads: The message could not be decrypted." in text


def test_headers_may_stand_apart_and_a_capture_may_come_on_stdin(run: Run, tmp_path: Path) -> None:
    """With the request line of HTTP or without."""
    whole = (BROKEN / "wrong-signer.http").read_bytes()
    head, _, body = whole.partition(b"\r\n\r\n")
    (tmp_path / "head").write_bytes(b"POST /as2 HTTP/1.1\r\n" + head)
    (tmp_path / "body").write_bytes(body)
    apart = decode(run, tmp_path / "body", "--headers", tmp_path / "head")
    piped = decode(run, Path("-"), input=whole)
    assert apart.stdout == piped.stdout == decode(run, BROKEN / "wrong-signer.http").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "one message is looked into"),
        (["no-such-file"], "No such file"),
        ([__file__, "--key", __file__], "holds no private key that opens"),
        ([__file__, "--cert", __file__], "holds no readable PEM certificate"),
        ([KEYS / "sent.http", "--key", KEYS / "ours-test-key.pem"], "no certificate fits the key"),
        ([KEYS / "sent.http", "--message", "x"], "one message is looked into"),
        (
            [BROKEN / "mdn-refused.http", "--for", BROKEN / "nothing-wrong.http", "--cert", KEYS / "acme.pem"],
            "the MIC of",
        ),
        ([BROKEN / "mdn-refused.http", "--for", BROKEN / "not-as2.http", "--cert", KEYS / "acme.pem"], "the MIC of"),
    ],
)
def test_what_cannot_be_looked_into_is_told_with_its_remedy(run: Run, arguments: list[Any], said: str) -> None:
    """Exit 2, never a traceback."""
    result = run("as2", "decode", *arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "remedy:" in result.stderr


@pytest.mark.parametrize("text", ["1.2.840.113549.1.7.2", "2.5.4.3", "0.9.2342.19200300.100.1.25", "2.999.1"])
def test_an_identifier_is_shown_as_people_write_it(text: str) -> None:
    """X.690 8.19, both ways."""
    assert dotted(oid(text)) == text


def test_a_workspace_that_cannot_be_used_is_said_and_done_without(run: Run, tmp_path: Path) -> None:
    """Whoever looks into a message need not mend a configuration first, unless something of it is named."""
    (tmp_path / "gateway.yaml").write_text("identity: {}\n", encoding="utf-8")
    file = BROKEN / "double-header.http"
    result = run("as2", "decode", file, "--workspace", tmp_path)
    assert result.exit_code == 1
    assert "without the workspace's keys" in result.stderr
    assert "header as2-to stands more than once" in result.stdout
    assert run("as2", "decode", file, "--workspace", tmp_path, "--partner", "acme").exit_code == 2


@pytest.mark.parametrize("size", [1, 700, 1_000_000])
def test_a_capture_from_the_network_is_read_without_its_chunk_sizes(run: Run, tmp_path: Path, size: int) -> None:
    """With extensions and trailers; a body that was put together before it was stored stays as it is."""
    headers, body = (BROKEN / "nothing-wrong.http").read_bytes().split(b"\r\n\r\n", 1)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(one), one) for one in pieces) + b"0\r\nTrailer: x\r\n\r\n"
    file = tmp_path / "capture.http"
    for content in (chunks, body):
        file.write_bytes(headers + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + content)
        result = decode(run, file)
        assert result.stdout.startswith("Taken: encrypted"), result.output
