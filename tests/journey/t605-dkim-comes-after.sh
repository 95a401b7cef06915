#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OpenDKIM behind the filter, in both layouts, and a relay that takes 7-bit mail
# only: both signatures hold at the end, for a mail with umlauts and long lines
# whose From is not changed, and for one to an address beyond ASCII.
. "$(dirname "$0")/../lib/testlib.sh"
. "$lib/dkim.sh"
start_dkim

printf '%s\n' "From: Alice <alice@example.org>" "To: bob@example.net" \
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=" "MIME-Version: 1.0" \
    "Content-Type: text/plain; charset=utf-8" \
    "Content-Transfer-Encoding: 8bit" \
    "Message-ID: <1@example.org>" "Date: Wed, 25 Nov 2026 10:00:00 +0000" "" \
    "Grüße, $(printf 'lang %.0s' {1..300})" "From here on ... " "." "" >mail
sed 's/^To:.*/To: jörg@example.net/' mail >mail-utf8

for layout in direct split; do
	case $layout in
	direct) configure direct </dev/null ;;
	split) configure stamp seal </dev/null ;;
	esac
	[ -d store ] || {
		make_store
		import_key alice
	}
	start_daemon
	rm -rf sink
	[ -z "$sink_pid" ] || { kill "$sink_pid"; wait "$sink_pid"; } 2>/dev/null
	start_sink --no-8bitmime
	rm -rf queue data etc
	make_postfix --layout $layout
	add_dkim
	run_postfix
	send --login alice@example.org --to bob@example.net mail
	expect_reply '^DATA 250'
	wait_for_mail 1
	expect_type 1 multipart/signed
	! LC_ALL=C grep -q '[^ -~	]' <(tr -d '\r' <sink/1.eml) ||
	    fail "what arrived is not 7-bit"
	verify 1 >entity
	expect_signer alice
	expect_same_content mail entity
	without_dkim sink/1.eml >undone && [ ! -s undone ] ||
	    fail "the DKIM signature does not hold: $(cat undone)"
	send --login alice@example.org --to jörg@example.net mail-utf8
	expect_reply '^DATA 250'
	wait_for_mail 2
	verify 2 >entity
	grep -q 'RCPT TO:<jörg@example.net>' sink/2.env ||
	    fail "another recipient: $(cat sink/2.env)"
	stop_postfix
	stop_daemon
done
