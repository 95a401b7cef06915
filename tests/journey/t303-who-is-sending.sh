#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who may sign as whom: logins and their lines in the identities file,
# networks, any; and header fields that leave a doubt.
. "$(dirname "$0")/../lib/testlib.sh"

rules() {
	cat <<-EOF
	authorize {
	    networks   = { "127.0.0.1" }
	    identities = "$1"
	}
	default {
	    sign    = prefer
	    encrypt = never
	}
	subaddress-delimiter = "+"
	EOF
}
cat >identities <<-'EOF'
bob@example.net    judy@example.org
karl@example.org   @example.org   # whoever it is
net:127.0.0.1      heidi@example.org
EOF
rules "$T/identities" | configure
make_store
import_key alice heidi judy
start_daemon
start_sink
start_postfix

# from LOGIN FIELD...: sent by that login, or by nobody ("-").
from() {
	local login=()
	[ "$1" = - ] || login=(--login "$1")
	shift
	write_mail "$@" 'To: bob@example.net'
	send "${login[@]}" --to bob@example.net mail
}

story "a login may use its own address, whether a line says so or not"
from alice@example.org 'From: Alice <Alice@Example.ORG>'
arrives signed alice

story "a login may use what its line says"
from bob@example.net 'From: judy@example.org'
arrives signed judy

story "a line with a domain: everybody in it"
from karl@example.org 'From: heidi@example.org'
arrives signed heidi

story "and no other"
from bob@example.net 'From: heidi@example.org'
arrives plain
expect_log 'login bob@example.net may not use From <heidi@example.org>'

story "networks do not widen what a login may"
from alice@example.org 'From: heidi@example.org'
arrives plain

story "a host without a login, by its line"
from - 'From: heidi@example.org'
arrives signed heidi

story "the same host in another's name"
from - 'From: judy@example.org'
arrives plain

story "a sub-address is its owner's, but no certificate is for it"
from alice@example.org 'From: alice+news@example.org'
arrives plain
expect_log 'not signed as alice\+news@example.org: no certificate'

story "a Sender who may be used as well"
from karl@example.org 'From: heidi@example.org' 'Sender: judy@example.org'
arrives signed heidi

story "a Sender who may not"
from alice@example.org 'From: alice@example.org' 'Sender: ceo@example.org'
arrives plain
expect_log 'the Sender field names <ceo@example.org>'

story "another's mail, sent on"
from alice@example.org 'Resent-From: alice@example.org' \
    'From: alice@example.org'
arrives plain

story "a second From in obsolete syntax"
from alice@example.org 'X-Mailer: x' 'From : heidi@example.org' \
    'From: alice@example.org'
arrives plain

story "an address where the name belongs"
from alice@example.org 'From: heidi@example.org <alice@example.org>'
arrives plain

story "an encoded word for an address"
from karl@example.org 'From: =?utf-8?Q?heidi=40example.org?=@example.org'
arrives plain
expect_log 'the From field has an encoded word in its address'

story "what stands behind a NUL is not signed, for it arrives nowhere"
write_mail 'From: alice@example.org@, heidi@example.org' 'To: bob@example.net'
sed 's/org@,/org\x00,/' mail >nul
send --login alice@example.org --to bob@example.net nul
arrives signed alice
from_field=$("$lib/mime" fields sink/$arrived.eml | tr -d '\r' | grep '^From:')
[ "$from_field" = 'From: alice@example.org' ] || fail "$from_field arrived"

story "a file that was changed counts after a reload"
sed -i '/^bob/d' identities
rules "$T/identities" | reconfigure
from bob@example.net 'From: judy@example.org'
arrives plain

story "identities = any: the MTA has checked"
rules any | reconfigure
from bob@example.net 'From: alice@example.org'
arrives signed alice
from - 'From: judy@example.org'
arrives signed judy

story "authenticated = false: a login is no reason"
rules any | sed 's/^authorize {/&\nauthenticated = false/' | reconfigure
from alice@example.org 'From: alice@example.org'
arrives plain

story "what must be signed is refused where the sender is not known"
rules login | sed 's/sign    = prefer/sign = require/' | reconfigure
from - 'From: alice@example.org'
refused 'client 127.0.0.1 may not use From <alice@example.org>'
from bob@example.net 'From: alice@example.org'
refused 'login bob@example.net may not use From <alice@example.org>'
from alice@example.org 'From: alice@example.org, heidi@example.org'
refused 'several From addresses'
from alice@example.org 'From: heidi@example.org <alice@example.org>'
refused 'the From field is not one plain mailbox'
