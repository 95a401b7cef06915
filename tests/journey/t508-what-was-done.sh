#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What was done is found again: mails, signatures, and what administrators
# did, from the daemon and from the store.
. "$(dirname "$0")/../lib/testlib.sh"

# expect_event PATTERN [OPTION...]: a line of the log, now or soon.
event_there() {
	local pattern=$1
	shift
	smimectl log -n 1000 "$@" >events 2>&1 &&
	    grep -Eq -- "$pattern" events
}
expect_event() {
	wait_until 20 event_there "$@" ||
	    fail "no event matches /$1/ in: $(cat events)"
}
refuse_event() {
	! event_there "$@" || fail "an event matches /$1/ in: $(cat events)"
}

configure <<EOF
default { encrypt = prefer }
recipients "strict" { members = { "@strict.example" } encrypt = require }
EOF
make_store
SUDO_USER=carla import_key alice
import bob
expect_event 'import who="root \(carla\)" action=trusted cert=[0-9a-f]{16} about="alice@example.org" source="both.pem"'
expect_event 'import who="root \(carla\)" action=key cert=.* about="alice@'
expect_event 'import who="root" action=anchor'
smimectl show alice@example.org >out
grep -q 'from both.pem by root (carla)' out ||
    fail "who added alice: $(cat out)"

# Mail, and what the vault signed for it.
start_daemon
start_sink
start_postfix
printf 'From: alice@example.org\nTo: bob@example.net\nSubject: x\n\nHi.\n' \
    >mail
send --login alice@example.org --to bob@example.net mail
expect_reply 'DATA 250'
printf 'From: alice@example.org\nTo: x@strict.example\nSubject: x\n\nHi.\n' \
    >mail2
send --login alice@example.org --to x@strict.example mail2
wait_for_mail 1
expect_event 'mail [0-9A-Za-z]+: action=sign\+encrypt group=default from=<alice@example.org> login=alice@example.org nrcpt=1 to=<bob@example.net> cert=[0-9a-f]{16} cipher=aes-256-cbc'
id=$(sed -n 's/.* mail \([0-9A-Za-z]*\): action=sign+encrypt.*/\1/p' events)
expect_event "signature $id: action=signed from=<alice@example.org> login=alice@example.org cert=[0-9a-f]{16} digest=sha-256:[0-9a-f]{64}"
expect_event 'mail action=reject group=default from=<alice@example.org> login=alice@example.org nrcpt=1 to=<x@strict.example> reason="encrypt to x@strict.example: no certificate ' --failed --address x@strict.example

# By address and by fate.
expect_event 'to=<bob@' --address Bob@Example.NET
refuse_event 'source="root.pem"' --address bob@example.net
refuse_event 'sign\+encrypt' --failed
[ "$(smimectl log -n 3 | wc -l)" = 3 ] || fail "-n 3: $(smimectl log -n 3)"
smimectl --json log --address bob@example.net >json
python3 - json <<-'EOF' || fail "JSON: $(cat json)"
import json, sys
events = json.load(open(sys.argv[1]))["events"]
assert events == sorted(events, key=lambda e: e["time"])
mail = [e for e in events if e["event"] == "mail"][0]
assert mail["to"] == ["bob@example.net"] and mail["nrcpt"] == 1, mail
assert mail["failed"] is False and len(mail["cert"]) == 64, mail
assert [e["action"] for e in events if e["event"] == "import"] == ["trusted"]
EOF

# A killed vault has not lost what it wrote; a stopped one nothing at all.
kill -9 "$(vault_pid)"
expect_log 'vault .*started again'
expect_event 'mail .*action=sign\+encrypt'
smimectl export --key --unprotected --out alice.out alice@example.org \
    >export.out 2>&1 || fail "export: $(cat export.out)"
smimectl distrust bob@example.net >/dev/null || fail "distrust"
send --login alice@example.org --to bob@example.net mail
wait_for_mail 2
stop_daemon
expect_event 'export who="root" action=key cert=.* about="alice@example.org"'
expect_event 'trust who="root" action=distrusted .* about="bob@example.net"'
[ "$(smimectl log -n 1000 | grep -c ' mail ')" -ge 2 ] ||
    fail "the last mail: $(smimectl log -n 5)"
smimectl remove --yes bob@example.net >/dev/null || fail "remove"
expect_event 'removal who="root" action=certificate .*"bob@' --address bob@example.net

# Nothing else is taken for a number or an address.
for wrong in '-n 0' '-n x' '-n -1' '--address nobody' 'more'; do
	# shellcheck disable=SC2086
	smimectl log $wrong >out 2>&1
	[ $? = 2 ] || fail "log $wrong: $(cat out)"
done
