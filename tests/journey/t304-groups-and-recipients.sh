#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Groups inherit what they do not say, sections of recipients say what these
# need, and who is refused at RCPT TO does not keep the others waiting.
. "$(dirname "$0")/../lib/testlib.sh"

cat >legal <<-'EOF'
# the lawyers
judy@example.org
EOF
rules() {
	cat <<-EOF
	refuse-at-rcpt = $1
	default {
	    sign    = require
	    encrypt = prefer
	    cipher  = aes-128-cbc
	}
	group "support" {
	    members = { "heidi@example.org" }
	    sign    = never
	}
	group "legal" {
	    members-file = "$T/legal"
	    encrypt = never
	    signed-format = opaque
	}
	group "late" {
	    members = { "@example.org" }
	}
	recipients "modern" {
	    members = { "bob+gcm@example.net" }
	    cipher  = aes-256-gcm
	    key-management = rsa-oaep
	}
	recipients "partner" {
	    members = { "@.partner.example", "carol@example.net" }
	    encrypt = require
	}
	recipients "lists" {
	    members = { "@lists.example" }
	    sign    = never
	    encrypt = never
	}
	recipients "relaxed" {
	    members = { "@relaxed.example" }
	    sign    = prefer
	}
	subaddress-delimiter = "+"
	EOF
}
rules true | configure
make_store
import_key alice heidi judy
import bob
start_daemon
start_sink
start_postfix

story "what a group does not say it has from default"
as heidi bob@example.net
arrives encrypted
expect_log 'action=encrypt group=support .* cipher=aes-128-cbc'

story "a group's members in a file"
as judy bob@example.net
expect_reply '^DATA 250'
wait_for_mail $((arrived += 1))
openssl cms -verify -in sink/$arrived.eml -CAfile "$pki/root.pem" \
    -out entity 2>judge.out || fail "opaque: $(cat judge.out)"
expect_log 'action=sign group=legal '

story "the first group that has the address, not a later one"
as alice bob@example.net
arrives sealed
expect_log 'action=sign\+encrypt group=late '

story "a section's cipher and key management, and who has a tag"
as alice bob+gcm@example.net
arrives sealed
expect_log 'nrcpt=1 .*cipher=aes-256-gcm'
openssl cms -cmsout -print -in sink/$arrived.eml >cms.txt 2>judge.out ||
    fail "cmsout: $(cat judge.out)"
grep -q rsaesOaep cms.txt || fail "not encrypted by RSA-OAEP"

story "one copy for two: what both can read"
as alice bob@example.net,bob+gcm@example.net
arrives sealed
expect_log 'nrcpt=2 .*cipher=aes-256-cbc'

story "a recipient who must be encrypted to, and cannot be: at RCPT TO"
as alice someone@x.partner.example
expect_reply '^RCPT someone@x.partner.example 550 5.7.5 .*no certificate'
expect_log 'NOQUEUE: action=reject .*someone@x.partner.example'

story "an address as it is, in an answer of SMTP"
as alice 'fifty%off%s@partner.example'
expect_reply '^RCPT [^ ]+ 550 5.7.5 encrypt to fifty%off%s@partner.example: '

story "the others get the mail"
as alice carol@example.net,bob@example.net
expect_reply '^RCPT carol@example.net 550 5.7.5 '
arrives sealed

story "who did not log in is told at the end of the mail"
write_mail 'From: heidi@example.org' 'To: carol@example.net'
send --to carol@example.net mail
refused 'nobody is authenticated.*\(recipients partner requires it\)'

story "a section's never is heard where the group only prefers"
as heidi news@lists.example
arrives plain

story "require against never: refused, with both names"
as alice news@lists.example
refused 'group late has sign = require, recipients lists has sign = never'

story "a section does not weaken a group's require"
as karl someone@relaxed.example
refused 'sign as karl@example.org: no certificate \(group late requires it\)'

story "never and require in one copy"
import carol
as heidi carol@example.net,news@lists.example
refused 'recipients lists has encrypt = never and recipients partner has it required'

story "refuse-at-rcpt = false: at the end, for all"
rules false | reconfigure
as alice someone@partner.example,bob@example.net
expect_reply '^RCPT someone@partner.example 250'
refused 'encrypt to someone@partner.example: no certificate'
as alice 'fifty%off%s@partner.example'
refused 'encrypt to fifty%off%s@partner.example: no certificate'
