#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Certificates that must not be used are as good as none, and say why: expired,
# not yet valid, not for mail, too weak.  A usable one beside them is used.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign    = prefer
    encrypt = require
}
EOF
make_store
import_key alice
import bob carol
# Kept with a mark, or refused with a reason; either way not used.
for name in dave erin grace wendy; do
	smimectl import "$pki/$name.pem" >>import.out 2>&1
done
start_daemon
start_sink
start_postfix

# refused NAME REASON
refused() {
	printf '%s\n' "From: alice@example.org" "To: $1@example.net" \
	    "Subject: secret" "" "Secret." >mail
	send --login alice@example.org --to "$1@example.net" mail
	expect_reply "^RCPT $1@example.net 5[0-9][0-9] .*$1@example.net.*$2"
}
refused dave 'expired'
refused erin 'not valid before'
refused grace ''
refused wendy ''
[ -z "$(ls sink/*.eml 2>/dev/null)" ] || fail "something was sent"

# Keys on curves decrypt too.
printf '%s\n' "From: alice@example.org" "To: carol@example.net" "" "Secret." \
    >mail
send --login alice@example.org --to carol@example.net mail
expect_reply '^DATA 250'
wait_for_mail 1
decrypt carol 1 >inner
verify "$T/inner" >entity
expect_same_content mail "$T/entity"
