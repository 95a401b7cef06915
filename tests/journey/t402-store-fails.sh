#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The store is damaged while the daemon runs: mail that would be signed or
# encrypted waits in its sender's queue.  When the store is whole again, it
# goes out as it should.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign    = prefer
    encrypt = prefer
}
EOF
make_store
import_key alice
import bob
start_daemon
start_sink
start_postfix

printf '%s\n' "From: alice@example.org" "To: bob@example.net" "" "Text." >mail
send --login alice@example.org --to bob@example.net mail
expect_reply '^DATA 250'
wait_for_mail 1

# The vault dies, and finds only noise when it comes back.
vault=$(vault_pid) || fail "no process has the store open"
kill -STOP "$vault"	# so that nothing is written while it is copied
cp -a store store.whole
for file in store/*; do
	[ -f "$file" ] && [ -s "$file" ] && head -c "$(stat -c %s "$file")" \
	    /dev/urandom | dd of="$file" conv=notrunc status=none
done
kill -9 "$vault"
send --login alice@example.org --to bob@example.net mail
expect_reply '^DATA 4'
[ ! -e sink/2.eml ] || fail "it was sent"

mv store store.noise	# whole, whatever the next vault does in it
mv store.whole store
delivered() {
	send --login alice@example.org --to bob@example.net mail
	grep -q '^DATA 250' reply
}
wait_until 30 delivered || fail "the daemon does not recover"
wait_for_mail 2
decrypt bob 2 >inner
verify "$T/inner" >entity
