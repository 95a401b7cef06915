#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Mail that is signed or encrypted already, reports, and what becomes of a mail
# that cannot be handled, where something is required and where not.
. "$(dirname "$0")/../lib/testlib.sh"

rules() {
	cat <<-EOF
	default {
	    sign     = prefer
	    encrypt  = prefer
	    on-error = accept
	}
	group "signs" {
	    members = { "heidi@example.org" }
	    sign    = require
	    encrypt = never
	}
	group "encrypts" {
	    members = { "judy@example.org" }
	    sign    = never
	    encrypt = require
	}
	group "careful" {
	    members  = { "bob@example.net" }
	    sign     = prefer
	    encrypt  = never
	    on-error = reject
	}
	EOF
}
rules | configure
make_store
import_key alice heidi judy bob
start_daemon
start_sink
start_postfix

# They have made theirs themselves, with openssl.
printf 'Content-Type: text/plain\r\n\r\nText.\r\n' >entity.txt
openssl cms -sign -in entity.txt -signer "$pki/heidi.pem" \
    -inkey "$pki/heidi.key" -certfile "$pki/issuing.pem" -out own.signed &&
openssl cms -encrypt -aes256 -in entity.txt -out own.encrypted \
    "$pki/bob.pem" || fail "openssl cms"

# own FORM NAME: as NAME's mail.
own() {
	{
		printf '%s\n' "From: $2@example.org" "To: bob@example.net" \
		    "Subject: own" "Message-ID: <1@example.org>" \
		    "Date: Wed, 25 Nov 2026 10:00:00 +0000"
		tr -d '\r' <"own.$1"
	} >mail
	send --login "$2@example.org" --from "$2@example.org" \
	    --to bob@example.net mail
}

story "signed already is signed"
own signed heidi
arrives signed heidi
expect_untouched mail $arrived

story "and is encrypted as it is"
own signed judy
arrives sealed heidi
own signed alice
arrives sealed heidi

story "encrypted already is encrypted"
own encrypted judy
expect_reply '^DATA 250'
wait_for_mail $((arrived += 1))
expect_untouched mail $arrived

story "but who knows whether it is signed"
own encrypted heidi
refused 'the mail is encrypted already.*\(group signs requires it\)'

story "a file's name does not make it encrypted"
printf '%s\n' 'Content-Type: application/octet-stream; name=smime.p7m' '' \
    'bm90aGluZw==' >own.named
own named judy
expect_reply "^DATA 250"
wait_for_mail $((arrived += 1))
decrypt bob $arrived >inner
expect_type "$T/inner" application/octet-stream

# report FIELD...: from the null sender.
report() {
	write_mail "$@" 'To: bob@example.net' 'MIME-Version: 1.0' \
	    'Content-Type: multipart/report; report-type=delivery-status; boundary=x'
	sed -i '$d' mail
	printf '%s\n' --x 'Content-Type: text/plain' '' 'Not delivered.' --x \
	    'Content-Type: message/delivery-status' '' \
	    'Reporting-MTA: dns; example.org' '' --x-- >>mail
}

story "a report of the mail system is left alone, whoever requires what"
report 'From: heidi@example.org'
send --from '' --to bob@example.net mail
arrives plain
expect_log 'action=none group=signs .*reason="a report"'

story "not from somebody who logged in"
send --login bob@example.net --from '' --to bob@example.net mail
refused 'group signs requires it'

story "a null sender alone is no excuse"
write_mail 'From: heidi@example.org' 'To: bob@example.net'
send --from '' --to bob@example.net mail
refused 'group signs requires it'

story "a null sender, and nothing required: left alone"
write_mail 'From: alice@example.org' 'To: bob@example.net'
send --login alice@example.org --from '' --to bob@example.net mail
arrives plain
expect_log 'not signed: null sender; not encrypted: null sender'

# cannot NAME: a mail that no signature can be made over.
cannot() {
	sed "s/^From: .*/From: $1/" "$TEST_SOURCE/tests/corpus/parts-1001.eml" \
	    >mail
	grep -q "^From: $1" mail || fail "the mail is not $1's"
	send --login "$1" --from "$1" --to bob@example.net mail
}

story "on-error = accept: as it came"
cannot alice@example.org
arrives plain
expect_untouched mail $arrived
expect_log 'action=none .*on-error = accept'

story "not where something is required"
cannot heidi@example.org
refused .

story "on-error = reject"
cannot bob@example.net
refused .

story "on-error = tempfail: what can never be done is refused all the same"
rules | sed 's/on-error = accept/on-error = tempfail/' | reconfigure
cannot alice@example.org
refused .
