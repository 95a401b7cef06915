#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# In two passes, with a process of the daemon killed and Postfix reloaded or
# restarted at random while mail is under way: each recipient gets each mail,
# once, and it is for him.  (Three rounds here, a hundred in make check-long.)
. "$(dirname "$0")/../lib/testlib.sh"

rounds=3
[ -z "${SMIME_LONG:-}" ] || rounds=100

configure stamp seal <<-'EOF'
default {
    sign    = require
    encrypt = prefer
}
EOF
make_store
import_key alice
import bob carol
make_leaf uma vera
start_daemon
start_sink
echo "team@example.org uma@example.net, vera@example.net" >virtual
start_postfix --layout split "virtual_alias_maps = texthash:$T/virtual" \
    'queue_run_delay = 1s' 'maximal_backoff_time = 2s'
# A mail whose delivery has it locked while Postfix is reloaded waits in incoming
# until the queue manager is woken: after five minutes, unless told otherwise.
postconf -c "$T/etc" -F 'qmgr/unix/wakeup=1' || fail "postconf"
everybody='bob carol uma vera nocert'

# A process of the daemon, any; the daemon itself is started again.
kill_one() {
	local pids pid
	mapfile -t pids < <(echo "$daemon_pid"; pgrep -P "$daemon_pid")
	pid=${pids[RANDOM % ${#pids[@]}]}
	kill -9 "$pid" || return
	[ "$pid" = "$daemon_pid" ] || return
	wait "$daemon_pid"
	wait_until 10 have_ended "${pids[@]}" ||
	    fail "processes outlive the daemon"
	# Its sockets are left: that they are there does not say it is ready,
	# and what is killed while it starts ends it.
	starts=$(grep -c ': ready: ' daemon.log)
	start_daemon
	wait_until 30 is_ready_again || fail "the daemon is not ready"
} 2>/dev/null
is_ready_again() { [ "$(grep -c ': ready: ' daemon.log)" -gt "$starts" ]; }

# Its deliveries end before its processes do.
reload_postfix() {
	postfix -c "$T/etc" reload >postfix.out 2>&1 || fail "postfix reload"
}
# "postfix stop" kills a delivery, also between the next server's answer and the
# note of it; that copy is sent again, as SMTP has it.  So nothing may be under
# way: without the daemon mail waits, and what was sealed before has left.  No
# try is made meanwhile, for on a busy machine the next one comes before the
# last has ended.
restart_postfix() {
	stop_daemon
	set_defer_transports smimehop
	reload_postfix
	wait_until 60 nothing_under_way || fail "mail does not come to rest"
	stop_postfix
	set_defer_transports ''
	run_postfix
	start_daemon
}
set_defer_transports() {
	postconf -c "$T/etc" -e "defer_transports = $1" || fail "postconf"
}
nothing_under_way() {
	postqueue -c "$T/etc" -j >queue.json 2>>postqueue.err &&
	    ! grep -Evq '"queue_name": "deferred"' queue.json
}

# Whoever submits is told 4xx, and tries again.
submit() {
	local try
	for try in $(seq 60); do
		send --login alice@example.org --to "bob@example.net,\
carol@example.net,team@example.org,nocert@example.net" mail
		! grep -q '^DATA 250' reply || return 0
		! grep -q '^[A-Z].* 5[0-9][0-9] ' reply ||
		    fail "a mail was refused for good"
		sleep 0.5
	done
	fail "a mail was never taken"
}

for round in $(seq $rounds); do
	printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
	    "Cc: carol@example.net, team@example.org" \
	    "Message-ID: <$round@example.org>" "Subject: $round" "" \
	    "This is number $round." >mail
	submit &
	submitting=$!
	sleep "0.$((RANDOM % 10))"
	kill_one
	wait $submitting || exit 1
	sleep "0.$((RANDOM % 10))"
	kill_one
	[ $((RANDOM % 2)) = 0 ] || reload_postfix
	if [ $((RANDOM % 4)) = 0 ] || [ "$round" = $rounds ]; then
		restart_postfix
	fi
done

all=$((rounds * 5))
flushed() {
	postqueue -c "$T/etc" -f 2>>postqueue.err
	mail_arrived "$all"
}
wait_until $((60 + rounds)) flushed ||
    fail "$(ls sink | grep -c eml) of $all copies have arrived"
queue_is_empty() {
	postqueue -c "$T/etc" -p 2>&1 | grep -q 'Mail queue is empty'
}
wait_until 30 queue_is_empty ||
    fail "something is left in the queue"
wait_for_mail $all

for copy in $(seq $all); do
	recipient=$(sed -n 's/^RCPT TO:<\(.*\)@.*/\1/p' "sink/$copy.env")
	id=$(sed -n '/^\r$/q; s/^Message-ID: <\(.*\)@.*/\1/p' \
	    "sink/$copy.eml")
	echo "$id $recipient"
	[ "$recipient" != nocert ] || continue
	decrypt "$recipient" "$copy" >inner
	verify "$T/inner" >entity
	grep -q "number $id\." entity || fail "copy $copy is another mail's"
done | sort >got
for round in $(seq $rounds); do
	for name in $everybody; do
		echo "$round $name"
	done
done | sort >want
diff want got >difference || fail "not one copy for each: $(cat difference)"
