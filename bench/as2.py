"""One inbound AS2 exchange (decrypt, verify, MIC, signed MDN) against its bare cryptography, in the same run.

Aims: at most 1.3 times at 4 KB, 1.5 times at 10 MB. `python -m bench.as2`; with GATEWAY_PEERS (`make peers` makes that
folder) pyas2lib opens the same messages, in a process of its own environment.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bench.primitives import SIZES, bare_exchange, cpu_milliseconds
from gateway.as2 import Built, KeyPair, Policy, ReceiptKind, Stretch, build_message, build_receipt, open_message
from gateway.as2.octets import IN_MEMORY
from gateway.cli.serve import settle
from gateway.store.spool import SpoolFile

DIFFERENT = 200
"""Small messages that arrive one after the other, no two alike."""
AIMS = {"4 KB": 1.3, "10 MB": 1.5, "10 MB by file": 1.5}
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PEER = Path(__file__).parents[1] / "tests/as2/peers/pyas2lib_peer.py"


def make_pair(name: str) -> KeyPair:
    """A self-signed RSA-2048 pair."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=365))
    return KeyPair(private_key=key, certificate=builder.sign(key, hashes.SHA256()))


def message(size: int, acme: KeyPair, ours: KeyPair, *, compress: bool, number: int = 1) -> Built:
    """A message of that size from acme, signed, encrypted for us, with a signed receipt asked for."""
    return build_message(
        _payload(size),
        content_type="application/edi-x12",
        filename=f"order-{number}.edi",
        as2_from="acme",
        as2_to="ours",
        message_id=f"<{number}@acme>",
        date=NOW,
        subject="order",
        sign_with=acme,
        encrypt_for=[ours.certificate],
        compress=compress,
        receipt=ReceiptKind.SIGNED,
    )


@cache
def _payload(size: int) -> bytes:
    return os.urandom(size // 2).hex().encode("ascii")


def exchange(
    size: int, *, compress: bool, folder: Path | None = None
) -> tuple[Callable[[], object], Callable[[], Built]]:
    """Receiving one message of that size, and building it.

    With `folder` it is received as the server receives what is over 1 MiB: from a file, layer by layer into files.
    """
    acme, ours = make_pair("acme"), make_pair("ours")
    send = partial(message, size, acme, ours, compress=compress)
    # Each other than the ones before it: nothing is remembered that a server would not remember.
    arriving = cycle([send(number=number) for number in range(DIFFERENT if size <= IN_MEMORY else 1)])
    policy = Policy()
    made: list[SpoolFile] = []

    def scratch() -> SpoolFile:
        assert folder is not None
        made.append(SpoolFile(folder))
        return made[-1]

    arrived: SpoolFile | None = None
    if folder is not None:
        arrived = SpoolFile(folder)
        arrived.write(bytes(next(arriving).body))

    def receive() -> object:
        built = next(arriving)
        opened = open_message(
            built.headers,
            built.body if arrived is None else Stretch(arrived),
            keys=[ours],
            partner_certificates=[acme.certificate],
            policy=policy,
            spool=None if folder is None else scratch,
        )
        while made:
            made.pop().discard()
        return build_receipt(
            request=opened.addressing,
            opened=opened,
            fault=None,
            key=ours,
            our_name="partner-gateway",
            message_id="<2@ours>",
            date=NOW,
        )

    return receive, send


def pyas2lib(size: int) -> float | None:
    """CPU milliseconds that pyas2lib needs for the same exchange; None where it is not there."""
    python = Path(os.environ.get("GATEWAY_PEERS", "/nonexistent")) / "pyas2lib" / "bin" / "python"
    if not python.exists():
        return None
    acme, ours = make_pair("acme"), make_pair("ours")
    built = message(size, acme, ours, compress=False)
    lines = "".join(f"{name}: {value}\r\n" for name, value in built.headers)
    key = ours.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    request = {
        "do": "cost",
        "our_name": "ours",
        "their_name": "acme",
        "our_key": _text(key + ours.certificate.public_bytes(Encoding.PEM)),
        "their_certificate": _text(acme.certificate.public_bytes(Encoding.PEM)),
        "settings": {},
        "raw": _text(f"{lines}\r\n".encode("ascii") + bytes(built.body)),
        "times": 3 if size > IN_MEMORY else 50,
    }
    done = subprocess.run([python, PEER], input=json.dumps(request).encode(), capture_output=True, check=True)
    answer = json.loads(done.stdout)
    if answer["status"] != "processed":
        raise RuntimeError(f"pyas2lib did not take the message: {answer}")
    return float(answer["milliseconds"])


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _by_file(folder: Path) -> Iterator[tuple[str, int, Path]]:
    """The rows above `IN_MEMORY`: as the server does them."""
    for name, size in SIZES.items():
        if size > IN_MEMORY:
            yield f"{name} by file", size, folder


def main() -> None:
    """Print milliseconds, ratios and aims."""
    settle()  # the collector, as `gateway serve` has it
    print("AS2 inbound exchange, RSA-2048, AES-256-CBC, SHA-256, signed MDN; CPU ms")
    print(f"  {'payload':>15} {'bare':>8} {'exchange':>9} {'ratio':>6} {'aim':>5} {'compressed':>11} {'send':>8}")
    with TemporaryDirectory(prefix="gateway-bench-") as name:
        for row, size, folder in (*((name, size, None) for name, size in SIZES.items()), *_by_file(Path(name))):
            receive, send = exchange(size, compress=False, folder=folder)
            bare, ours, inflated, sending = cpu_milliseconds(
                bare_exchange(size), receive, exchange(size, compress=True, folder=folder)[0], send
            )
            aim = AIMS.get(row) or "-"
            ratio = ours / bare
            print(f"  {row:>15} {bare:8.3f} {ours:9.3f} {ratio:6.2f} {aim:>5} {inflated:11.3f} {sending:8.3f}")
            if folder is None and (theirs := pyas2lib(size)) is not None:
                print(f"  {'pyas2lib':>15} {bare:8.3f} {theirs:9.3f} {theirs / bare:6.2f}")
    receive, _ = exchange(50 * 1024 * 1024, compress=False)
    tracemalloc.start()
    receive()
    print(f"  50 MB: {tracemalloc.get_traced_memory()[1] / 2**20:.0f} MB of memory added at the peak")
    tracemalloc.stop()


if __name__ == "__main__":
    main()
