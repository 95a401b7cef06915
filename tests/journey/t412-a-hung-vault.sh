#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The vault hangs while mail comes in: that mail is answered 4xx, the vault is
# replaced, and what the client was told is taken arrives once.  Then the
# supervisor dies: its children go as well, and another takes over.
. "$(dirname "$0")/../lib/testlib.sh"

# So short that silence is noticed after the least time.
with_patience() {
	configure <<-EOF
	vault-timeout = $1
	default {
	    sign    = require
	    encrypt = require
	}
	EOF
}
with_patience 3
make_store
import_key alice
import bob
start_daemon
start_sink
start_postfix

printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Content-Type: text/plain" "" "Text." >mail
send_many() {
	while [ ! -e enough ] && [ -e mail ]; do
		"$lib/smtp-send" --port "$port" \
		    --login "alice@example.org:$password" \
		    --from alice@example.org --to bob@example.net \
		    --connections 4 --repeat 8 mail
	done
}
send_many >replies 2>&1 &
sender=$!
taken_more() { [ "$(grep -c '^DATA 250' replies)" -gt "$seen" ]; }
seen=4
wait_until 20 taken_more || fail "no mail is taken"

vault=$(vault_pid) || fail "no process has the store open"
kill -STOP "$vault"
told_later() { grep -Eq '^(RCPT [^ ]*|DATA) 4' replies; }
wait_until 20 told_later || fail "mail was not answered 4xx"
wait_until 20 grep -q "the vault (process $vault) has given no sign of life" \
    daemon.log || fail "nobody noticed that it hangs"
expect_log 'the vault died of signal 9; it is started again'
seen=$(grep -c '^DATA 250' replies)
wait_until 20 taken_more || fail "no mail is taken after that"
[ "$(vault_pid)" != "$vault" ] || fail "the vault is the old one"
smimectl status >status || fail "status: $(cat status)"
grep -q ' vault-timeout [1-9]' status || fail "not counted: $(cat status)"
touch enough
wait $sender

taken=$(grep -c '^DATA 250' replies)
wait_until 30 mail_arrived "$taken" || fail "a mail that was taken is lost"
sleep 0.5
! mail_arrived $((taken + 1)) || fail "more arrived than were taken"
[ "$(grep -h '^X-Count:' sink/*.eml | wc -l)" = "$taken" ] || fail "X-Count"
for number in 1 $((taken / 2)) "$taken"; do
	decrypt bob "$number" >inner
	verify "$T/inner" >entity
done

children=$(pgrep -P "$daemon_pid")
kill -9 "$daemon_pid"
wait "$daemon_pid" 2>/dev/null
# shellcheck disable=SC2086
wait_until 20 have_ended $children || fail "a process outlives its supervisor"
start_daemon
send --login alice@example.org --to bob@example.net mail
expect_reply '^DATA 250'
wait_for_mail $((taken + 1))
