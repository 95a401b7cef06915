#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Alice has a certificate and its key here, Bob's certificate is known.  Her
# mail to him arrives signed and encrypted, and says what she wrote.
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
start_sink --no-8bitmime
start_postfix

cat >mail <<-'EOF'
From: Alice Example <alice@example.org>
To: Bob <bob@example.net>
Subject: The plans
Message-ID: <1@example.org>
Date: Wed, 25 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

Dear Bob,

here they are.
EOF
send --login alice@example.org --to bob@example.net mail
expect_reply '^DATA 250'
wait_for_mail 1

expect_type 1 application/pkcs7-mime
grep -q 'here they are' sink/1.eml && fail "the text left in clear"
has_field 1 Subject || fail "the Subject is gone"

# openssl opens it, and the signature inside is Alice's.
decrypt bob 1 >inner
expect_type "$T/inner" multipart/signed
verify "$T/inner" >entity
expect_signer alice
expect_same_body mail "$T/entity"

# So do gpgsm and NSS, which share no code with openssl.
decrypt_gpgsm bob 1 >inner-gpgsm
cmp inner inner-gpgsm || fail "gpgsm finds another mail inside"
verify_gpgsm "$T/inner"
decrypt_nss bob 1 >inner-nss
cmp inner inner-nss || fail "NSS finds another mail inside"
verify_nss "$T/inner"

expect_log 'action=sign\+encrypt group=default from=<alice@example.org> nrcpt=1 cert=[0-9a-f]{8} cipher=aes-256-cbc ms='
