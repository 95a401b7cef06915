#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Two administrators import certificates while mail comes in: both imports are
# whole, and mail is signed and encrypted in between.  SMIME_LONG=1 imports a
# thousand each.
. "$(dirname "$0")/../lib/testlib.sh"

many=250
[ -z "${SMIME_LONG:-}" ] || many=1000

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
"$TEST_BUILD/tests/lib/make-certs" $many first >first.pem &&
    "$TEST_BUILD/tests/lib/make-certs" $many second >second.pem ||
    fail "make-certs"
printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Content-Type: text/plain" "" "Text." >mail

send_many() {
	while [ -e mail ] && [ ! -e enough ]; do
		"$lib/smtp-send" --port "$port" \
		    --login "alice@example.org:$password" \
		    --from alice@example.org --to bob@example.net \
		    --connections 4 --repeat 20 mail || return 1
	done
}
# worst_ms <LOG: of the mails in it.
worst_ms() { sed -n 's/.*action=sign+encrypt .* ms=//p' | sort -n | tail -n 1; }

send_many >replies 2>&1 &
sender=$!
some_mails() { [ "$(grep -c 'action=sign+encrypt' daemon.log)" -ge 20 ]; }
wait_until 20 some_mails || fail "no mail comes in"
before=$(wc -l <daemon.log)
smimectl import first.pem >first.out 2>&1 &
first=$!
smimectl import second.pem >second.out 2>&1 &
second=$!
wait $first || fail "the first import: $(tail -n 3 first.out)"
wait $second || fail "the second import: $(tail -n 3 second.out)"
after=$(wc -l <daemon.log)
touch enough
wait $sender || fail "mail was refused: $(grep -v ' 250 ' replies)"

for name in first second; do
	grep -q "^$many added, 0 known, 0 refused" $name.out ||
	    fail "$name: $(grep 'added,' $name.out)"
done
smimectl --json list >list.json || fail "list"
[ "$(grep -Eo '(first|second)-[0-9]+@example\.com' list.json | sort -u |
    wc -l)" = $((2 * many)) ] || fail "not all are listed"
mails=$(grep -c '^DATA 250' replies)
wait_for_mail "$mails" 60
decrypt bob "$mails" >inner
verify "$T/inner" >entity

sed -n "$((before + 1)),${after}p" daemon.log >during
during=$(grep -c 'action=sign+encrypt' during)
echo "longest in the filter: $(head -n "$before" daemon.log | worst_ms) ms" \
    "before the imports, $(worst_ms <during) ms during ($during mails)"
[ "$during" -gt 0 ] || fail "no mail got through during the imports"
