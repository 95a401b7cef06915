#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The systemd unit leaves the daemon the rights that it needs, and systemd finds
# little to say against the rest.
. "$(dirname "$0")/../lib/testlib.sh"

unit=$TEST_SOURCE/conf/smime-milter.service
caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr 'A-Z ' 'a-z,' |
    sed 's/cap_/+/g')
[ -n "$caps" ] || fail "the unit does not say which capabilities"

configure <<-'EOF'
default {
    sign    = require
    encrypt = require
}
EOF
make_store
import_key alice
(
	umask "$(sed -n 's/^UMask=//p' "$unit")"
	exec setpriv --bounding-set "-all,$caps" --inh-caps -all \
	    --no-new-privs "$TEST_BUILD/milter/smime-milter" -f \
	    -c "$T/smime-milter.conf" 2>>daemon.log
) &
daemon_pid=$!
wait_until 20 daemon_listens || fail "the daemon does not listen"
setpriv --bounding-set "-all,$caps" setpriv --dump |
    grep '^Capability bounding set:' >bounds
grep -q 'setuid' bounds && ! grep -q 'sys_admin' bounds ||
    fail "these are not the unit's capabilities: $(cat bounds)"
start_sink
start_postfix

# What smimectl does while it runs counts for the next mail.
import bob
printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Content-Type: text/plain" "" "Text." >mail
send --login alice@example.org --to bob@example.net mail
wait_for_mail 1
decrypt bob 1 >inner
verify "$T/inner" >entity

# A process that dies is replaced, and a new listener gets one.
pkill -9 -P "$daemon_pid"
sed -n '/^listener/,/^}/p' smime-milter.conf |
    sed 's|milter/socket"|milter/second"|' >second
cat second >>smime-milter.conf
reloaded() { smimectl reload >reload.out 2>&1; }
wait_until 20 reloaded || fail "reload: $(cat reload.out)"
wait_until 20 test -S milter/second || fail "no socket for the new listener"
delivered() {
	send --login alice@example.org --to bob@example.net mail
	grep -q '^DATA 250' reply
}
wait_until 20 delivered || fail "mail does not flow again: $(cat reply)"
wait_for_mail 2

# Not even an open door lets the filter's user in at the admin socket.
chmod 755 store
chmod 666 store/admin.sock
setpriv --reuid daemon --regid daemon --clear-groups python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
sys.exit(s.recv(1) != b"")' "$T/store/admin.sock" ||
    fail "it is not shut out of the admin socket"
expect_log 'user [0-9]+ may not use the admin socket'
chmod 700 store
stop_daemon
for socket in milter/socket milter/second store/admin.sock; do
	[ ! -e $socket ] || fail "$socket is left behind"
done
if grep -E 'Operation not permitted|Permission denied' daemon.log; then
	fail "it lacks a right"
fi

command -v systemd-analyze >/dev/null ||
    skip "the daemon runs; systemd-analyze, which judges the unit, is not here"
systemd-analyze security --offline=true "$unit" >analysis 2>&1 ||
    skip "the daemon runs; systemd-analyze is too old to judge a unit's file"
exposure=$(sed -n 's/.*exposure level for [^:]*: \([0-9.]*\) .*/\1/p' analysis)
case $exposure in
0.* | 1.*) ;;
*) fail "systemd finds an exposure of $exposure, 2.0 is too much" ;;
esac
