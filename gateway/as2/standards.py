"""Which sections of which standards the AS2 station keeps: one line each, with the module that does it and its test.

docs/standards.md is written from here (`make pages`), and a test holds that each module and test exists. No standard is
quoted: titles are our own words. It has more lines than other files, because a row is a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kept(StrEnum):
    """How far a section is kept."""

    YES = "yes"
    PARTIAL = "partial"
    NO = "no"
    NOTHING = "-"
    """It asks nothing of a station: words, references, registrations."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One section, or a few that belong together."""

    document: str
    section: str
    title: str
    kept: Kept
    modules: tuple[str, ...] = ()
    """Below `gateway`: `as2.opening`."""
    tests: tuple[str, ...] = ()
    """Below `tests`: `as2/test_layers.py::test_…`."""
    remark: str = ""
    """What is lacking, or done otherwise and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standard:
    """One document with its rows."""

    name: str
    about: str
    rows: tuple[Row, ...]


_FIELDS = 6

# section | title | yes, partial, no or - | modules | tests | remark. A row is one line; a heading is `# name | about`.
_TABLE = """
# RFC 4130 | AS2 itself.
1, 2.1-2.3, 3 | introduction, terms, the documents it builds on | - | | |
2.4.1 | the interchange with its envelope is what is protected | yes | pipeline.files | pipeline/test_attachments.py::test_a_payload_that_is_one_file_is_always_read |
2.4.2 | signed or not, encrypted or not, receipt or not | yes | as2.opening, as2.building | as2/test_layers.py::test_every_combination_of_layers_comes_back |
2.4.2 | hashes: SHA-1 recommended, MD5 read | partial | as2.algorithms | as2/test_layers.py::test_every_hash_signs_and_counts_only_where_it_is_accepted | SHA-256 and stronger; the two weak ones are read by a partner's switch, never sent
4 | the layers and their order | yes | as2.opening | as2/test_security.py::test_layers_stand_once_and_in_order |
5.1 | messages are posted | yes | connectors.as2, web.as2 | connectors/test_as2.py::test_octets_and_headers_arrive_unaltered_and_the_answer_comes_back |
5.2.1 | transfer encodings are not needed, and borne | yes | as2.mime | as2/test_mime.py::test_transfer_encodings_are_taken_off |
5.2.2 | nothing behind the last delimiter | yes | as2.mime | as2/test_security.py::test_octets_behind_the_closing_delimiter_are_refused |
5.3.1 | Content-Length, or chunks | yes | web.as2 | web/test_as2_endpoint.py::test_chunked_body_is_read_whole_and_over_the_limit_only_its_start |
5.3.2 | final and original recipient are the same | yes | as2.receipt | as2/test_receipts.py::test_a_receipt_names_message_mic_and_both_stations |
5.3.3 | Message-ID, given back as it came | yes | as2.addressing, as2.receipt | as2/test_addressing.py::test_a_message_id_that_could_split_our_receipt_is_refused |
5.3.4 | Host | yes | connectors.as2 | connectors/test_as2.py::test_octets_and_headers_arrive_unaltered_and_the_answer_comes_back |
5.4 | HTTP status codes | yes | web.as2, connectors.as2 | connectors/test_as2.py::test_outcome_of_each_refusing_answer |
5.5 | a failed transfer is tried again under the same Message-ID | yes | pipeline.sending | pipeline/test_sending.py::test_message_without_a_valid_receipt_is_sent_again_with_the_same_message_id |
6.1 | AS2-Version | yes | as2.building, as2.addressing | as2/test_addressing.py::test_whatever_version_they_have_we_name_ours |
6.2 | AS2-From and AS2-To, quoted where they must be | yes | as2.addressing | as2/test_addressing.py::test_every_name_we_write_we_read |
6.2 | a stranger may get an unsigned receipt | yes | pipeline.reception | pipeline/test_reception.py::test_unknown_relationship_gets_an_unsigned_receipt_and_a_bounded_record |
7.1 | signed receipts; the MIC of a multipart is over all of it, headers included | yes | as2.receipt, as2.opening | as2/test_attachments.py::test_a_message_of_three_files_is_taken_as_it_came |
7.2 | synchronous receipts, both ways | yes | as2.receipt, as2.verdict | as2/test_receipts.py::test_a_receipt_names_message_mic_and_both_stations |
7.2 | asynchronous receipts, both ways | yes | pipeline.receipting, pipeline.receipts | pipeline/test_asynchronous_reception.py::test_the_answer_is_empty_and_the_receipt_goes_to_the_address_asked_for, pipeline/test_receipts_by_themselves.py::test_two_gateways_exchange_an_order_and_its_receipt_comes_by_itself |
7.3 | asking for a receipt: protocol, hashes in order, importance | yes | as2.addressing, as2.building | as2/test_addressing.py::test_the_receipt_asked_for_is_read |
7.3 | the first hash that is supported is used | yes | as2.opening | as2/test_layers.py::test_the_first_supported_micalg_wins |
7.3 | Receipt-Delivery-Option | partial | as2.addressing, as2.building, partners.receipt_address | partners/test_receipt_address.py::test_any_other_address_is_refused_in_words | http and https, to addresses that are agreed; no mail
7.3.1 | who cannot be answered as asked is answered unsigned | yes | as2.receipt | as2/test_layers.py::test_no_supported_micalg_is_a_failure_answered_unsigned |
7.3.1 | which octets the MIC covers | yes | as2.opening, as2.building | as2/test_layers.py::test_the_mic_covers_what_the_rule_says |
7.4.1, 7.4.2 | the form of a receipt | yes | as2.receipt | as2/test_receipts.py::test_a_receipt_names_message_mic_and_both_stations |
7.4.3 | its fields | yes | as2.receipt, as2.verdict | as2/test_receipts.py::test_a_receipt_with_another_mic_is_refused | the asked hash, not the signature's, where both differ
7.4.4 | automatic action, sent automatically | yes | as2.receipt | as2/test_receipts.py::test_dispositions_are_read_as_they_are_written |
7.5.1, 7.5.2 | processed | yes | as2.receipt, as2.verdict | as2/test_receipts.py::test_dispositions_are_read_as_they_are_written |
7.5.3 | failed: unsupported format, unsupported MIC-algorithms | yes | as2.faults, as2.opening | as2/test_security.py::test_a_required_receipt_protocol_we_do_not_know_fails |
7.5.4 | processed with an error | yes | as2.faults | as2/test_receipts.py::test_every_refusal_has_a_receipt_the_sender_understands |
7.5.5 | processed with a warning | yes | as2.receipt, as2.verdict | as2/test_receipts.py::test_a_duplicate_answered_anew_is_processed_with_a_warning | we never go on where the sender could not be authenticated
7.5.6 | dispositions of earlier versions are read | yes | as2.verdict | as2/test_receipts.py::test_dispositions_are_read_as_they_are_written |
7.6 | the receipt in the HTTP answer: 2xx also for a refusal, no receipt that nobody asked for | partial | web.as2 | web/test_as2_endpoint.py::test_receipt_goes_out_byte_for_byte_with_its_own_headers | a receipt is given also where none was asked for
8 | certificates: several per partner, self-signed ones pinned, or by chain | yes | partners.keyring, partners.trust | pipeline/test_rollover.py::test_a_rollover_of_ours_refuses_no_message_at_any_moment |
9.1 | evidence is kept | yes | pipeline.reception | pipeline/test_reception.py::test_no_receipt_goes_out_when_the_commit_fails |
9.2 | HTTPS | yes | web.server, connectors.exchange | web/test_border.py::test_https_by_certificate_files |
9.3 | a repeat has no second effect | yes | pipeline.reception | pipeline/test_reception.py::test_same_message_id_gets_the_same_receipt_bytes_and_has_no_second_effect |
10 | registrations | - | | |

# RFC 5402 | Compression. Its sections 3 to 5 are cited as others cite them; the text could not be seen.
3 | compressed before or after it is signed, or without | yes | as2.compression, as2.building | as2/test_layers.py::test_every_combination_of_layers_comes_back |
4 | the MIC of a signed one: what was signed | yes | as2.opening | as2/test_layers.py::test_the_mic_of_a_signed_and_compressed_message_covers_what_was_signed |
4 | the MIC of an unsigned one: the uncompressed part, headers included | yes | as2.opening | as2/test_layers.py::test_the_mic_covers_what_the_rule_says |
5 | decompression-failed | yes | as2.faults | as2/test_security.py::test_a_bomb_is_stopped_by_ratio_and_by_absolute_size | inside an envelope it is decryption-failed, so that it tells an attacker nothing
| AS2-Version 1.1 or higher | yes | as2.building | as2/test_addressing.py::test_whatever_version_they_have_we_name_ours |

# RFC 6017 | The EDIINT-Features header. By subject: the text could not be seen.
| the header is written, on messages and receipts, with AS2-Version 1.2 | yes | as2.building, as2.receipt | as2/test_addressing.py::test_whatever_version_they_have_we_name_ours | multiple-attachments
| theirs is read, bounded; an unknown name is no fault | yes | as2.addressing | as2/test_addressing.py::test_the_features_of_a_station_are_read_and_never_refused | told on the trail, nothing is decided by it
| certificate exchange messages (CEM) | no | | | not named in the header

# RFC 6362 | Several files in one message. By subject: of the text only the beginning could be seen.
| several files are a multipart/related | yes | as2.attachments | as2/test_attachments.py::test_what_we_send_together_comes_back |
| received: EDI and other files, as other stations write them | yes | as2.attachments, pipeline.files | as2/test_attachments.py::test_a_message_of_three_files_is_taken_as_it_came |
| each interchange is answered as if it had come alone | yes | pipeline.reading | pipeline/test_attachments.py::test_two_interchanges_and_a_drawing_come_in_one_message |
| the MIC is over the multipart as a whole, headers included | yes | as2.opening | as2/test_attachments.py::test_a_message_of_three_files_is_taken_as_it_came | without its headers where nothing protects it, as RFC 4130 7.3.1 says
| any media type is kept as it came | yes | pipeline.files | pipeline/test_attachments.py::test_what_is_read_as_an_interchange |

# draft-ietf-ediint-rfc4130bis-05 | The successor of RFC 4130 in work, of 2 October 2026; its text was seen in sections 1 and 3 to 11. It is a draft: we say AS2-Version 1.2, not the 1.3 that it defines.
1, 2, 3 | introduction, terms, the documents it builds on | - | | |
1.2 | the S/MIME 4.0 structures, and the older ones too | yes | as2.envelope | as2/test_layers.py::test_every_cipher_and_key_transport |
4.2 | every combination of layers, compressed before or after signing | yes | as2.opening, as2.building | as2/test_layers.py::test_every_combination_of_layers_comes_back |
4.2 | any content type is handed on unaltered | yes | as2.opening | as2/test_attachments.py::test_a_message_of_one_file_has_no_attachments |
5.1 | TLS 1.3, and 1.2 where it must be | yes | web.server, connectors.exchange | web/test_border.py::test_https_by_certificate_files |
5.2.1 | transfer encodings inside the body | yes | as2.mime | as2/test_mime.py::test_transfer_encodings_are_taken_off |
5.2.2 | nothing behind the last delimiter | yes | as2.mime | as2/test_security.py::test_octets_behind_the_closing_delimiter_are_refused |
5.3.2 | recipients are the same | yes | as2.receipt | as2/test_receipts.py::test_a_receipt_names_message_mic_and_both_stations |
5.3.3 | Message-ID given back exactly, also without angle brackets | yes | as2.receipt, as2.verdict | as2/test_receipts.py::test_a_receipt_names_message_mic_and_both_stations |
5.3.3 | a malformed one gets a receipt that says so | partial | as2.addressing | as2/test_addressing.py::test_a_message_id_that_could_split_our_receipt_is_refused | answered with HTTP 400: it could not be copied into a receipt; blanks are borne
5.4 | 204 or 202 where the receipt comes later | yes | pipeline.receipting | pipeline/test_asynchronous_reception.py::test_the_answer_is_empty_and_the_receipt_goes_to_the_address_asked_for | 202
5.4 | 102 while processing | yes | web.patience | web/test_patience.py::test_the_sender_is_told_to_wait_until_the_receipt_is_made | optional: sent only where it is agreed, as many HTTP clients take it for the answer; borne from any
5.4, 5.5 | what is tried again, and what is not | yes | pipeline.sending, connectors.as2 | connectors/test_as2.py::test_outcome_of_each_refusing_answer |
5.5 | retries reuse the Message-ID | yes | pipeline.sending | pipeline/test_sending.py::test_message_without_a_valid_receipt_is_sent_again_with_the_same_message_id |
5.5 | a duplicate gets the receipt of the first | yes | pipeline.reception | pipeline/test_reception.py::test_same_message_id_gets_the_same_receipt_bytes_and_has_no_second_effect |
5.5 | AS2 Restart | no | | | optional
5.6 | connections may stay open | yes | connectors.exchange | connectors/test_as2.py::test_octets_and_headers_arrive_unaltered_and_the_answer_comes_back |
6.1 | AS2-Version up to 1.2; theirs may be absent or any 1.x | yes | as2.building, as2.addressing | as2/test_addressing.py::test_whatever_version_they_have_we_name_ours |
6.2 | AS2-Product, required from 1.3 on | no | | |
6.3 | AS2-From and AS2-To | yes | as2.addressing | as2/test_addressing.py::test_every_name_we_write_we_read |
7.1, 7.2 | SHA-256, SHA-384; weaker ones are not generated | yes | as2.algorithms | as2/test_layers.py::test_every_hash_signs_and_counts_only_where_it_is_accepted |
7.3 | AES-128 and 256 in CBC and GCM | yes | as2.algorithms, as2.envelope | as2/test_layers.py::test_every_cipher_and_key_transport |
7.3 | AES-CCM | no | | | recommended; no peer is known to send it
7.3.1 | AuthEnvelopedData for GCM, EnvelopedData for CBC, one cipher for all recipients | yes | as2.envelope | as2/test_security.py::test_a_cipher_unknown_or_in_the_wrong_structure_is_refused |
7.3.2 | several recipients, with keys of both kinds | yes | as2.recipients | as2/test_recipients.py::test_any_of_several_recipients_of_both_kinds_opens_it |
7.3.2 | a copy of the key for ourselves | no | | | what we sent is kept in the store
8.1 | signed receipts; the MIC of a multipart is over all of it | yes | as2.receipt, as2.opening | as2/test_attachments.py::test_a_message_of_three_files_is_taken_as_it_came |
8.2 | synchronous receipts | yes | as2.receipt, as2.verdict | as2/test_receipts.py::test_a_receipt_names_message_mic_and_both_stations |
8.2 | asynchronous receipts: received (must), sent (should) | yes | pipeline.receipts, pipeline.receipting | pipeline/test_receipts_by_themselves.py::test_a_receipt_is_taken_at_both_addresses, pipeline/test_asynchronous_reception.py::test_the_answer_is_empty_and_the_receipt_goes_to_the_address_asked_for |
8.3 | the first supported hash of the list, none beyond it | yes | as2.opening | as2/test_layers.py::test_the_first_supported_micalg_wins |
8.3 | Disposition-Notification-To may hold anything | yes | as2.addressing | as2/test_addressing.py::test_the_receipt_asked_for_is_read |
8.3.1 | which octets the MIC covers; refusals are signed too | yes | as2.opening, as2.receipt | as2/test_layers.py::test_the_mic_covers_what_the_rule_says |
8.4.1, 8.4.2, 8.4.4, 8.4.5 | the form of a receipt, its required fields | yes | as2.receipt | as2/test_receipts.py::test_a_receipt_names_message_mic_and_both_stations |
8.4.3 | the MIC in the hash of the signature | partial | as2.opening | as2/test_layers.py::test_the_first_supported_micalg_wins | 8.3 wants the asked one: it is what the sender compares; without a list it is the signature's
8.4.3, 8.5.4 | duplicate-filename, illegal-filename, invalid-message-id, unknown-trading-partner | partial | as2.verdict | as2/test_receipts.py::test_dispositions_are_read_as_they_are_written | read as any error; never written: names are made safe instead
8.5.1-8.5.6 | dispositions, also those of earlier versions | yes | as2.faults, as2.receipt, as2.verdict | as2/test_receipts.py::test_dispositions_are_read_as_they_are_written |
8.6 | the receipt in the HTTP answer | partial | web.as2 | web/test_as2_endpoint.py::test_receipt_goes_out_byte_for_byte_with_its_own_headers | it does not repeat subject and date
9, 9.1 | certificates of 2048 bits or more, self-signed ones pinned | yes | partners.keys | partners/test_keys.py::test_a_weak_or_unfit_partner_key_is_noticed |
9.1, 9.3 | never the certificate of TLS | no | | | the operator's to keep; nothing looks
9.2 | CEM, or exchange by hand with proof | partial | partners.letter | cli/test_certificate.py::test_the_letter_has_the_certificate_its_fingerprints_and_the_date_and_is_noted | by hand, with fingerprints; exchanges prove the rest
10.1, 10.2 | TLS: versions and ciphers by choice of the administrator | partial | web.server | web/test_border.py::test_https_by_certificate_files | 1.2 and 1.3, Python's ciphers
10.3 | evidence is kept | yes | pipeline.reception | pipeline/test_reception.py::test_no_receipt_goes_out_when_the_commit_fails |
10.4 | a repeat has no second effect | yes | pipeline.reception | pipeline/test_reception.py::test_same_message_id_gets_the_same_receipt_bytes_and_has_no_second_effect |
11-13, A, B | registrations, references, examples, changes | - | | |

# RFC 8551 | S/MIME 4.0, where AS2 uses it.
2.2 | SHA-256, SHA-512 | yes | as2.algorithms | as2/test_layers.py::test_every_hash_signs_and_counts_only_where_it_is_accepted |
2.3 | signatures: RSA PKCS#1 v1.5, RSA-PSS, ECDSA | yes | as2.schemes | as2/test_schemes.py::test_every_key_signs_message_and_receipt_with_every_hash |
2.3 | signatures: EdDSA | no | | |
2.4 | the keys of several recipients | yes | as2.recipients | as2/test_recipients.py::test_any_of_several_recipients_of_both_kinds_opens_it |
2.5 | signing time, content type, digest as signed attributes | yes | as2.signature | as2/test_security.py::test_signed_attributes_must_tie_the_signature_to_the_content |
2.7 | AES-128 and 256, GCM and CBC | yes | as2.algorithms | as2/test_layers.py::test_every_cipher_and_key_transport |
2.7 | ChaCha20-Poly1305 | no | | |
3.1 | what is signed is not rewritten | yes | as2.mime | as2/test_security.py::test_a_line_end_more_or_less_is_changed_content |
3.2 | application/pkcs7-mime | yes | as2.building, as2.opening | as2/test_openssl_peer.py::test_openssl_decrypts_and_verifies_a_message_of_ours |
3.3, 3.4 | enveloped and authenticated-enveloped | yes | as2.envelope | as2/test_layers.py::test_every_cipher_and_key_transport |
3.5.2 | opaque signatures | no | as2.opening | as2/test_security.py::test_an_opaque_signature_is_no_layer_of_as2 | RFC 4130 has multipart/signed only
3.5.3 | multipart/signed, micalg | yes | as2.building, as2.opening | as2/test_openssl_peer.py::test_openssl_verifies_whatever_we_sign |
3.6 | compressed | yes | as2.compression | as2/test_layers.py::test_every_combination_of_layers_comes_back |
3.7 | several layers | yes | as2.opening | as2/test_security.py::test_layers_stand_once_and_in_order |
3.8 | messages with certificates only | no | | |
4 | certificates: size of keys | yes | partners.keys | partners/test_keys.py::test_a_weak_or_unfit_partner_key_is_noticed |

# RFC 5652 | The Cryptographic Message Syntax.
5.1-5.3 | SignedData, several signers | yes | as2.signature | as2/test_schemes.py::test_the_first_signer_who_is_known_decides | of 16 the first known one decides
5.4-5.6 | digest and verification with signed attributes | yes | as2.signature | as2/test_security.py::test_signed_attributes_must_tie_the_signature_to_the_content |
5.4 | signatures without signed attributes | no | as2.signature | as2/test_security.py::test_a_signature_without_attributes_is_refused | refused: such a signature could be passed off
6.1, 6.3, 6.4 | EnvelopedData | yes | as2.envelope | as2/test_openssl_peer.py::test_we_decrypt_what_openssl_encrypted |
6.2.1 | recipients by issuer and serial number, or by key identifier | yes | as2.recipients | as2/test_vectors.py::test_we_open_every_vector |
6.2.2 | recipients by key agreement | yes | as2.recipients, as2.key_agreement | as2/test_recipients.py::test_every_cipher_goes_to_every_curve |
6.2.3-6.2.5 | key-encryption keys, passwords, other recipients | no | as2.recipients | as2/test_recipients.py::test_recipients_of_kinds_we_do_not_use_are_passed_over | passed over: AS2 has certificates
11.1-11.3 | content type, digest, signing time | yes | as2.signature | as2/test_security.py::test_signed_attributes_must_tie_the_signature_to_the_content |
11.4 | countersignatures | no | | | passed over

# RFC 5083, RFC 5084 | Authenticated encryption.
5083 2 | AuthEnvelopedData | yes | as2.envelope | as2/test_layers.py::test_every_cipher_and_key_transport |
5084 3.2 | AES-GCM | yes | as2.envelope | as2/test_layers.py::test_every_cipher_and_key_transport |
5084 3.1 | AES-CCM | no | | |

# RFC 3565, RFC 3370 | Ciphers and key transport.
3565 | AES in CBC | yes | as2.envelope | as2/test_layers.py::test_every_cipher_and_key_transport |
3370 4.2.1 | RSA PKCS#1 v1.5 key transport | yes | as2.recipients | as2/test_layers.py::test_every_cipher_and_key_transport | a wrong padding is not found out
3370 5.1 | 3DES | partial | as2.envelope | as2/test_security.py::test_a_cipher_outside_the_policy_is_refused | read by a partner's switch, never sent

# RFC 3560, RFC 4055 | RSA-OAEP.
3560; 4055 4.1 | key transport by OAEP | yes | as2.recipients | as2/test_layers.py::test_every_cipher_and_key_transport | SHA-256, 384, 512 are written, SHA-1 is read too; no label
4055 1.2 | certificates with keys for PSS only | partial | as2.schemes | as2/test_schemes.py::test_a_key_for_pss_only_signs_so_whatever_is_configured | their parameters are not compared
4055 4.1 | certificates with keys for OAEP only | no | | | the library does not load them

# RFC 4056 | RSA-PSS.
2, 3 | signatures, made and verified | yes | as2.schemes | as2/test_schemes.py::test_pss_says_its_hash_its_mask_and_a_salt_as_long_as_the_hash | any salt is read

# RFC 5753, RFC 5754 | Elliptic curves.
5754 3.3 | ECDSA with P-256, P-384, P-521, both ways | yes | as2.schemes | as2/test_layers.py::test_an_elliptic_curve_key_signs_message_and_receipt |
5753 3.1, 7.2 | recipients with elliptic curve keys: ephemeral-static ECDH | yes | as2.key_agreement | as2/test_recipients.py::test_every_cipher_goes_to_every_curve |
5753 7.1.4 | dhSinglePass-stdDH with SHA-2; SHA-1 is read | yes | as2.key_agreement | as2/test_recipients.py::test_what_peers_may_write_is_read |
5753 3.2, 7.1.4 | MQV, cofactor ECDH, static senders | no | | |
RFC 8418 | X25519 | no | | |
RFC 3394, RFC 3565 2.3.2 | AES key wrap | yes | as2.key_agreement | as2/test_recipients.py::test_what_peers_may_write_is_read |
RFC 3217 | 3DES key wrap | no | | |

# RFC 3274 | Compressed data.
1, 2 | CompressedData with zlib | yes | as2.compression | as2/test_security.py::test_a_bomb_is_stopped_by_ratio_and_by_absolute_size |

# MIME and its neighbours | As far as AS2 needs them.
RFC 1767 | media types of EDI | yes | pipeline.files | pipeline/test_attachments.py::test_what_is_read_as_an_interchange |
RFC 1847 2.1 | multipart/signed by its received octets | yes | as2.mime, as2.opening | as2/test_security.py::test_a_signature_part_may_be_binary_and_a_preamble_may_stand |
RFC 2045 5.1, 6 | parameters, transfer encodings | yes | as2.mime | as2/test_mime.py::test_structured_values_are_read |
RFC 2046 5.1.1 | multiparts | yes | as2.mime | as2/test_mime.py::test_parts_are_the_octets_between_delimiters |
RFC 2047 | encoded words in file names | yes | as2.filenames | as2/test_filenames.py::test_every_form_of_a_file_name_is_read | read, never written
RFC 2183 2.3 | file names without paths | yes | as2.filenames | as2/test_filenames.py::test_a_name_that_was_read_is_only_a_name |
RFC 2231 3, 4 | file names beyond ASCII, and in pieces | yes | as2.filenames | as2/test_filenames.py::test_a_name_that_is_safe_comes_back |
RFC 2387 3 | multipart/related: type, start, root | yes | as2.attachments | as2/test_attachments.py::test_the_root_is_the_part_that_start_names |
RFC 8098 3 | message disposition notifications | yes | as2.receipt, as2.verdict | as2/test_receipts.py::test_a_receipt_names_message_mic_and_both_stations |
X.690 8 | BER: indefinite lengths, strings in pieces; bounded | yes | as2.ber | as2/test_ber.py::test_indefinite_lengths_and_constructed_octet_strings_are_read |
"""  # noqa: E501  a row a line


def _read(table: str) -> Iterator[Standard]:
    """The table's text as values. Raises ValueError for a row that is none."""
    for block in table.strip().split("\n# "):
        heading, *lines = block.removeprefix("# ").strip().split("\n")
        name, _, about = heading.partition(" | ")
        yield Standard(name=name, about=about, rows=tuple(_row(name, line) for line in lines))


def _row(document: str, line: str) -> Row:
    fields = [field.strip() for field in line.split("|")]
    if len(fields) != _FIELDS:
        raise ValueError(f"{document}: a row has {_FIELDS} fields: {line}")
    section, title, kept, modules, tests, remark = fields
    return Row(
        document=document,
        section=section,
        title=title,
        kept=Kept(kept),
        modules=tuple(filter(None, modules.split(", "))),
        tests=tuple(filter(None, tests.split(", "))),
        remark=remark,
    )


STANDARDS: tuple[Standard, ...] = tuple(_read(_TABLE))


def markdown() -> str:
    """docs/standards.md."""
    rows = [row for standard in STANDARDS for row in standard.rows]
    counts = ", ".join(f"{sum(row.kept is kept for row in rows)} {kept}" for kept in Kept if kept is not Kept.NOTHING)
    lines = [
        "# Standards",
        "",
        "Generated by `make pages` from `gateway/as2/standards.py`; do not edit.",
        "",
        f"What the AS2 station keeps of each standard, section by section: {counts}.",
        f"`{Kept.NOTHING}` is a section that asks nothing of a station. Titles are our own words. Modules are below",
        "`gateway`, tests below `tests`; a test holds that each of them exists.",
    ]
    for standard in STANDARDS:
        lines += [
            "",
            f"## {standard.name}",
            "",
            standard.about,
            "",
            "| section | | | module | test |",
            "|---|---|---|---|---|",
        ]
        for row in standard.rows:
            title = f"{row.title} ({row.remark})" if row.remark else row.title
            modules = ", ".join(f"`{one}`" for one in row.modules)
            tests = ", ".join(f"`{one}`" for one in row.tests)
            lines.append(f"| {row.section} | {title} | {row.kept} | {modules} | {tests} |")
    return "\n".join(lines) + "\n"
