#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The vault writes down each signature itself, with the digest that is in it,
# and lets no key make more of them in a minute than key-rate says: mail
# beyond that waits, mail signed by other keys does not.
. "$(dirname "$0")/../lib/testlib.sh"

one_in_a_minute() {
	configure <<-'EOF'
	key-rate = 1
	default {
	    sign     = require
	    encrypt  = never
	    on-error = accept
	}
	EOF
}
one_in_a_minute
make_store
import_key alice judy
start_daemon
start_sink
start_postfix

write_mail() {
	printf '%s\n' "From: $1" "To: bob@example.net" \
	    "Content-Type: text/plain" "" "Text." >mail
}
write_mail alice@example.org
send --login alice@example.org --to bob@example.net mail
wait_for_mail 1
verify 1 >entity
openssl x509 -in "$pki/alice.pem" -outform DER | sha256sum | cut -c 1-8 >cert
"$lib/mime" part 1 sink/1.eml | sha256sum | cut -d ' ' -f 1 >digest
expect_log ": [0-9A-Za-z]+: vault=signed cert=$(cat cert) \
login=<alice@example.org> client=<127.0.0.1> from=<alice@example.org> \
sha-256=$(cat digest)\$"

send --login alice@example.org --to bob@example.net mail
expect_reply '^DATA 4'
expect_log "vault=refused cert=$(cat cert) .*reason=\".*its key has made 1 sig"
expect_log 'action=tempfail .*its key has made 1 signatures within a minute'

write_mail judy@example.org
send --login judy@example.org --from judy@example.org --to bob@example.net mail
wait_for_mail 2
verify 2 >entity

sed -i 's/^key-rate.*/key-rate = 1000/' smime-milter.conf
smimectl reload || fail "reload"
write_mail alice@example.org
send --login alice@example.org --to bob@example.net mail
wait_for_mail 3
verify 3 >entity
[ "$(grep -c 'vault=signed' daemon.log)" = 3 ] ||
    fail "not one line of the vault's for each signature"

# smimectl seal asks the same vault.
smimectl seal --from alice@example.org --to bob@example.net \
    --login alice@example.org <mail >sealed.eml || fail "smimectl seal"
verify "$T/sealed.eml" >entity
expect_log ': NOQUEUE: vault=signed .* from=<alice@example.org>'
