"""The attacks that are tried whenever the tests run: one line each, with what happens and the tests that show it.

The table of docs/security.md is written from here (`make pages`); a test holds that each named test exists. It has
longer lines than other files, because a row is a line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARKER = "<!-- generated: make pages, from tests/security_table.py -->"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attack:
    """One attack, or a few that are answered alike."""

    kind: str
    attack: str
    answer: str
    """What happens."""
    tests: tuple[str, ...]
    """Below `tests`: `as2/test_security.py::test_…`."""


# A heading is `# kind`; a row is attack | what happens | tests. A test without a file stands in the file before it.
_TABLE = """
# Forged messages
no signer in the signature | refused: `authentication-failed` | as2/test_security.py::test_a_signature_without_a_signer_is_refused
signed by somebody else | refused: `authentication-failed`, whatever certificate comes with it | as2/test_security.py::test_a_signature_of_somebody_else_is_refused, ::test_somebody_elses_signature_under_the_partners_name_is_refused
signature over other content, a line end more or less | refused: `integrity-check-failed` | as2/test_security.py::test_changed_content_is_refused, ::test_a_line_end_more_or_less_is_changed_content, as2/test_attacks.py::test_a_signature_of_another_message_does_not_count
wrapped signatures: a genuine signed message beside, before, behind or inside a forged one | vouches for nothing but itself; refused | as2/test_attacks.py::test_a_genuine_signed_message_beside_a_forged_one_vouches_for_neither, ::test_a_forged_part_before_the_signed_one_is_no_signed_message, ::test_a_forged_preamble_or_epilogue_is_not_the_message, ::test_a_message_signed_inside_somebody_elses_signature_is_not_the_partners
signed attributes stripped, doubled, or of another content | refused: `integrity-check-failed` | as2/test_security.py::test_a_signature_without_attributes_is_refused, ::test_signed_attributes_must_tie_the_signature_to_the_content
a certificate of the partner's authority with another name, weak, an authority's, or expired | by chain only the subject that the agreement names counts, by all the rules | partners/test_trust.py::test_what_does_not_chain_or_fit_is_refused_with_the_reason
an expired or revoked certificate of the partner, an old key in wrong hands | refused in a stranger's words | pipeline/test_rollover.py::test_an_expired_signer_is_told_what_a_stranger_is_told_and_we_learn_which_it_was, ::test_a_revoked_certificate_is_a_strangers, partners/test_trust.py::test_a_list_signed_by_a_stranger_revokes_nothing
encrypted only, or signed only, where both are agreed | refused: `insufficient-message-security`, from what was really decrypted and verified | as2/test_security.py::test_what_must_be_encrypted_or_signed_and_is_not_is_refused
compressed, or anything else, posing as encrypted | a layer is what its structure says, not its Content-Type | as2/test_security.py::test_compressed_posing_as_encrypted_is_not_encrypted
a weak hash or cipher, also beside a strong one | refused unless the partner's switch allows it | as2/test_security.py::test_a_weak_hash_needs_the_partner_switch, ::test_a_weak_hash_in_the_scheme_beside_a_strong_digest_is_refused, ::test_a_cipher_outside_the_policy_is_refused
layers twice, or in an order that AS2 does not have | refused | as2/test_security.py::test_layers_stand_once_and_in_order
octets behind the closing delimiter | refused: no signature covers them | as2/test_security.py::test_octets_behind_the_closing_delimiter_are_refused
PSS or OAEP parameters that do not fit, several signers | refused, or the first known signer decides | as2/test_schemes.py::test_pss_parameters_that_do_not_fit_are_refused, ::test_the_first_signer_who_is_known_decides

# Forged receipts
a receipt for another message | refused; the message is sent again | as2/test_receipts.py::test_a_receipt_for_another_message_is_refused, pipeline/test_sending.py::test_message_without_a_valid_receipt_is_sent_again_with_the_same_message_id
a receipt with another MIC, or none | refused | as2/test_receipts.py::test_a_receipt_with_another_mic_is_refused, ::test_a_receipt_without_a_mic_for_a_signed_message_is_refused
unsigned where a signed one was asked for | proves nothing | as2/test_receipts.py::test_an_unsigned_receipt_proves_nothing_when_a_signed_one_was_asked_for
signed by somebody else, changed on the way | refused | as2/test_receipts.py::test_a_receipt_signed_by_somebody_else_is_refused, ::test_a_changed_receipt_is_refused
"duplicate" said by whom it was never sent to | counts only when signed, and for our MIC | as2/test_receipts.py::test_a_duplicate_counts_without_a_mic_only_when_signed_and_ours

signed by another partner of ours | refused: only the certificates of whom we wrote to count | pipeline/test_walls.py::test_a_receipt_signed_by_another_partner_delivers_nothing
a genuine receipt replayed for another message | refused: it names the first | ::test_a_genuine_receipt_replayed_for_another_message_delivers_nothing
a receipt by itself that proves nothing: unsigned, of another partner, for an unknown message, from a stranger | refused in the same words, recorded within bounds, changes nothing | pipeline/test_receipts_by_themselves.py::test_a_receipt_that_proves_nothing_is_refused_recorded_and_changes_nothing, ::test_a_receipt_of_another_partner_is_refused_as_if_the_message_were_unknown, ::test_a_receipt_from_a_stranger_is_refused_and_its_record_is_nobodys, ::test_what_is_refused_again_and_again_is_recorded_within_bounds
a receipt that comes twice, or after another verdict | has one effect | ::test_a_receipt_that_comes_twice_has_one_effect, ::test_a_refusal_after_the_receipt_changes_nothing, ::test_two_receipts_at_once_at_two_nodes_have_one_effect

# Addresses that we are to call
a receipt URL to a private address, by number or by name | refused; never connected to | partners/test_receipt_address.py::test_a_private_address_is_refused_at_once_unless_the_agreement_names_it_whole, ::test_an_address_that_is_not_of_the_public_internet_is_not_public, connectors/test_asynchronous_receipts.py::test_no_name_or_number_of_a_private_machine_is_ever_connected_to
a receipt URL that is not agreed | the message is refused, in the answer | partners/test_receipt_address.py::test_any_other_address_is_refused_in_words, pipeline/test_asynchronous_reception.py::test_an_address_that_is_not_allowed_refuses_the_message_in_the_answer
a name server that changes its answer | the address connected to is the one that was judged | connectors/test_asynchronous_receipts.py::test_a_name_server_that_changes_its_answer_does_not_help
a redirect to wherever | never followed | ::test_a_redirect_to_wherever_is_a_permanent_refusal, pipeline/test_asynchronous_reception.py::test_a_redirect_is_never_followed
our credentials for another host | go to the partner's station only | connectors/test_asynchronous_receipts.py::test_our_credentials_go_to_the_station_and_to_no_other_host
floods in a partner's name, so that we flood the partner | one receipt a minute for repeats; beyond the bounds none goes by itself | pipeline/test_asynchronous_reception.py::test_a_flood_in_a_partners_name_makes_no_flood_of_receipts, ::test_many_repeats_are_one_receipt_a_minute
another certificate, another host, older TLS, a proxy that reads along | refused | connectors/test_as2_transport.py::test_a_ca_of_their_own_is_trusted_and_only_that_one, ::test_a_certificate_for_another_host_is_refused_unless_that_name_was_agreed, ::test_a_pinned_certificate_is_trusted_whoever_signed_it_and_no_other_one, ::test_tls_older_than_agreed_is_refused, ::test_a_proxy_tunnels_and_cannot_read_along
answers without end | an uncertain failure, in time | web/test_patience.py::test_interim_answers_without_end_are_an_uncertain_failure_in_time, connectors/test_as2.py::test_a_receipt_that_is_too_long_or_breaks_off_is_uncertain

# One partner against another
each with the other's certificate | refused: `authentication-failed` | pipeline/test_walls.py::test_each_partner_with_the_others_certificate_is_refused
without the agreed password or client certificate, or with another's | 401, 403 before the body is read | pipeline/test_as2_agreements.py::test_requests_carry_user_and_password_where_agreed, ::test_requests_show_the_agreed_client_certificate_where_agreed, ::test_a_denied_sender_is_answered_before_its_body
an AS2 name that differs in case, blanks or a look-alike; AS2-To of somebody else | a stranger: an unsigned refusal | pipeline/test_walls.py::test_a_name_that_is_nearly_a_partners_is_a_strangers, pipeline/test_reception.py::test_unknown_relationship_gets_an_unsigned_receipt_and_a_bounded_record
a partner's message under one's own name | refused: `authentication-failed` | pipeline/test_walls.py::test_a_message_of_another_partner_is_not_taken_under_ones_own_name
a partner's interchange, signed anew | its sender is another's: nothing is answered, no number is used up | ::test_another_partners_interchange_signed_anew_answers_nothing_and_takes_no_number
another's Message-ID, used first or repeated | duplicates are found within a partner; a refused one blocks nothing | ::test_a_partners_message_id_used_by_another_partner_is_no_duplicate, ::test_a_refused_forgery_under_a_partners_message_id_does_not_block_the_genuine_one
what evidence of a message tells of others | nothing: hashes of their events; no private key | ::test_evidence_of_a_partners_message_holds_nothing_of_another_partner, pipeline/test_evidence.py::test_no_private_key_is_among_the_files, ::test_what_a_partner_wrote_never_becomes_a_command
a 997 or an answer for another's order | closes and answers nothing | pipeline/test_walls.py::test_an_answer_of_another_partner_closes_nothing

# Replays
the same message again | the first receipt, octet for octet; no second effect | pipeline/test_reception.py::test_same_message_id_gets_the_same_receipt_bytes_and_has_no_second_effect
the same message again and again, to fill trail and disk | the trail tells of a hundred repeats | store/conformance/test_accept.py::test_a_message_that_is_sent_again_and_again_does_not_fill_its_trail
a known Message-ID with other content | refused and kept | pipeline/test_reception.py::test_known_message_id_with_other_content_is_refused_and_kept
an old genuine message under a new Message-ID, which AS2 does not sign | taken and answered with a receipt; the control number of its interchange was used: no second effect, and its answers go out again ten times an hour at most | pipeline/test_walls.py::test_a_genuine_message_again_under_a_new_message_id_has_no_second_effect, ::test_a_flood_of_replays_is_no_flood_of_answers_to_the_partner

# Oracles
CBC and RSA padding, wrong keys, damaged content: 1,000 envelopes | answered with the same octets; times compared by `python -m bench oracle` | as2/test_attacks.py::test_a_thousand_unreadable_envelopes_are_answered_with_the_same_octets, as2/test_security.py::test_whatever_fails_inside_an_envelope_is_answered_with_the_same_bytes
the padding of a captured signed message, also made to look unsigned | tells nothing | as2/test_security.py::test_the_padding_is_no_oracle_behind_a_signed_message, ::test_the_padding_is_no_oracle_for_a_message_made_to_look_unsigned
the same envelope again and again | opened with the same spare key | as2/test_attacks.py::test_the_same_envelope_again_is_opened_with_the_same_spare_key
key agreement and OAEP that do not come out right | the same octets again | as2/test_recipients.py::test_whatever_is_wrong_with_a_key_agreement_is_answered_with_the_same_bytes, ::test_oaep_that_does_not_come_out_right_is_answered_with_the_same_bytes, ::test_a_wrap_that_does_not_open_is_found_out_no_sooner_than_bad_padding
an envelope for none of our keys | says no more | as2/test_security.py::test_an_envelope_for_nobody_here_says_no_more

# Bombs and floods
compression: by ratio, by size | stopped in time: `decompression-failed` | as2/test_security.py::test_a_bomb_is_stopped_by_ratio_and_by_absolute_size
10,000 MIME parts, 10,000 headers, a header of 1 MB, near misses of a delimiter | refused at once | as2/test_security.py::test_floods_of_mime_are_refused_at_once, as2/test_addressing.py::test_headers_that_stand_twice_or_flood_are_refused
BER depth, endless indefinite lengths | refused, in time linear in what came | as2/test_ber.py::test_depth_is_bounded, ::test_endless_indefinite_lengths_are_refused_in_linear_time
text that makes a regular expression slow | every pattern is linear, and none is unlisted | as2/test_hostile_text.py::test_every_regular_expression_is_linear, ::test_the_package_has_no_regular_expression_but_those_named
thousands of signers, recipients, encrypted keys; huge RSA keys; certificates that lead into loops | looked at up to a bound | partners/test_trust.py::test_of_many_certificates_with_the_agreed_name_two_are_looked_at, as2/test_schemes.py::test_signers_are_looked_at_up_to_a_bound, as2/test_recipients.py::test_recipients_are_looked_at_up_to_a_bound, ::test_encrypted_keys_of_one_agreement_are_looked_at_up_to_a_bound, as2/test_certificates.py::test_a_key_that_costs_too_much_is_refused_unused
the worst megabyte of MIME, BER, signers, attributes, transfer encodings, file names, receipts | costs at most 150 times the CPU of a genuine one, which is a thousandth of a second or two | as2/test_cost.py::test_no_megabyte_costs_much_more_than_a_genuine_one, ::test_no_megabyte_of_signers_and_attributes_costs_much_more, ::test_no_file_name_costs_much, ::test_no_receipt_costs_much_more, ::test_a_bomb_costs_no_more_than_the_octets_that_it_may_become
large bodies that may be receipts, sent by strangers | read off the event loop: nobody else waits for them | pipeline/test_hostile_http.py::test_a_large_body_that_may_be_a_receipt_is_read_off_the_event_loop
oversized bodies | refused unread, the connection closed | pipeline/test_reception.py::test_body_over_the_limit_is_refused_unread_and_its_start_is_kept, web/test_as2_endpoint.py::test_chunked_body_is_read_whole_and_over_the_limit_only_its_start
many bodies at once, half done, under any names; too large for memory | 503 within bounds: of the memory one sender has a quarter, all strangers together one; partners' small messages go on | web/test_as2_endpoint.py::test_strangers_share_one_part_of_the_memory_and_partners_have_one_each, ::test_more_at_once_than_there_is_room_for_comes_later, ::test_sender_that_breaks_off_leaves_neither_file_nor_place, pipeline/test_large.py::test_small_messages_find_a_thread_however_many_large_ones_are_opened
a full disk | 503, nothing is taken, nothing is left | pipeline/test_large.py::test_a_full_disk_asks_to_come_later_and_leaves_nothing, pipeline/test_reception.py::test_a_disk_that_is_full_at_the_commit_asks_to_come_later, ::test_no_receipt_goes_out_when_the_commit_fails
10,000 connections | bounded; the silent ones make room, those at work are served; `python -m bench connections` measures it | web/test_connections.py::test_for_a_connection_too_many_the_one_that_was_silent_longest_is_ended, ::test_a_connection_too_many_is_told_to_come_later_where_all_others_are_at_work, ::test_connections_are_bounded_on_every_event_loop, ::test_the_limit_of_open_files_is_raised_and_leaves_room_for_files
refusals that fill the disk: 50,000 messages, all names of all partners | 60 records a minute, one after 5,000 a day, and 64 MB an hour for each name, then the count; 1 GB a day for all, then hash and size | pipeline/test_refusals.py::test_a_partner_name_has_a_budget_of_whole_bodies_an_hour, ::test_more_than_the_records_of_a_minute_are_counted_and_told_by_the_next_record, ::test_50_000_refusals_of_different_messages_in_a_day_are_some_thousand_records, ::test_all_names_together_have_a_budget_of_octets_a_day_and_beyond_it_hash_and_size_are_kept, ::test_headers_of_a_refusal_are_kept_up_to_a_bound

# HTTP
request smuggling: length and chunks together, two lengths, odd spellings of either, 31 ways | 400, the connection closed, nothing taken | pipeline/test_hostile_http.py::test_what_two_readers_could_frame_differently_is_refused_and_closed
line ends, NUL and folds in headers, other protocols on our port, headers and addresses of 100 KB | the same 400; neither log nor answer repeats what came | ::test_what_two_readers_could_frame_differently_is_refused_and_closed, ::test_what_the_parser_refuses_is_not_repeated_with_the_senders_key
AS2-From, AS2-To or Message-ID twice, 100 headers | 400 | ::test_headers_that_say_two_things_or_too_much_are_refused
an expectation that nobody knows | passed over | ::test_an_expectation_that_nobody_knows_is_passed_over
a Content-Length that lies, either way | 408 within bounds; refused as damaged | ::test_a_body_shorter_than_it_says_is_waited_for_within_bounds
framing that breaks in the middle of a body | the same 400 at once, the connection closed | ::test_framing_that_breaks_within_the_body_is_refused_at_once, ::test_what_is_broken_behind_a_whole_request_harms_only_itself
chunks, chunk extensions, trailers without end | cut off by size or silence | ::test_chunks_that_never_end_are_cut_off
slow headers, slow bodies, a `100 Continue` that is never used | cut off within bounds | ::test_headers_that_trickle_are_cut_off, ::test_a_body_that_trickles_is_cut_off, ::test_a_continue_that_is_never_used_is_waited_for_within_bounds
TLS handshakes that never begin | cut off after ten seconds | web/test_border.py::test_a_tls_handshake_that_never_begins_is_cut_off
answers that nobody reads | the connection is cut after a minute | pipeline/test_hostile_http.py::test_an_answer_that_nobody_reads_is_cut_off
a bomb of HTTP's own compression | refused with 415, unread | ::test_a_content_encoding_is_not_undone
pipelined requests | answered in order; a repeat is no second message | ::test_pipelined_requests_are_answered_in_order_and_taken_once
HTTP/1.0, other methods, upgrades | answered and closed; no tunnel, no echo | ::test_http_1_0_is_answered_and_closed, ::test_other_methods_repeat_nothing_and_open_nothing, ::test_a_wish_for_another_protocol_is_not_fulfilled

# Names and text
file names with paths, controls, codecs | the last part alone, printable, always storable | as2/test_security.py::test_a_file_name_never_has_a_path, as2/test_hostile_text.py::test_the_sender_does_not_choose_the_codec, ::test_a_file_name_can_always_be_encoded
CR, LF, NUL in a Message-ID, an AS2 name, a subject, an algorithm, an address, a file name | refused, or out of what we answer and keep; never written | as2/test_attacks.py::test_nothing_that_is_echoed_brings_a_line_of_its_own, as2/test_addressing.py::test_a_message_id_that_could_split_our_receipt_is_refused, ::test_names_we_cannot_write_are_our_fault, as2/test_layers.py::test_what_could_split_a_header_or_is_unknown_is_our_fault
what a receipt or an answer says to people | printable, bounded | as2/test_receipts.py::test_what_a_receipt_says_can_always_be_shown_and_stored, connectors/test_as2.py::test_what_a_station_answers_can_be_stored
words of strangers that look like lines of the log | escaped: one record is one line | cli/test_log_lines.py::test_a_strangers_line_ends_and_terminal_codes_are_escapes, ::test_a_traceback_is_indented_so_that_no_line_of_it_looks_like_a_record, web/test_border.py::test_one_structured_line_without_secrets_or_query

# Keys and walls of the REST API
secrets in log, store, answers or any output: good ones, wrong ones, in requests that break, repeated by a far side | none is there in any spelling | test_secrets.py::test_no_secret_is_in_log_store_answers_or_any_output
guessed keys | answered alike, slowed down by address; nobody else is locked out | web/test_authentication.py::test_every_unusable_key_gets_the_same_answer, ::test_guessing_keys_is_answered_429_and_locks_nobody_out
a partner's key on another partner's rows | they do not exist | web/test_scopes.py::test_anothers_row_does_not_exist, ::test_lists_hold_only_ones_own_rows, ::test_documents_of_others_inside_ones_own_message_stay_hidden, pipeline/test_walls.py::test_a_partners_key_reaches_no_row_of_another_partner
another user of the machine | data and keys are in folders for their owner alone | store/test_sqlite.py::test_a_folder_made_for_the_database_is_for_its_owner_alone, test_secrets.py::test_no_secret_is_in_log_store_answers_or_any_output
passphrases in what a wrong certificate file makes us say | in no output | cli/test_certificate.py::test_what_is_wrong_with_our_file_is_said_without_the_passphrase
a key of the wrong scope | 403 | web/test_scopes.py::test_each_route_serves_its_scopes_only
JSON that trickles, nests, repeats names, is too large | refused within bounds | web/test_submitting.py::test_a_body_that_trickles_is_cut_off, ::test_json_that_is_not_strict_is_refused_with_its_place, ::test_a_body_over_the_limit_is_413_announced_or_not
forwarding headers of strangers | not believed | web/test_border.py::test_forwarding_headers_of_strangers_are_not_believed
"""  # noqa: E501  a row is a line


def _attacks() -> Iterator[Attack]:
    kind = file = ""
    for line in _TABLE.strip().splitlines():
        if line.startswith("# "):
            kind = line[2:]
        elif line:
            attack, answer, tests = (part.strip() for part in line.split(" | "))
            named = []
            for one in tests.split(", "):
                path, _, test = one.partition("::")
                file = path or file
                named.append(f"{file}::{test}")
            yield Attack(kind=kind, attack=attack, answer=answer, tests=tuple(named))


ATTACKS = tuple(_attacks())


def markdown() -> str:
    """The table for the page."""
    lines: list[str] = []
    kind = ""
    for one in ATTACKS:
        if one.kind != kind:
            kind = one.kind
            lines += ["", f"### {kind}", "", "| attack | what happens | tests |", "|---|---|---|"]
        lines.append(f"| {one.attack} | {one.answer} | {' '.join(f'`{test}`' for test in one.tests)} |")
    return "\n".join(lines[1:]) + "\n"


def renewed(page: str) -> str:
    """The page with the table below its marker line made anew."""
    head, marker, _ = page.partition(MARKER)
    if not marker:
        raise SystemExit(f"the page has no place for the table: add the line {MARKER}")
    return f"{head}{MARKER}\n\n{markdown()}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(renewed(target.read_text(encoding="utf-8")), encoding="utf-8")
