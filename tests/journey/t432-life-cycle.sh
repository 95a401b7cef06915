#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What systemd is told: ready, reloading, alive only while every process is,
# stopping; and a mail in hand is answered before the daemon is gone.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
vault-timeout = 5
default {
    encrypt = never
    sign    = require
}
EOF
make_store
import_key alice

# Systemd's end of NOTIFY_SOCKET: what came, a line each.
python3 - "$T/notify" <<-'EOF' >told &
	import os, socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind(sys.argv[1])
	while True:
	    print(s.recv(4096).decode().replace("\n", " "), flush=True)
EOF
systemd=$!
trap 'status=$?; kill $systemd; (exit $status); on_exit' EXIT
wait_until 10 test -S notify || fail "no notify socket"
export NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=120000000
start_daemon
unset NOTIFY_SOCKET WATCHDOG_USEC
told() { [ "$(grep -c "^$1" told)" -ge "${2:-1}" ]; }
wait_until 20 told READY=1 || skip "built without libsystemd"
wait_until 10 told WATCHDOG=1 2 || fail "the watchdog hears nothing"

# A reload, a mistaken one, and one by smimectl.
kill -HUP "$daemon_pid"
wait_until 10 told READY=1 2 || fail "no end of the reload: $(cat told)"
told 'RELOADING=1 MONOTONIC_USEC=[0-9]' || fail "no RELOADING: $(cat told)"
echo nonsense >>smime-milter.conf
kill -HUP "$daemon_pid"
wait_until 10 told READY=1 3 || fail "a mistake leaves it reloading"
sed -i '$d' smime-milter.conf
smimectl reload >out || fail "reload: $(cat out)"
wait_until 10 told READY=1 4 || fail "smimectl reload is not told: $(cat told)"

# A filter hangs, as t412's vault does: the watchdog hears nothing, until the
# supervisor has started it anew.
kill -STOP "$(pgrep -P "$daemon_pid" -u daemon)"
wait_until 20 grep -Eq 'milter/socket .process [0-9]+. has given no sign of life for [0-9]+ seconds: it is killed' \
    daemon.log || fail "it is not killed"
n=$(grep -c ^WATCHDOG told)
wait_until 10 told WATCHDOG=1 $((n + 2)) ||
    fail "the watchdog does not hear of the new one"

# A supervisor that hangs says nothing, and systemd would end it.
kill -STOP "$daemon_pid"
python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"LAST=1", sys.argv[1])' \
    notify
wait_until 10 told LAST=1 || fail "what was told before is not read"
n=$(grep -c ^WATCHDOG told)
sleep 2.5
[ "$(grep -c ^WATCHDOG told)" = "$n" ] || fail "a hung supervisor is alive"
kill -CONT "$daemon_pid"

# SIGTERM while a mail is at its end and waits for the vault: it is answered.
begin_mail
vault=$(vault_pid) || fail "no vault"
kill -STOP "$vault"
end_mail
sleep 0.5	# if the filter is not there yet, it has the mail all the same
kill "$daemon_pid"
wait_until 10 told STOPPING=1 || fail "it does not say that it stops"
kill -CONT "$vault"
wait $talker
grep -q '^add Content-Type: multipart/signed' answers &&
    grep -qx accept answers || fail "the mail in hand: $(cat answers)"
wait "$daemon_pid"
status=$?
daemon_pid=
[ $status = 0 ] || fail "it ended with $status"
expect_log '^smime-milter: stopped'
