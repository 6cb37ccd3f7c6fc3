"""The bare cost of one inbound AS2 exchange: the cryptography nobody can avoid, over buffers already in memory.

One RSA-2048 decryption (session key), one AES-256-CBC pass, one SHA-256 of the content, one RSA verification, one RSA
signature. Every ratio in `bench.as2` is to this, in the same run. `python -m bench.primitives`
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SIZES = {"4 KB": 4 * 1024, "100 KB": 100 * 1024, "10 MB": 10 * 1024 * 1024}


def bare_exchange(size: int) -> Callable[[], None]:
    """One exchange of primitives over `size` octets of content."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key()
    scheme, digest = padding.PKCS1v15(), hashes.SHA256()
    key, vector, content = os.urandom(32), os.urandom(16), os.urandom(size)
    wrapped = public.encrypt(key, scheme)
    short = os.urandom(100)
    signature = private.sign(short, scheme, digest)
    plain = bytearray(size + 16)  # its pages are there: what the system needs to give new ones is no cryptography

    def run() -> None:
        session = private.decrypt(wrapped, scheme)
        cipher = Cipher(algorithms.AES(session), modes.CBC(vector)).decryptor()
        cipher.update_into(content, plain)
        cipher.finalize()
        hashlib.sha256(content).digest()
        public.verify(signature, short, scheme, digest)
        private.sign(short, scheme, digest)

    return run


def cpu_milliseconds(*works: Callable[[], object], seconds: float = 5.0) -> list[float]:
    """CPU of this process per call of each work: the least of many single calls, the works taken in turns.

    Turns put all of them under the same load from the machine's other work; the least is what remains without it.
    """
    best = [float("inf")] * len(works)
    until = time.perf_counter() + seconds
    turns = 0
    while turns < 5 or time.perf_counter() < until:
        for number, work in enumerate(works):
            started = time.process_time()
            work()
            best[number] = min(best[number], (time.process_time() - started) * 1000)
        turns += 1
    return best


def main() -> None:
    """Print the bare cost by size."""
    print("bare RSA-2048 + AES-256-CBC + SHA-256, CPU ms per exchange")
    for name, size in SIZES.items():
        print(f"  {name:>7}  {cpu_milliseconds(bare_exchange(size))[0]:8.3f}")


if __name__ == "__main__":
    main()
