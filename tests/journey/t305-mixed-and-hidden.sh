#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One copy for several recipients: some of them without a certificate, or
# somebody whom To and Cc do not show.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign    = never
    encrypt = prefer
    mixed   = plain
    hidden  = reject
}
group "strict" {
    members = { "heidi@example.org" }
    mixed   = reject
    hidden  = plain
}
group "patient" {
    members = { "judy@example.org" }
    mixed   = tempfail
    hidden  = tempfail
}
group "board" {
    members = { "karl@example.org" }
    encrypt = require
}
EOF
make_store
import bob carol dave
start_daemon
start_sink
start_postfix

# hidden NAME TO ENVELOPE: To shows fewer than the envelope has.
hidden() {
	write_mail "From: $1@example.org" "To: $2" 'Bcc: carol@example.net'
	send --login "$1@example.org" --from "$1@example.org" --to "$3" mail
}

story "everybody has one"
as alice bob@example.net,carol@example.net
arrives encrypted
decrypt carol $arrived >inner

story "mixed = plain"
as alice bob@example.net,dave@example.net
arrives plain
expect_log 'action=none group=default .*not encrypted: dave@example.net: certificate expired 2021-01-01'

story "mixed = reject names who cannot be encrypted to"
as heidi bob@example.net,dave@example.net,nobody@example.com
refused 'dave@example.net: certificate expired 2021-01-01; nobody@example.com: no certificate'
if grep -q '^DATA.*bob@' reply; then fail "Bob's certificate is fine"; fi

story "mixed = tempfail"
as judy bob@example.net,dave@example.net
waits 'dave@example.net: certificate expired'

story "nobody can be encrypted to: that is not mixed"
as heidi dave@example.net,nobody@example.com
arrives plain
as judy dave@example.net
arrives plain

story "hidden = reject, and the name stays hidden"
hidden alice bob@example.net bob@example.net,carol@example.net
refused 'hidden recipient$'

story "hidden = plain"
hidden heidi bob@example.net bob@example.net,carol@example.net
arrives plain

story "hidden = tempfail"
hidden judy bob@example.net bob@example.net,carol@example.net
waits 'hidden recipient$'

story "encryption is required: refused"
hidden karl bob@example.net bob@example.net,carol@example.net
refused 'hidden recipient \(group board requires it\)'

story "a sole recipient is not hidden, and Bcc does not leave"
hidden alice undisclosed-recipients:\; carol@example.net
arrives encrypted alice carol
if has_field $arrived Bcc; then fail "Bcc arrived"; fi

story "the members of a group in To are shown"
write_mail 'From: alice@example.org' \
    'To: Friends: Bob <BOB@example.net>, carol@example.net;'
send --login alice@example.org --to bob@example.net,carol@example.net mail
arrives encrypted

story "Cc shows, in another case and with a comment"
write_mail 'From: alice@example.org' 'To: bob@example.net' \
    'Cc: Carol (the other one) <Carol@EXAMPLE.net>'
send --login alice@example.org --to bob@example.net,carol@example.net mail
arrives encrypted

story "a name that is an address shows nobody"
write_mail 'From: alice@example.org' \
    'To: "carol@example.net" <bob@example.net>'
send --login alice@example.org --to bob@example.net,carol@example.net mail
refused 'hidden recipient$'
