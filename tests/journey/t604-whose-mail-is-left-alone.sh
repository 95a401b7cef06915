#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Mail of this host's own programs, reports, lists and what is sent on: signed
# where somebody may do so in the author's name, and else as it came.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-EOF
authorize {
    local      = true
    identities = "$T/identities"
}
default {
    sign    = prefer
    encrypt = never
}
EOF
echo 'local alice@example.org' >identities
make_store
import_key alice judy
start_daemon
start_sink
start_postfix --layout direct

# write_mail FIELD...
write_mail() {
	printf '%s\n' "$@" "To: bob@example.net" "Subject: news" \
	    "Message-ID: <1@example.org>" \
	    "Date: Wed, 25 Nov 2026 10:00:00 +0000" "" "Please." >mail
}
arrived=0
# local_mail SENDER: by the sendmail command.
local_mail() {
	/usr/sbin/sendmail -C "$T/etc" -f "$1" -- bob@example.net <mail ||
	    fail "the sendmail command"
	wait_for_mail $((arrived += 1))
}
# logged_in SENDER: alice sends it under this sender of the envelope.
logged_in() {
	send --login alice@example.org --from "$1" --to bob@example.net mail
	expect_reply '^DATA 250'
	wait_for_mail $((arrived += 1))
}
is_signed() {
	expect_type $arrived multipart/signed
	verify $arrived >entity
	expect_signer alice
}
is_untouched() {
	expect_untouched mail $arrived
	[ $# = 0 ] || expect_log "action=none .*$1"
}

# An application that the identities file knows, and a cron job.
write_mail "From: Alice <alice@example.org>"
local_mail alice@example.org
is_signed
write_mail "From: Cron Daemon <root@mx.example.org>" "Auto-Submitted: \
auto-generated"
local_mail root@mx.example.org
is_untouched 'a local sender may not use From <root@mx.example.org>'
write_mail "From: judy@example.org"
local_mail judy@example.org
is_untouched 'a local sender may not use From <judy@example.org>'

# An automatic reply is the author's own, one without a sender is nobody's.
write_mail "From: alice@example.org" "Auto-Submitted: auto-replied"
logged_in alice@example.org
is_signed
logged_in ''
is_untouched 'null sender'

# A report that this host's own MTA makes.
write_mail "From: MAILER-DAEMON@mx.example.org" "MIME-Version: 1.0" \
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
/usr/sbin/sendmail -C "$T/etc" -f '<>' -- bob@example.net <mail
wait_for_mail $((arrived += 1))
is_untouched 'a report'

# What a list sends, and what alice sends on, is another's.
write_mail "From: bob@example.net" "List-Id: <team.example.org>" \
    "Sender: team-bounces@example.org"
logged_in team-bounces@example.org
is_untouched
write_mail "Resent-From: alice@example.org" "Resent-To: bob@example.net" \
    "Resent-Message-ID: <2@example.org>" \
    "Resent-Date: Wed, 25 Nov 2026 11:00:00 +0000" \
    "From: alice@example.org"
logged_in alice@example.org
is_untouched 'Resent'
