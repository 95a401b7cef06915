#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A long import without a daemon does not keep one from starting; the rest of
# it goes through the daemon, and nothing is lost on the way.
. "$(dirname "$0")/../lib/testlib.sh"

make_store
import bob
for _ in $(seq 100); do cat "$pki/bob.pem"; done >some
for _ in $(seq 30); do cat some; done >many
cat "$pki/heidi.pem" >>many
smimectl --json import many many many "$pki/judy.pem" >out 2>err &
importer=$!
# It has the store's lock, or had it for a while.
wait_until 20 sh -c "grep -q '[0-9]' store/lock 2>/dev/null || \
    ! kill -0 $importer 2>/dev/null"
start_daemon
wait $importer || fail "the import: $(cat err)"
[ "$(grep -c '"verdict": "known"' out)" = 9002 ] ||
    fail "known: $(grep -c '"verdict": "known"' out): $(cat err)"
[ "$(grep -c '"verdict": "added"' out)" = 2 ] || fail "added: $(cat err)"
smimectl show judy@example.org >out || fail "judy: $(cat out)"
stop_daemon
smimectl show heidi@example.org >out || fail "heidi: $(cat out)"
exit 0
