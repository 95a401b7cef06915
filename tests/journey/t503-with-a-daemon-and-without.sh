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
	done
}
ask_all >alone
grep -q 'expired 2021-01-01' alone || fail "dave's expiry goes unnoticed"
start_daemon
ask_all >together
cmp alone together || fail "$(diff alone together | head -n 40)"

# Changes through the daemon.
smimectl import "$pki/carol.pem" >out || fail "import: $(cat out)"
smimectl show carol@example.net >out || fail "show: $(cat out)"
grep -q '^trust: *trusted' out || fail "carol: $(cat out)"
smimectl distrust carol@example.net >out || fail "distrust: $(cat out)"
smimectl show carol@example.net | grep -q '^trust: *distrusted' ||
    fail "not distrusted"
smimectl trust carol@example.net >out || fail "trust: $(cat out)"
smimectl remove --yes carol@example.net >out || fail "remove: $(cat out)"
smimectl show carol@example.net >out 2>&1 && fail "carol is still there"
smimectl init >out || fail "init: $(cat out)"
grep -q 'unchanged' out || fail "init beside a daemon: $(cat out)"

# And they are there when it has gone.
smimectl import "$pki/judy.pem" >out || fail "import: $(cat out)"
stop_daemon
smimectl show judy@example.org >out || fail "judy has gone with the daemon"
exit 0
