#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the sendmail command hands in on this host is signed where `local'
# authorises it.  Nobody on the network is taken for it: not with a sender
# without brackets, which Postfix accepts, and not when his mail is taken
# through the milters once more by postsuper -r.
. "$(dirname "$0")/../lib/testlib.sh"

echo "local alice@example.org" >identities
configure <<-EOF
authorize {
    local      = true
    identities = "$T/identities"
}
default {
    sign    = prefer
    encrypt = never
}
EOF
make_store
import_key alice
start_daemon
start_sink
start_postfix "smtpd_recipient_restrictions = check_recipient_access \
    inline:{ { requeued@example.net = HOLD } }"
printf '%s\n' "From: alice@example.org" "To: bob@example.net" "" "Text." >mail

sendmail -C "$T/etc" -f alice@example.org bob@example.net <mail ||
    fail "sendmail: exit status $?"
wait_for_mail 1
verify 1 >entity
expect_signer alice

# say LINE CODE: over SMTP, as a client that writes its own commands.
exec 3<>"/dev/tcp/127.0.0.1/$port"
say() {
	local line
	[ -z "$1" ] || printf '%s\r\n' "$1" >&3
	while read -r line <&3; do
		case $line in
		"$2 "*) return ;;
		"$2-"*) ;;
		*) fail "the answer to '$1' is $line" ;;
		esac
	done
	fail "no answer to '$1'"
}
say "" 220
say "EHLO client.test" 250
say "MAIL FROM:alice@example.org" 250
say "RCPT TO:bob@example.net" 250
say "DATA" 354
say "$(sed 's/$/\r/' mail)
." 250
exec 3<&-
wait_for_mail 2
has_type 2 multipart/signed && fail "a client without brackets was local"
expect_log 'action=none .*reason="not signed: nobody is authenticated'

# On hold, so that the mail is still there to be requeued.
send --to requeued@example.net mail
expect_reply '^DATA 250'
id=$(sed -n 's/^DATA 250.*queued as \([0-9A-F]*\).*/\1/p' reply)
[ -e "queue/hold/$id" ] || fail "$id is not on hold"
postsuper -c "$T/etc" -r "$id" 2>postfix.out || fail "postsuper"
wait_for_mail 3
has_type 3 multipart/signed && fail "a client's mail was local when requeued"
exit 0
