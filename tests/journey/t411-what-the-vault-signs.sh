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
# signatures FILTER...: the events of that kind, a line each.
signatures() {
	smimectl --json log -n 100 | python3 -c '
import json, sys
for e in json.load(sys.stdin)["events"]:
    if e["event"] == "signature" and not e["failed"]:
        print(e["cert"][:8], e.get("login"), e["from"], e.get("queue_id"),
              e["digest"])' >signatures
}
is_recorded() { signatures; grep -Eq -- "$1" signatures; }
wait_until 10 is_recorded "^$(cat cert) alice@example.org \
alice@example.org [0-9A-Za-z]+ .*$(cat digest)\$" ||
    fail "not recorded: $(smimectl --json log)"

send --login alice@example.org --to bob@example.net mail
expect_reply '^DATA 4'
expect_log "vault=refused cert=$(cat cert) .*reason=\".*its key has made 1 sig"
expect_log 'action=tempfail .*its key has made 1 signatures within a minute'

write_mail judy@example.org
send --login judy@example.org --from judy@example.org --to bob@example.net mail
wait_for_mail 2
verify 2 >entity

smimectl status >status || fail "status: $(cat status)"
grep -q ' key-rate [1-9]' status || fail "not counted: $(cat status)"
sed -i 's/^key-rate.*/key-rate = 1000/' smime-milter.conf
smimectl reload || fail "reload"
write_mail alice@example.org
send --login alice@example.org --to bob@example.net mail
wait_for_mail 3
verify 3 >entity
three() { signatures; [ "$(wc -l <signatures)" = 3 ]; }
wait_until 10 three || fail "not one event for each signature"

# smimectl seal asks the same vault.
smimectl seal --from alice@example.org --to bob@example.net \
    --login alice@example.org <mail >sealed.eml || fail "smimectl seal"
verify "$T/sealed.eml" >entity
four() { signatures; [ "$(wc -l <signatures)" = 4 ]; }
wait_until 10 four || fail "no event for smimectl seal"
