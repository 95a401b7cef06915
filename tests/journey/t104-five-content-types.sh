#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A mail with five Content-Type fields, and some other Content fields twice:
# outside, none is left but the filter's own.  (Postfix counts fields anew
# after each that is deleted, Sendmail does not.)  Which of them holds is for
# nobody to say, so the signature may be around a mail of one piece.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign    = prefer
    encrypt = prefer
}
EOF
make_store
import_key alice
import bob
start_daemon
start_sink
start_postfix

cat >mail <<-'EOF'
Content-Type: text/plain; charset=us-ascii
From: alice@example.org
Content-type: text/html
To: bob@example.net
CONTENT-TYPE: text/x-three
Content-Transfer-Encoding: 7bit
Subject: five
Content-Type: text/x-four
Content-Description: one
Content-Transfer-Encoding: 8bit
MIME-Version: 1.0
Content-Description: two
Content-Type: text/x-five
Mime-Version: 1.0

Which am I?
EOF

# count FIELD N: so many in the outer headers of sink/N.eml.
count() {
	"$lib/mime" fields "sink/$2.eml" | grep -ci "^$1:"
}

# expect_ours N
expect_ours() {
	[ "$(count Content-Type "$1")" = 1 ] || fail "several Content-Type"
	[ "$(count MIME-Version "$1")" = 1 ] || fail "several MIME-Version"
	[ "$(count Content-Transfer-Encoding "$1")" -le 1 ] ||
	    fail "several Content-Transfer-Encoding"
	grep -Eqi '^Content-Type: text|^Content-Description: (one|two)' \
	    <("$lib/mime" fields "sink/$1.eml") &&
	    fail "a field of the mail's own content is left outside"
	[ "$(count Subject "$1")" = 1 ] || fail "the Subject is gone"
}

send --login alice@example.org --to carol@example.net mail
expect_reply '^DATA 250'
wait_for_mail 1
expect_ours 1
verify 1 >entity
grep -q 'Which am I' entity || fail "the text is gone"

send --login alice@example.org --to bob@example.net mail
expect_reply '^DATA 250'
wait_for_mail 2
expect_ours 2
expect_type 2 application/pkcs7-mime
decrypt bob 2 >inner
verify "$T/inner" >entity
