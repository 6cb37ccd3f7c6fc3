"""What is known to fail because of a peer, with the smallest proof. A row that begins to work fails its test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .combinations import Combination, Way


@dataclass(frozen=True, kw_only=True, slots=True)
class Defect:
    """One of a peer's."""

    title: str
    applies: Callable[[Combination], bool]
    proof: str


_UNREAD = Defect(
    title="GCM taken unread",
    applies=lambda _: False,
    proof="It does not know `authEnveloped-data`, takes the ciphertext for the payload, and answers `processed` "
    "without a MIC. A signed message shows it, because its receipt must carry our MIC; of an unsigned one "
    "nobody learns. `test_pyas2_takes_a_gcm_message_unread`.",
)

_LINES = Defect(
    title="line ends changed",
    applies=lambda _: False,
    proof="A payload whose lines end in LF leaves it with CRLF, and so do binary ones, unless their type is "
    "`application/octet-stream`; what it takes it keeps as it is. The payload of the matrix has CRLF. "
    "`test_pyas2lib_sends_other_line_ends_and_keeps_ours`.",
)

DEFECTS: dict[str, tuple[Defect, ...]] = {
    "pyas2lib": (
        Defect(
            title="PSS without its parameters",
            applies=lambda one: one.way is Way.IN and one.sign.endswith("pss"),
            proof="With `sign_alg=rsassa_pss` it hashes by `digest_alg`, but writes the algorithm id-RSASSA-PSS "
            "without parameters, which would mean SHA-1 (RFC 4055 3.1); RFC 4056 3 requires them to be there. "
            "`openssl cms -verify` refuses the same signature: `test_openssl_refuses_the_pss_of_pyas2lib_too`.",
        ),
        Defect(
            title="OAEP by SHA-1 only",
            applies=lambda one: one.way is Way.OUT and one.encrypt.endswith("oaep"),
            proof="`decrypt_message` in its `cms.py` calls `rsa_oaep_decrypt` for any id-RSAES-OAEP without a look at "
            "the parameters: SHA-1 is assumed, whatever hash they name. We write SHA-256 (RFC 8551 2.3).",
        ),
        _UNREAD,
        _LINES,
    ),
    "django-pyas2": (_UNREAD, _LINES),
}


def known(peer: str, one: Combination) -> Defect | None:
    """The defect that explains why a combination fails; None when it must work."""
    return next((defect for defect in DEFECTS.get(peer, ()) if defect.applies(one)), None)
