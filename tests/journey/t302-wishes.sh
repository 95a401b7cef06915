#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# X-SMIME-Sign and X-SMIME-Encrypt ask otherwise for one mail.  They are obeyed
# from a sender who has proved who he is, and never arrive anywhere.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign     = prefer
    encrypt  = prefer
    override = true
}
group "fixed" {
    members  = { "heidi@example.org" }
    override = false
}
group "board" {
    members  = { "judy@example.org" }
    encrypt  = require
}
EOF
make_store
import_key alice heidi judy
import bob
start_daemon
start_sink
start_postfix

# try NAME TO WISH...: logged in; anonymous NAME TO WISH...: not.
write_mail() {
	local name=$1 to=$2
	shift 2
	printf '%s\n' "From: $name@example.org" "To: $to" "Subject: wish" \
	    "Message-ID: <1@example.org>" "$@" \
	    "Date: Wed, 25 Nov 2026 10:00:00 +0000" "" "Text." >mail
}
try() {
	write_mail "$@"
	send --login "$1@example.org" --from "$1@example.org" --to "$2" mail
}
anonymous() {
	write_mail "$@"
	send --from "$1@example.org" --to "$2" mail
}
arrived=0
arrives_as() {
	expect_reply '^DATA 250'
	wait_for_mail $((arrived += 1))
	expect_type $arrived "$1"
	if "$lib/mime" fields sink/$arrived.eml | grep -i '^X-SMIME'; then
		fail "the wish arrived"
	fi
}

try alice bob@example.net 'X-SMIME-Encrypt: no'
arrives_as multipart/signed
try alice bob@example.net 'X-SMIME-Sign: no'
arrives_as application/pkcs7-mime
decrypt bob $arrived >inner
expect_type "$T/inner" text/plain
try alice bob@example.net 'X-SMIME-Sign: no' 'x-smime-encrypt:  NO'
arrives_as text/plain
try alice bob@example.net 'X-SMIME-Encrypt: yes'
arrives_as application/pkcs7-mime

try alice carol@example.net 'X-SMIME-Encrypt: yes'
expect_reply '^DATA 5.*carol@example\.net'

# Who contradicts himself, or says neither yes nor no, is told.
try alice bob@example.net 'X-SMIME-Encrypt: yes' 'X-SMIME-Encrypt: no'
expect_reply '^DATA 5'
try alice bob@example.net 'X-SMIME-Sign: maybe'
expect_reply '^DATA 5'

# Not authorised: ignored, and removed all the same.
anonymous alice carol@example.net 'X-SMIME-Encrypt: yes' 'X-SMIME-Sign: yes'
arrives_as text/plain

# A group without override, and one that requires, are not talked out of it.
try heidi bob@example.net 'X-SMIME-Encrypt: no'
arrives_as application/pkcs7-mime
try judy bob@example.net 'X-SMIME-Encrypt: no'
if grep -q '^DATA 250' reply; then
	arrives_as application/pkcs7-mime
	decrypt bob $arrived >inner
else
	expect_reply '^DATA 5'
fi
