#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Under "prefer" a mail gets what is possible: without the recipient's
# certificate it is signed only, without the sender's key encrypted only,
# without both it passes as it is, to the last byte.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign    = prefer
    encrypt = prefer
}
EOF
make_store
import_key alice
import bob judy
start_daemon
start_sink --no-8bitmime
start_postfix

# write_mail FROM TO
write_mail() {
	printf '%s\n' "From: $1" "To: $2" "Subject:   as it  is" \
	    "X-Folded: one" "	two" "Message-ID: <1@example.org>" \
	    "Date: Wed, 25 Nov 2026 10:00:00 +0000" "" \
	    ".a dot" "blanks  " "-- " "end" >mail
}

write_mail alice@example.org carol@example.net
send --login alice@example.org --to carol@example.net mail
wait_for_mail 1
expect_type 1 multipart/signed
verify 1 >entity
expect_same_content mail "$T/entity"
expect_log 'action=sign group=[^ ]+ from=<alice@example.org> nrcpt=1 cert='

# The key of Judy is not here, her certificate is.
write_mail judy@example.org bob@example.net
send --login judy@example.org --from judy@example.org --to bob@example.net mail
wait_for_mail 2
expect_type 2 application/pkcs7-mime
decrypt bob 2 >inner
expect_type "$T/inner" text/plain
expect_same_content mail "$T/inner"
expect_log 'action=encrypt group=[^ ]+ from=<judy@example.org> nrcpt=1 .*cipher=aes-256-cbc'

write_mail judy@example.org carol@example.net
send --login judy@example.org --from judy@example.org \
    --to carol@example.net mail
wait_for_mail 3
expect_untouched mail 3
expect_log 'action=none group=[^ ]+ from=<judy@example.org> nrcpt=1'

# One of two can decrypt: "mixed" says plain unless told otherwise, so that
# one copy serves both; it is still signed.
write_mail alice@example.org "bob@example.net, carol@example.net"
send --login alice@example.org --to bob@example.net,carol@example.net mail
wait_for_mail 4
expect_type 4 multipart/signed
verify 4 >entity
