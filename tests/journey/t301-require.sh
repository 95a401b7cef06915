#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is required and impossible is refused while the client is still there,
# with a sentence that names the address and the reason.  A group that never
# signs sends mail untouched.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign    = prefer
    encrypt = prefer
}
group "board" {
    members = { "alice@example.org" }
    encrypt = require
}
group "legal" {
    members = { "judy@example.org" }
    sign    = require
}
group "machines" {
    members = { "heidi@example.org" }
    sign    = never
    encrypt = never
}
recipients "partner" {
    members = { "@partner.example" }
    encrypt = require
}
EOF
make_store
import_key alice heidi
import bob
start_daemon
start_sink
start_postfix 'myorigin = example.net' 'mydestination = mx.example.org' \
    'local_transport = smtp'

# try NAME TO: that person writes to TO.
try() {
	printf '%s\n' "From: $1@example.org" "To: $2" "Subject: figures" \
	    "Message-ID: <1@example.org>" \
	    "Date: Wed, 25 Nov 2026 10:00:00 +0000" "" "42" >mail
	send --login "$1@example.org" --from "$1@example.org" --to "$2" mail
}

try alice carol@example.net
expect_reply '^DATA 5[0-9][0-9] 5\.[0-9.]+ .*carol@example\.net.*certificate'
expect_log 'action=reject group=board from=<alice@example.org> nrcpt=1 .*reason=".*carol@example.net'

# One of two is not enough, and is named; the other is not.
try alice bob@example.net,carol@example.net
expect_reply '^DATA 5.*carol@example\.net'
grep -q '^DATA.*bob@example' reply && fail "Bob's certificate is fine"

# For partners it is required of everybody.
try karl someone@partner.example
expect_reply '^DATA 5'
try heidi someone@partner.example
expect_reply '^DATA 5.*'

# However the client writes what Postfix delivers there.
for to in 'partner.example!someone' 'someone%partner.example' \
    'someone%partner.example@mx.example.org' \
    '"someone@partner.example"@mx.example.org' \
    '@mx.example.org:someone@partner.example' someone@partner.example.; do
	try karl "$to"
	expect_reply "^RCPT .* 550 5\\.7\\.5 encrypt to someone@partner\\.example: no certificate"
done

try judy bob@example.net
expect_reply '^DATA 5.*judy@example\.org'
expect_log 'action=reject group=legal'

# Not logged in, in the name of one who must encrypt.
printf '%s\n' "From: alice@example.org" "To: bob@example.net" "" "42" >mail
send --to bob@example.net mail
expect_reply '^DATA 5'
[ -z "$(ls sink/*.eml 2>/dev/null)" ] || fail "something was sent"

try heidi bob@example.net
expect_reply '^DATA 250'
wait_for_mail 1
expect_untouched mail 1
expect_log 'action=none group=machines from=<heidi@example.org>'

try alice bob@example.net
expect_reply '^DATA 250'
wait_for_mail 2
decrypt bob 2 >inner
verify "$T/inner" >entity

# Postfix completes the address; so it is Bob's.
try alice bob
expect_reply '^DATA 250'
wait_for_mail 3
decrypt bob 3 >inner
