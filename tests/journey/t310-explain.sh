#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# smimectl explain tells who is sending and how that is known, by which line
# of the configuration, what speaks for and against each certificate, what
# each recipient gets, and what to change.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-EOF
authorize {
    identities = "$T/identities"
    networks = { "192.0.2.0/24" }
}
group "board" {
    members = { "judy@example.org" }
    encrypt = require
}
group "fixed" {
    members = { "heidi@example.org" }
    override = false
    mixed = reject
}
recipients "partner" {
    members = { "@partner.example" }
    encrypt = require
}
recipients "lists" {
    members = { "@lists.example" }
    sign = never
    encrypt = never
}
EOF
printf '%s\n' '# who' 'bob alice@example.org' >identities
make_store
import_key alice heidi
import bob dave
board=$(grep -n '^group "board"' smime-milter.conf | cut -d: -f1)
lists=$(grep -n '^recipients "lists"' smime-milter.conf | cut -d: -f1)

# explain FROM TO OPTIONS...; says LINE...: they are among what was printed.
explain() {
	local from=$1 to=$2
	shift 2
	smimectl explain --from "$from@example.org" --to "$to" "$@" >out 2>&1 ||
	    fail "explain: $(cat out)"
}
says() {
	local line
	for line; do
		grep -Fxq -- "$line" out ||
		    fail "\"$line\" is not among: $(cat out)"
	done
}

explain alice bob@example.net --login alice@example.org
says '  known by: login alice@example.org' \
    "  may use this From address: yes, it is the login's own address" \
    '  rules: default (built in): sign = prefer, encrypt = prefer' \
    '  certificate to sign with: there is a usable one' \
    '  the mail to it: signed and encrypted' 'action: sign+encrypt'
grep -Eq '^    [0-9a-f]{16}  chosen, valid until 20' out || fail "$(cat out)"
if grep -q 'if that is not' out; then fail "there is nothing to change"; fi

# Another's address, by a line of the file; certificates with their verdicts.
explain alice bob@example.net,dave@example.net,carol@example.net --login bob
says "  may use this From address: yes, $T/identities:2" \
    '  certificate to encrypt to: certificate expired 2021-01-01' \
    '  certificate to encrypt to: no certificate' \
    '  the mail to it: signed, in clear' \
    '  - to have it encrypted: smimectl import a certificate for carol@example.net'
grep -Eq '^    [0-9a-f]{16}  expired 2021-01-01$' out || fail "$(cat out)"

# A group of the file, and what could be changed in it.
explain judy dave@example.net --login judy@example.org
says "  rules: group board (line $board): sign = prefer, encrypt = require" \
    "  encrypting to it: require, by group board (line $board)" \
    '  the mail to it: refused' 'action: reject' \
    "  - with another \"encrypt\" in group board (line $board) the mail would go in clear"
explain heidi bob@example.net,dave@example.net --login heidi@example.org
says 'action: reject'
grep -q 'another "mixed" in group fixed' out || fail "$(cat out)"

# A contradiction, and where its two halves are.
explain judy x@lists.example --login judy@example.org
says "  - change group board (line $board) or recipients lists (line $lists), or send to these recipients apart"

# What is refused at RCPT TO already does not concern the others.
explain alice x@partner.example,bob@example.net --login alice@example.org
says 'recipient x@partner.example' \
    '  the mail to it: refused at RCPT TO already; the others are not concerned' \
    '  the mail to it: signed and encrypted'
explain alice x@partner.example --login alice@example.org
says 'action: reject'

# Not authorised, in each way, and how it could be.
explain alice bob@example.net
says 'action: none' \
    '  - say with --login or --client who is sending: nobody else is authorised'
explain alice bob@example.net --login heidi@example.org
says "  may use this From address: no, login heidi@example.org may not use From <alice@example.org>" \
    "  - let $T/identities have the line \"heidi@example.org alice@example.org\""
explain alice bob@example.net --client 198.51.100.1
says '  - let the sender log in, or have 198.51.100.1 in the networks of authorize'
explain alice bob@example.net --client local
says '  - set local = true in authorize'

# A mail of one's own, with wishes.
printf '%s\n' 'From: heidi@example.org' 'To: bob@example.net' \
    'X-SMIME-Encrypt: no' '' 'Text.' >mail
explain heidi bob@example.net --login heidi@example.org mail
says '  note: X-SMIME-Encrypt: no is not followed: group fixed has override = false'
printf '%s\n' 'From: alice@example.org, heidi@example.org' '' 'Text.' >mail
explain alice bob@example.net --login alice@example.org mail
says 'sender (unclear)' \
    '  - the mail needs one From field with one plain mailbox (smime-milter.conf(5), "The From field")'

# The same for programs.
smimectl --json explain --from alice@example.org --login bob \
    --to x@partner.example,bob@example.net >out || fail "explain --json"
python3 - "$T" out <<'EOF' || fail "the JSON is not as documented: $(cat out)"
import json
import sys
with open(sys.argv[2]) as f:
    e = json.load(f)
assert e["action"] == "sign+encrypt" and e["group"] == "default"
assert e["group_line"] is None and e["reason"] == "" and e["reply"] is None
assert e["sender"]["authorised"] is True
assert e["sender"]["authorised_by"] == sys.argv[1] + "/identities:2"
assert e["sender"]["certificates"][0]["usable"] is True
refused, bob = e["recipients"]
assert refused["address"] == "x@partner.example"
assert refused["fate"] == "refused" and "no certificate" in refused["reply"]
assert bob["fate"] == "signed and encrypted"
assert bob["encrypt"] == "prefer" and bob["encrypt_by"] == "default"
assert e["also_encrypt_to"] == [] and len(e["advice"]) == 2
EOF
