#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Through Sendmail, which differs: it numbers header fields as they were, adds
# its own after the filter, ends a mail at a stray CR, and takes 32 KiB of
# header fields.
. "$(dirname "$0")/../lib/testlib.sh"
. "$lib/sendmail.sh"

configure <<-'EOF'
default {
    sign    = prefer
    encrypt = prefer
}
EOF
make_store
import_key alice
import bob carol
start_daemon
start_sink --no-8bitmime
start_sendmail
arrived=0
# submit FILE TO...: alice, logged in.
submit() {
	local mail=$1
	shift
	send --login alice@example.org --to "$(IFS=,; echo "$*")" "$mail"
	expect_reply '^DATA 250'
	wait_for_mail $((arrived += 1))
}

# Signed and encrypted, without Date and Message-ID, which Sendmail adds.
printf '%s\n' "From: Alice <alice@example.org>" \
    "To: bob@example.net, carol@example.net" "Subject: umlauts" \
    "Content-Type: text/plain; charset=utf-8" \
    "Content-Transfer-Encoding: 8bit" "" "Grüße," "From here on." "." \
    "$(printf 'lang %.0s' {1..300})" >mail
submit mail bob@example.net carol@example.net
expect_recipients $arrived bob carol
for name in bob carol; do
	decrypt $name $arrived >inner
	verify "$T/inner" >entity
	expect_signer alice
	expect_same_content mail entity
done
for field in Date Message-Id; do
	[ "$("$lib/mime" fields sink/$arrived.eml | grep -ci "^$field:")" = 1 ] ||
	    fail "there is not one $field field"
done

# Signed only, to one without certificate, through a relay that takes 7 bit.
sed 's/^To:.*/To: nocert@example.net/' mail >plain
submit plain nocert@example.net
verify $arrived >entity
expect_same_content plain entity

# Fields that are there many times: all that have to go are gone.
printf '%s\n' "From: alice@example.org" "Content-Type: text/plain" \
    "Content-X: 1" "Bcc: a@example.net" "Content-X: 2" "To: bob@example.net" \
    "X-SMIME-Encrypt: yes" "Content-X: 3" "Bcc: b@example.net" \
    "Content-X: 4" "Subject: many" "" "Text." >many
submit many bob@example.net
expect_type $arrived application/pkcs7-mime
decrypt bob $arrived >inner
verify "$T/inner" >entity
[ "$(grep -c '^Content-X: [1234]' entity)" = 4 ] ||
    fail "not all fields have moved inside"
for field in Content-X Bcc X-SMIME-Encrypt; do
	! has_field $arrived $field || fail "a $field field is left"
done

# Nobody logged in, and somebody else: as it came.
send --to bob@example.net mail
wait_for_mail $((arrived += 1))
expect_type $arrived text/plain
expect_log 'action=none .*nobody is authenticated'
send --login judy@example.org --to bob@example.net mail
wait_for_mail $((arrived += 1))
expect_type $arrived text/plain
expect_log 'action=none .*login judy@example.org may not use'

# A stray CR, and too many header fields: refused by Sendmail itself.
printf 'From: alice@example.org\r\nSubject: x\r\n\r\none\rtwo\r\n' >stray
send --login alice@example.org --to bob@example.net stray
! grep -q '^DATA 250' reply || {
	wait_for_mail $((arrived += 1))
	decrypt bob $arrived >inner
	verify "$T/inner" >entity
}
{ head -n 3 mail; printf 'X-%d: %0990d\n' {1..80}; sed 1,3d mail; } >huge
send --login alice@example.org --to bob@example.net huge
expect_reply '^DATA 552 '

# Large header fields that it does take.
{ head -n 3 mail; printf 'X-Long: %0900d\n' {1..25}; sed 1,3d mail; } >large
submit large bob@example.net
decrypt bob $arrived >inner
verify "$T/inner" >entity

# The filter is away: mail waits.
stop_daemon
send --login alice@example.org --to bob@example.net mail
! grep -q '^DATA 2' reply || fail "mail leaves while the filter is away"
grep -q ' 4[0-9][0-9] ' reply || fail "the client is not told to wait"
