#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Another master key: made while the daemon runs and while it does not, and
# interrupted in between; the keys can be used all the time.
. "$(dirname "$0")/../lib/testlib.sh"

# The mail of alice is signed, by the vault or by smimectl itself.
expect_signature() {
	printf 'From: alice@example.org\nSubject: %s\n\nHello.\n' "$1" |
	    smimectl seal --from alice@example.org --to dave@example.net \
	    --login alice@example.org >sealed.eml 2>seal.err ||
	    fail "$1: $(cat seal.err)"
	verify sealed.eml >/dev/null
	expect_signer alice
}

configure <<EOF
default { encrypt = never }
EOF
make_store
import_key alice
cp master.key first.key
expect_signature 'under the first key'

# Without a daemon.
smimectl rewrap >out || fail "rewrap"
grep -q '^1 private key sealed' out || fail "it says $(cat out)"
! cmp -s master.key first.key || fail "the key is the same"
former=$(ls master.key.2*)
cmp "$former" first.key || fail "the former key was not kept"
[ "$(stat -c %a master.key "$former" | sort -u)" = 400 ] || fail "modes"
[ ! -e master.key.new ] || fail "the new key is still there twice"
rm "$former"
expect_signature 'under the second key'

# With one; its next vault opens the store, too.
start_daemon
expect_signature 'of the daemon'
smimectl --json rewrap >out && grep -q '"keys": 1' out ||
    fail "rewrap by the vault: $(cat out)"
rm master.key.2*
expect_signature 'of the daemon, under the third key'
kill -9 "$(vault_pid)"
expect_log 'vault .*started again'
wait_until 10 vault_pid >/dev/null || fail "no new vault"
expect_signature 'of the next vault'
stop_daemon

# The former keys open nothing any more.
cp master.key third.key
cp first.key master.key
smimectl list 2>err && fail "the first key opens the store"
grep -q 'this is not the master key' err || fail "it says $(cat err)"

# Interrupted before the store was changed, and after: both keys are there.
cp third.key master.key
head -c 32 /dev/urandom >master.key.new
chmod 400 master.key.new
expect_signature 'interrupted before the change'
cp third.key master.key.new
cp first.key master.key
expect_signature 'interrupted after the change'
start_daemon
expect_signature 'of the daemon, interrupted after the change'
smimectl --json rewrap >out && grep -q '"keys": 0' out ||
    fail "it was done before: $(cat out)"
[ ! -e master.key.new ] && cmp master.key third.key || fail "not finished"
rm master.key.2*
stop_daemon
expect_signature 'in the end'

# What is no key is not put in its place.
echo short >master.key.new
chmod 400 master.key.new
smimectl rewrap 2>err && fail "a short key was taken"
grep -q 'master.key.new has 6 bytes, 32 are wanted' err ||
    fail "it says $(cat err)"
cmp master.key third.key || fail "the master key is gone"
