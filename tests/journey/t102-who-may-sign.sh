#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Nobody signs as somebody else: who has not logged in, who has logged in as
# another, and whose From is not one mailbox, sends what he wrote, unsigned.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign    = prefer
    encrypt = never
}
EOF
make_store
import_key alice
start_daemon
start_sink
start_postfix

# write_mail FROM-FIELD...
write_mail() {
	printf '%s\n' "$@" "To: bob@example.net" "Subject: pay this" \
	    "Message-ID: <1@example.org>" \
	    "Date: Wed, 25 Nov 2026 10:00:00 +0000" "" "Please." >mail
}

# unsigned WHY SEND-ARGUMENTS...: the mail arrives as it is.
arrived=0
unsigned() {
	local why=$1
	shift
	send "$@" --to bob@example.net mail
	expect_reply '^DATA 250'
	wait_for_mail $((arrived += 1))
	echo "$why"
	expect_untouched mail $arrived
}

write_mail "From: alice@example.org"
unsigned "not logged in"
unsigned "logged in as another" --login bob@example.net
unsigned "logged in as another, with Alice's envelope" \
    --login judy@example.org --from alice@example.org

write_mail "From: alice@example.org" "From: judy@example.org"
unsigned "two From fields" --login alice@example.org
write_mail "From: alice@example.org, judy@example.org"
unsigned "two mailboxes" --login alice@example.org
write_mail "From: Friends: alice@example.org;"
unsigned "a group" --login alice@example.org
refuse_log 'action=sign'

# And Alice herself: only what the envelope says is another's.
write_mail "From: alice@example.org"
send --login alice@example.org --from bounces@example.org \
    --to bob@example.net mail
wait_for_mail $((arrived += 1))
expect_type $arrived multipart/signed
verify $arrived >entity
expect_signer alice
expect_log 'action=sign group=default from=<alice@example.org>'
