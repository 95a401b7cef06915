#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Wishes that cannot be met, tags in the Subject, types that are exempt, and
# who else can read what is encrypted.
. "$(dirname "$0")/../lib/testlib.sh"

rules() {
	cat <<-EOF
	subject-tags = true
	default {
	    sign    = prefer
	    encrypt = prefer
	}
	group "quiet" {
	    members = { "heidi@example.org" }
	    sign    = never
	    encrypt = never
	}
	group "fixed" {
	    members  = { "judy@example.org" }
	    override = false
	}
	group "meetings" {
	    members      = { "alice@example.org" }
	    skip-encrypt = { "text/calendar; method" }
	    also-encrypt-to = { $1 }
	}
	recipients "lists" {
	    members = { "@lists.example" }
	    encrypt = never
	}
	EOF
}
rules '' | configure
make_store
import_key alice heidi judy
import bob
start_daemon
start_sink
start_postfix

subject_is() {
	"$lib/mime" fields sink/$arrived.eml >fields
	grep -q "^Subject: $1.\$" fields || fail "$(grep ^Subject fields)"
}
story "a yes overcomes a group's never"
as heidi bob@example.net 'X-SMIME-Sign: yes' 'X-SMIME-Encrypt: yes'
arrives sealed heidi

story "but not a recipient's"
as heidi news@lists.example 'X-SMIME-Encrypt: yes'
refused 'X-SMIME-Encrypt: yes cannot be followed for news@lists.example: recipients lists has encrypt = never'

story "a yes that cannot be met names the address and the reason"
as alice nobody@example.com 'X-SMIME-Encrypt: yes'
refused 'encrypt to nobody@example.com: no certificate \(X-SMIME-Encrypt: yes requires it\)'
as karl bob@example.net 'X-SMIME-Sign: yes'
refused 'sign as karl@example.org: no certificate \(X-SMIME-Sign: yes requires it\)'

story "override = false: not obeyed, and told in the log"
as judy bob@example.net 'X-SMIME-Sign: no'
arrives sealed judy
expect_log 'X-SMIME-Sign: no is not followed: group fixed has override = false'

story "repeated, though the same"
as alice bob@example.net 'X-SMIME-Sign: yes' 'X-SMIME-Sign: yes'
refused X-SMIME-Sign

story "tags say the same, and are cut out"
tag() {
	write_mail "From: $1@example.org" 'To: bob@example.net'
	sed -i "s/^Subject: .*/Subject: $2/" mail
	send --login "$1@example.org" --from "$1@example.org" \
	    --to bob@example.net mail
}
tag alice '[noencrypt] the figures'
arrives signed
subject_is 'the figures'
tag alice 'the [nosign] figures'
arrives encrypted
tag heidi '[ENCRYPT] the figures'
arrives encrypted
subject_is 'the figures'

story "a tag against a header"
write_mail 'From: alice@example.org' 'To: bob@example.net' 'X-SMIME-Sign: no'
sed -i 's/^Subject: .*/Subject: [sign] x/' mail
send --login alice@example.org --to bob@example.net mail
refused .

story "from somebody who is not authorised: cut out all the same"
sed -i '/^X-SMIME/d; s/^Subject: .*/Subject: [encrypt] the figures/' mail
send --to bob@example.net mail
arrives plain
subject_is 'the figures'

story "a meeting request is exempt from encryption"
meeting() {
	write_mail 'From: alice@example.org' 'To: bob@example.net' \
	    'MIME-Version: 1.0' \
	    'Content-Type: text/calendar; method=REQUEST' "$@"
	send --login alice@example.org --to bob@example.net mail
}
meeting
arrives signed
expect_log 'not encrypted: text/calendar; method \(skip-encrypt\)'

story "unless the sender wishes"
meeting 'X-SMIME-Encrypt: yes'
expect_reply '^DATA 250'
wait_for_mail $((arrived += 1))
decrypt bob $arrived >inner

story "an archive reads what is encrypted, and the log names it"
rules 'self, "heidi@example.org"' | reconfigure
as alice bob@example.net
arrives sealed
decrypt heidi $arrived >inner
decrypt alice $arrived >inner
expect_log 'also=<alice@example.org>,<heidi@example.org>'

story "what is not encrypted is not the archive's"
as alice nobody@example.com
arrives signed

story "no certificate for the archive: the mail waits"
rules '"archive@example.org"' | reconfigure
as alice bob@example.net
waits 'the mail cannot be encrypted at the moment'
expect_log 'also-encrypt-to archive@example.org: no certificate'
