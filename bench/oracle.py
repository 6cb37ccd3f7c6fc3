"""Whether an attacker learns from how, or how fast, an unreadable envelope is refused: 1,000 variants of each kind.

    python -m bench oracle [--variants 1000]

Every variant goes the whole way of a request, from headers to receipt. The answers must be the same octets but for
message id, date and boundary, which are fixed here. Times are compared as distributions: the kinds are run in random
order, and each kind's median is set against the middle half of all times; `told apart` is the chance that one
measurement of this kind is slower than one of all kinds (0.5: it says nothing).
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bench.as2 import make_pair
from gateway import as2
from gateway.as2 import ber, cms, der
from gateway.as2.algorithms import CIPHERS, RSA_ENCRYPTION
from gateway.as2.certificates import identity

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEADERS = (
    ("AS2-From", "acme"),
    ("AS2-To", "ours"),
    ("Message-ID", "<1@acme>"),
    ("Disposition-Notification-To", "acme"),
    ("Disposition-Notification-Options", "signed-receipt-protocol=optional, pkcs7-signature"),
    ("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data"),
)
LENGTH = 4096
"""Octets of ciphertext: all variants have as many."""


class Forge:
    """Envelopes of one size for one recipient."""

    def __init__(self, ours: as2.KeyPair, genuine: bytes) -> None:
        self.ours = ours
        public = ours.certificate.public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        self.public = public
        self.genuine = genuine

    def envelope(self, wrapped: bytes, vector: bytes, content: bytes) -> bytes:
        """An EnvelopedData of these parts."""
        who = identity(self.ours.certificate)
        transport = der.sequence(der.identifier(RSA_ENCRYPTION), der.tlv(ber.NULL))
        recipient = der.sequence(der.integer(0), who.issuer_and_serial, transport, der.tlv(ber.OCTET_STRING, wrapped))
        algorithm = der.sequence(der.identifier(CIPHERS["aes-256-cbc"].oid), der.tlv(ber.OCTET_STRING, vector))
        inside = der.sequence(der.identifier(cms.DATA), algorithm, der.tlv(0x80, content))
        return cms.frame(cms.ENVELOPED_DATA, [der.sequence(der.integer(0), der.set_of([recipient]), inside)])

    def around(self, plain: bytes, *, key_length: int = 32) -> bytes:
        """Around whole blocks, their padding as it is."""
        key, vector = os.urandom(key_length), os.urandom(16)
        cipher = Cipher(algorithms.AES(key.ljust(32, b"k")[:32]), modes.CBC(vector)).encryptor()
        return self.envelope(self.public.encrypt(key, padding.PKCS1v15()), vector, cipher.update(plain))

    def sound(self, content: bytes) -> bytes:
        """Whole blocks around content that is cut or filled to fit, with right padding."""
        return content[: LENGTH - 16].ljust(LENGTH - 16, b"x") + bytes((16,)) * 16

    def bad_rsa_padding(self) -> bytes:
        """The session key's block decrypts to anything."""
        number = int.from_bytes(os.urandom(256), "big") % self.public.public_numbers().n
        return self.envelope(number.to_bytes(256, "big"), os.urandom(16), os.urandom(LENGTH))

    def bad_key_length(self) -> bytes:
        """The session key is right PKCS#1, and too short."""
        return self.around(self.sound(self.genuine), key_length=31)

    def bad_cbc_padding(self) -> bytes:
        """The last octet says a padding that is not there; everything before it is genuine."""
        return self.around(self.genuine[: LENGTH - 1].ljust(LENGTH - 1, b"x") + b"\x00")

    def bad_mime(self) -> bytes:
        """Right padding around what is no MIME."""
        return self.around(self.sound(os.urandom(LENGTH - 16)))

    def bad_compression(self) -> bytes:
        """Right padding around a compressed layer that is damaged."""
        return self.around(self.sound(b"Content-Type: application/pkcs7-mime\r\n\r\n" + os.urandom(LENGTH)))

    def somebody_elses(self) -> bytes:
        """Random octets under a right session key: what is behind a wrong one."""
        return self.around(os.urandom(LENGTH))


def kinds(forge: Forge) -> Mapping[str, Callable[[], bytes]]:
    """What is varied, by its name."""
    return {
        "RSA padding": forge.bad_rsa_padding,
        "key length": forge.bad_key_length,
        "CBC padding": forge.bad_cbc_padding,
        "MIME": forge.bad_mime,
        "compression": forge.bad_compression,
        "random plaintext": forge.somebody_elses,
    }


def station() -> tuple[Forge, Callable[[bytes], bytes]]:
    """A forger, and our station: an envelope in, the octets of the answer out."""
    acme, ours = make_pair("acme"), make_pair("ours")
    built = as2.build_message(
        os.urandom(1024).hex().encode("ascii"),
        content_type="application/edi-x12",
        filename="order.edi",
        as2_from="acme",
        as2_to="ours",
        message_id="<1@acme>",
        date=NOW,
        subject="order",
        sign_with=acme,
        encrypt_for=[],
        compress=False,
        receipt=as2.ReceiptKind.SIGNED,
    )
    content_type = next(value for name, value in built.headers if name == "Content-Type")
    forge = Forge(ours, f"Content-Type: {content_type}\r\n\r\n".encode("ascii") + built.body)
    policy = as2.Policy()

    def answer(body: bytes) -> bytes:
        fault: as2.As2Fault | None = None
        try:
            as2.open_message(HEADERS, body, keys=[ours], partner_certificates=[acme.certificate], policy=policy)
        except as2.As2Fault as error:
            fault = error
        made = as2.build_receipt(
            request=as2.read_headers(HEADERS),
            opened=None,
            fault=fault,
            key=ours,
            our_name="ours",
            message_id="<2@ours>",
            date=NOW,
            boundary="b",
        )
        return repr(made.headers).encode() + made.body

    return forge, answer


def run(variants: int, *, seed: int = 1) -> tuple[set[bytes], dict[str, list[float]]]:
    """All different answers, and the microseconds of each kind."""
    forge, answer = station()
    made = [(name, make()) for name, make in kinds(forge).items() for _ in range(variants)]
    random.Random(seed).shuffle(made)
    for _, body in made[:50]:
        answer(body)
    answers: set[bytes] = set()
    times: dict[str, list[float]] = {name: [] for name in kinds(forge)}
    for number, (name, body) in enumerate(made):
        started = time.perf_counter_ns()
        answers.add(answer(body))
        times[name].append((time.perf_counter_ns() - started) / 1000)
        if sys.stderr.isatty() and not number % 500:
            print(f"  … {number} of {len(made)}", end="\r", file=sys.stderr, flush=True)
    return answers, times


def slower(mine: list[float], others: list[float]) -> float:
    """The chance that one of mine is greater than one of the others (Mann-Whitney), ties counting half."""
    ranked = sorted([(value, True) for value in mine] + [(value, False) for value in others])
    below = 0
    wins = 0.0
    for value, ours in ranked:
        del value
        if ours:
            wins += below
        else:
            below += 1
    return wins / (len(mine) * len(others))


def main(arguments: list[str] | None = None) -> int:
    """Print what an attacker sees; 1 when answers differ."""
    parser = argparse.ArgumentParser(prog="python -m bench oracle", description="What refusals give away.")
    parser.add_argument("--variants", type=int, default=1000, help="of each kind (default 1000)")
    options = parser.parse_args(arguments)
    answers, times = run(options.variants)
    everything = [one for mine in times.values() for one in mine]
    low, _, high = statistics.quantiles(everything, n=4)
    print(f"refusals of unreadable envelopes, {options.variants} of each kind: {len(answers)} different answer(s)")
    print(f"  middle half of all times {low:.0f} to {high:.0f} microseconds")
    print(f"  {'wrong is':>17} {'median':>8} {'lowest 10 %':>12} {'highest 10 %':>13} {'told apart':>11}")
    for name, mine in times.items():
        tenths = statistics.quantiles(mine, n=10)
        chance = slower(mine, everything)
        print(f"  {name:>17} {tenths[4]:8.0f} {tenths[0]:12.0f} {tenths[8]:13.0f} {chance:11.3f}")
    return 1 if len(answers) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
