#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the daemon has done is told by smimectl status; what would be too much
# for it waits, with a sentence of its own.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
max-connections = 1
default {
    encrypt = never
}
EOF
make_store
import_key alice
start_daemon

printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Subject: counted" "" "Text." >mail
put() {
	"$TEST_BUILD/tests/lib/mta" -s milter/socket -f '<alice@example.org>' \
	    -r '<bob@example.net>' "$@" <"${mail:-mail}" >out 2>verdict
}
put -l alice@example.org || fail "not signed: $(cat verdict)"
put -l alice@example.org || fail "not signed: $(cat verdict)"
put || fail "not taken: $(cat verdict)"

# count REGEX: the value of the one measure whose line matches, as JSON has it.
count() {
	smimectl --json status | python3 -c '
import json, sys
name, labels = sys.argv[1], dict(a.split("=") for a in sys.argv[2:])
found = [m["value"] for m in json.load(sys.stdin)["measures"]
         if m["name"] == name and m["labels"] == labels]
print(*(int(v) for v in found))' "$@"
}
expect() {
	local want=$1
	shift
	[ "$(count "$@")" = "$want" ] || fail "$*: $(count "$@"), not $want"
}
total=smime_milter_mails_total
expect 2 $total action=sign reason=none
expect 1 $total action=none reason=sender
expect 3 smime_milter_mail_seconds_count
expect 3 smime_milter_connections_total
expect 0 smime_milter_connections
expect 0 smime_milter_mails_in_hand
expect 1 smime_milter_keys
expect 0 smime_milter_config_generation

# One connection is all there may be; who comes then is to come again.
python3 - milter/socket held <<-'EOF' &
	import socket, struct, sys, time, os
	s = socket.socket(socket.AF_UNIX)
	s.connect(sys.argv[1])
	s.sendall(struct.pack(">IcIII", 13, b"O", 6, 0x1ff, 0x1fffff))
	s.recv(100)
	open(sys.argv[2], "w").close()
	time.sleep(60)
EOF
holder=$!
wait_until 10 test -e held || fail "no connection"
put -l alice@example.org
[ $? = 2 ] || fail "more than max-connections: $(cat verdict)"
grep -q '^tempfail 451 4.3.2 ' verdict || fail "it was told: $(cat verdict)"
expect_log 'action=tempfail .*reason="2 connections are open \(max-connections\)"'
expect 1 smime_milter_connections
expect 1 $total action=tempfail reason=limit
expect 1 smime_milter_limits_total limit=max-connections
kill $holder
wait $holder 2>/dev/null
gone() { [ "$(count smime_milter_connections)" = 0 ]; }
wait_until 10 gone || fail "the connection still counts"
put -l alice@example.org || fail "not signed: $(cat verdict)"

# A killed filter has nothing open; what it did is not forgotten.
pkill -KILL -P "$daemon_pid" -u daemon || fail "no filter"
restarted() { [ "$(count smime_milter_process_restarts_total process=filter)" = 1 ]; }
wait_until 10 restarted || fail "no restart is counted"
wait_until 10 put -l alice@example.org || fail "not signed: $(cat verdict)"
expect 4 $total action=sign reason=none
expect 1 smime_milter_errors_total

# A reload, and one that fails.
smimectl reload >out || fail "reload: $(cat out)"
echo nonsense >>smime-milter.conf
smimectl reload >out 2>&1
sed -i '$d' smime-milter.conf
kill -HUP "$daemon_pid"
reloaded() { [ "$(count smime_milter_config_generation)" = 2 ]; }
wait_until 10 reloaded || fail "no reload is counted"

# The same for people.
smimectl status >out || fail "status: $(cat out)"
for line in '^supervisor [0-9]+: +since 20' '^vault [0-9]+: ' \
    '^filter [0-9]+: ' '^sign: +4$' '^none: +1 \(sender\)$' \
    '^tempfail: +1 \(limit\)$' '^limits reached: +max-connections 1$' \
    '^spooled: +0.0 MB in memory, 0.0 MB on disk$' \
    ' 20[-0-9]*T[0-9:]*Z .*action=tempfail .*reason="2 connections are open' \
    ' 20[-0-9]*T[0-9:]*Z .*milter/socket died of signal 9; it is started' '^certificates: +[0-9]+, 1 of them with'; do
	grep -Eq "$line" out || fail "no line /$line/ in: $(cat out)"
done

# Bytes of mail: more than memory may have are on disk, and more than that wait.
spool() {
	configure <<-EOT
	spool-memory = 64K
	spool-disk   = $1
	spool-dir    = "$T/spool"
	default {
	    encrypt = $2
	}
	EOT
	smimectl reload >out || fail "reload: $(cat out)"
}
limits=smime_milter_limits_total
mkdir -m 700 spool
chown daemon spool
{ cat mail; seq 1 30000; } >large
put_large() { mail=large put -l alice@example.org; }
import bob
spool 1M require
put_large || fail "not encrypted: $(cat verdict)"
expect 1 $limits limit=spool-memory
spool 100K never
put_large
[ $? = 2 ] || fail "more than spool-disk: $(cat verdict)"
grep -q '^tempfail 451 4.3.1 The S/MIME filter has no room' verdict ||
    fail "it was told: $(cat verdict)"
expect_log 'action=tempfail .*reason="the mails in hand have [0-9]+ bytes on disk \(spool-disk\)"'
expect 1 $limits limit=spool-disk
# There is room for it as it came, but not for what encryption makes of it.
spool 250K require
put_large
[ $? = 2 ] || fail "more than spool-disk: $(cat verdict)"
expect 2 $limits limit=spool-disk
expect 3 $total action=tempfail reason=limit
expect 0 smime_milter_spool_bytes where=disk
expect 0 smime_milter_spool_bytes where=memory
put -l alice@example.org || fail "not signed: $(cat verdict)"

stop_daemon
smimectl status >out 2>&1
[ $? = 1 ] || fail "a status without a daemon"
grep -q 'no daemon runs' out || fail "it said: $(cat out)"
smimectl --json status >out 2>/dev/null
grep -q '"running": false' out || fail "it said: $(cat out)"
