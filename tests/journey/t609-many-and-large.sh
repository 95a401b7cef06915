#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# In two passes: a mail to many recipients, each of whom gets one copy of his
# own, one to an address beyond ASCII, and a large one, which openssl opens.
# (20 recipients and 2 MB here; 100, 5,000 and 50 MB in make check-long.)
. "$(dirname "$0")/../lib/testlib.sh"

counts=20 megabytes=2
[ -z "${SMIME_LONG:-}" ] || counts='100 5000' megabytes=50

configure stamp seal <<-'EOF'
max-recipients   = 6000
max-message-size = 60M
EOF
make_store
import_key alice
import bob
start_daemon
start_sink
start_postfix --layout split 'smtpd_recipient_limit = 6000' \
    'message_size_limit = 209715200' 'queue_minfree = 0'

# The sink's mails from the FIRST on went to one recipient each, all of them.
expect_one_each() {
	local first=$1 count=$2
	for ((i = first; i < first + count; i++)); do
		cat "sink/$i.env"
	done | sed -n 's/^RCPT TO:<\([^>]*\)>.*/\1/p' | sort >got
	sort recipients | diff - got >difference ||
	    fail "not one copy for each: $(head -n 20 difference)"
}

all=0
for count in $counts; do
	seq -f 'r%.0f@example.net' $((count - 1)) >recipients
	echo bob@example.net >>recipients
	write_mail 'From: alice@example.org' 'To: all of you:;'
	send --login alice@example.org --to "$(paste -sd, recipients)" mail
	expect_reply '^DATA 250'
	wait_for_mail $((all + count)) $((30 + count))
	expect_one_each $((all + 1)) $count
	for ((i = all + 1; i <= all + count; i += 1 + count / 20)); do
		grep -q '^RCPT TO:<bob@' sink/$i.env || verify $i >entity
	done
	decrypt bob "$(copy_for bob@example.net $((all + 1)))" >inner
	verify "$T/inner" >entity
	expect_signer alice
	all=$((all + count))
done

write_mail 'From: alice@example.org' 'To: jörg@example.net'
send --login alice@example.org --to jörg@example.net mail
expect_reply '^DATA 250'
wait_for_mail $((all += 1))
verify $all >entity
grep -q 'SMTPUTF8' sink/$all.env || fail "it is no longer SMTPUTF8"

{
	write_mail 'From: alice@example.org' 'To: bob@example.net'
	cat mail
	yes "$(printf 'x%.0s' {1..70})" | head -c $((megabytes * 1000000))
} >large
send --login alice@example.org --to bob@example.net large
expect_reply '^DATA 250'
wait_for_mail $((all += 1)) 120
decrypt bob $all >inner
verify "$T/inner" >entity
expect_same_content large entity
