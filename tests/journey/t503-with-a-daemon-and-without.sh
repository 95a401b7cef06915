#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The same questions to a store by itself and to the daemon that owns it have
# the same answers, and a change counts at once.
. "$(dirname "$0")/../lib/testlib.sh"

make_store
import_key alice
import bob dave
echo new >new

ask_all() {
	local asked
	for asked in list 'list --keys' 'list --cas' 'list --issues' \
	    'list --expiring 400' 'list --address bob@example.net' \
	    'show alice@example.org' 'show dave@example.net' check \
	    'export --chain alice@example.org' 'export alice@example.org' \
	    'export --key --unprotected alice@example.org' \
	    'show nobody@example.org' 'show 00000000' 'show 123' \
	    'remove --yes nobody@example.org'; do
		for json in '' --json; do
			echo "--- $json $asked"
			# shellcheck disable=SC2086
			smimectl $json $asked 2>&1
			echo "status $?"
		done
	done | sed 's/expires in [0-9]* days/expires in N days/' # at midnight
}
ask_all >alone
grep -q 'expired 2021-01-01' alone || fail "dave's expiry goes unnoticed"
start_daemon
ask_all >together
cmp alone together || fail "$(diff alone together | head -n 40)"

# Changes, and the rest of the commands: from the same store, by the same words.
# What nobody could foresee is left out: times, and the bytes of a signature.
printf '%s\n' "From: alice@example.org" "To: bob@example.net" "" "Text." >mail
change_all() {
	local changed
	mkdir "$1"
	while read -r changed; do
		echo "--- $changed"
		# shellcheck disable=SC2086
		smimectl ${changed//OUT/$1} 2>&1 <mail
		echo "status $?"
	done <<-EOF |
	init
	import $pki/carol.pem
	import --passphrase-file $T/word $pki/judy.p12
	import $T/mail
	import $pki/crl.pem
	trust carol@example.net
	distrust carol@example.net
	trust 123
	remove --yes carol@example.net
	remove --yes carol@example.net
	split --passphrase-file $T/word --out OUT/parts $pki/judy.p12
	export --chain --out OUT/chain.pem judy@example.org
	export --key --out OUT/judy.key judy@example.org
	export --p12 --passphrase-file $T/word --out OUT/judy.p12 alice@example.org
	explain --from alice@example.org --login alice@example.org --to bob@example.net
	explain --from eve@example.org --login eve@example.org --to bob@example.net $T/mail
	seal --from eve@example.org --to bob@example.net
	check --store
	list
	log
	backup OUT/backup
	EOF
	    sed -E "s/$1/OUT/g; s/[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{5,8}Z?/TIME/g;
		s/^(added: .*)/added/"
	smimectl seal --from alice@example.org --login alice@example.org \
	    --to bob@example.net <mail >sealed || fail "seal: $(cat sealed)"
	decrypt bob "$T/sealed" >inner
	verify "$T/inner" >entity
}
stop_daemon
echo secret >word
cp -a store store.before
change_all alone.d >alone
rm -rf store
cp -a store.before store
start_daemon
change_all together.d >together
cmp alone together || fail "$(diff alone together | head -n 40)"
[ "$(grep -c '^status 0' alone)" -ge 16 ] || fail "$(cat alone)"

# These are for one or the other, and say so (t507 has rewrap, both ways).
smimectl status >out || fail "status: $(cat out)"
smimectl reload >out || fail "reload: $(cat out)"
smimectl --json postfix --layout direct >out || fail "postfix: $(cat out)"
smimectl restore --yes together.d/backup >out 2>&1 &&
    fail "restore beside a daemon: $(cat out)"
grep -q 'the daemon is running: stop it first' out || fail "$(cat out)"
stop_daemon
for command in status reload; do
	smimectl $command >out 2>&1 && fail "$command without a daemon: $(cat out)"
	grep -q 'no daemon' out || fail "$command: $(cat out)"
done
smimectl show judy@example.org >out || fail "judy has gone with the daemon"
exit 0
