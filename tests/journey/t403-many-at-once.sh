#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A hundred mails over twenty connections at once: each arrives once, and
# each decrypts and verifies.  (Twenty times as many in make check-long.)
. "$(dirname "$0")/../lib/testlib.sh"

many=100
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

# As decrypt and verify do, without their processes: here they are the most.
cert=$(cert_file bob) key=$(cert_file bob key)
for number in $(seq $many); do
	openssl cms -decrypt -in "sink/$number.eml" -recip "$cert" \
	    -inkey "$key" 2>judge.out |
	    openssl cms -verify -CAfile "$pki/root.pem" -purpose smimesign \
	    2>>judge.out | grep '^Text\.' >text ||
	    fail "mail $number is not what was sent: $(cat judge.out)"
done
[ "$(grep -h "^X-Count:" sink/*.eml | sort -u | wc -l)" = $many ] ||
    fail "some came twice"
[ "$(grep -c 'action=sign+encrypt' daemon.log)" = $many ] ||
    fail "not one line in the log for each"
