#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Mutated, misplaced and random packets of the milter protocol: the filter
# lives, keeps nothing of it, and another connection's mail is signed as ever.
# Some seconds, or 24 minutes in make check-long.  SMIME_SEED repeats them.
. "$(dirname "$0")/../lib/testlib.sh"

seconds=3
if [ -n "${SMIME_LONG:-}" ]; then seconds=1440; fi
seconds=${SMIME_SECONDS:-$seconds}
seed=${SMIME_SEED:-$$}
echo "seed $seed"
configure <<-'EOF'
default {
    sign    = require
    encrypt = never
}
EOF
make_store
import_key alice
start_daemon
filter=$(pgrep -P "$daemon_pid" -u daemon)
descriptors() { ls "/proc/$filter/fd" | wc -l; }
memory() { awk '/^VmRSS:/ { print $2 }' "/proc/$filter/status"; }

# What pools and caches take is taken by the first second.
fuzz() { "$lib/milter-load" fuzz milter/socket "$@" || fail "nobody listens"; }
fuzz 1 "$seed"
fds=$(descriptors) kb=$(memory)
fuzz "$seconds" $((seed + 1)) >fuzzed &
fuzzer=$!
printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Content-Type: text/plain" "" "Text." >mail
n=0
while kill -0 $fuzzer 2>/dev/null; do
	"$TEST_BUILD/tests/lib/mta" -s milter/socket -l alice@example.org \
	    -f '<alice@example.org>' -r '<bob@example.net>' <mail >got \
	    2>verdict || fail "a good mail was not taken: $(cat verdict)"
	verify "$T/got" >entity
	n=$((n + 1))
done
wait $fuzzer || fail "the fuzzer: $(cat fuzzed)"
echo "$(cat fuzzed), $n good mails"
[ $n -gt 0 ] || fail "no good mail came between"
[ "$(pgrep -P "$daemon_pid" -u daemon)" = "$filter" ] ||
    fail "the filter did not survive"
back() { [ "$(descriptors)" -le $((fds + 2)) ]; }
wait_until 10 back || fail "$fds descriptors were open, now $(descriptors)"
[ "$(memory)" -lt $((kb + 32768)) ] ||
    fail "it had $kb KiB, and has $(memory)"
