#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Two hundred mails over twenty connections at once: each arrives once, and
# each decrypts and verifies.  (Ten times as many in make check-long.)
. "$(dirname "$0")/../lib/testlib.sh"

many=200
[ -z "${SMIME_LONG:-}" ] || many=2000

configure <<-'EOF'
default {
    sign    = require
    encrypt = require
}
EOF
make_store
import_key alice
import bob
start_daemon
start_sink
start_postfix 'smtpd_client_connection_count_limit = 0'

printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Content-Type: text/plain" "" "Text." >mail
send --login alice@example.org --repeat $many --connections 20 \
    --to bob@example.net mail
[ "$(grep -c '^DATA 250' reply)" = $many ] || fail "not all were taken"
wait_for_mail $many 120

for number in $(seq $many); do
	decrypt bob "$number" >inner
	verify "$T/inner" >entity
	grep -q '^Text\.' entity || fail "mail $number is not what was sent"
done
[ "$(grep -h "^X-Count:" sink/*.eml | sort -u | wc -l)" = $many ] ||
    fail "some came twice"
[ "$(grep -c 'action=sign+encrypt' daemon.log)" = $many ] ||
    fail "not one line in the log for each"
