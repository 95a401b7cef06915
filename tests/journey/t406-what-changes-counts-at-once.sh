#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whatever was found out for a mail a moment ago: what an administrator changes
# counts for the next one.
. "$(dirname "$0")/../lib/testlib.sh"

configure </dev/null
make_store
import_key alice
start_daemon

printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Subject: now" "" "Text." >mail
# becomes ACTION: two such mails in a row are treated so.
n_mails=0
are_logged() { [ "$(grep -c action= daemon.log)" = $n_mails ]; }
becomes() {
	local i
	n_mails=$((n_mails + 2))
	for i in 1 2; do
		"$TEST_BUILD/tests/lib/mta" -s milter/socket -l alice@example.org \
		    -f '<alice@example.org>' -r '<bob@example.net>' \
		    <mail >got 2>verdict || fail "not taken: $(cat verdict)"
	done
	wait_until 10 are_logged || fail "not $n_mails mails in the log"
	[ "$(grep action= daemon.log | tail -n 2 |
	    grep -c " action=$1 ")" = 2 ] || fail "not $1"
}
change() { smimectl "$@" >out 2>&1 || fail "$*: $(cat out)"; }
id_of() { openssl x509 -in "$(cert_file "$1")" -noout -fingerprint -sha256 |
    sed 's/.*=//; s/://g' | tr A-F a-f; }

becomes sign
import bob
becomes sign+encrypt
change distrust "$(id_of bob)"
becomes sign
change trust "$(id_of bob)"
becomes sign+encrypt
change remove --key --yes alice@example.org
becomes encrypt
import_key alice
becomes sign+encrypt
change remove --yes bob@example.net
becomes sign

# A vault that died is followed by one whose store may be another.
import bob
becomes sign+encrypt
kill -KILL "$(vault_pid)"
expect_log 'vault died of signal 9'

# Mail that comes while there is none waits for it.
kill -STOP "$daemon_pid"
becomes sign+encrypt &
pause 0.3
kill -CONT "$daemon_pid"
wait $! || exit 1
n_mails=$((n_mails + 2))
smimectl remove --yes bob@example.net >out 2>&1 ||
    wait_until 20 smimectl remove --yes bob@example.net >out 2>&1 ||
    fail "remove: $(cat out)"
becomes sign
