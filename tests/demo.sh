#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# One mail, from its sender's program to its recipient's, and what is done to
# it on the way.  Everything is made in a temporary folder and gone at the end.
# Exit status: 0 only if the mail arrived signed and encrypted, and was opened
# and verified by programs that are not ours.
. "$(dirname "$0")/lib/testlib.sh"

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else bold='' plain=''
fi
step=0
tell() { printf '\n%s%d. %s%s\n\n' "$bold" $((step += 1)) "$*" "$plain"; }
# The temporary folder is shown as DIR.
show() { sed "s/\r\$//; s|$T|DIR|g; s/^./    &/"; }
run() {
	echo "    \$ $*"
	"$@" 2>&1 | show || fail "$*"
}

tell "Alice works at example.org, Bob at example.net.  Each has a certificate
   for S/MIME; Alice's key is on her company's mail server, Bob's is not."
openssl x509 -in "$pki/alice.pem" -noout -subject -ext subjectAltName | show
openssl x509 -in "$pki/bob.pem" -noout -subject -ext subjectAltName | show

tell "The administrator writes a configuration, makes a store, and imports the
   certificate authority, Alice's certificate with its key, and Bob's
   certificate."
configure <<'EOF'
default {
    sign    = require
    encrypt = prefer
}
EOF
show <smime-milter.conf
echo
mkdir -p milter
ln -s "$pki" pki
cat "$pki/alice.pem" "$pki/alice.key" >alice.pem
run smimectl init
run smimectl import pki/root.pem
run smimectl import --no-trust pki/issuing.pem
run smimectl import alice.pem
run smimectl import pki/bob.pem
rm -f alice.pem
run smimectl list

tell "The filter starts, and Postfix, which asks it about each mail:
       smtpd_milters = unix:.../milter/socket"
start_daemon
start_sink --no-8bitmime
start_postfix

tell "Alice logs in to her mail server, and sends what she wrote:"
cat >mail <<'EOF'
From: Alice Example <alice@example.org>
To: Bob Example <bob@example.net>
Subject: Lunch
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Lieber Bob,

um zwölf im Café?  Ich zahle; es kostet höchstens 20 €.

Alice
EOF
show <mail
send --login alice@example.org --to bob@example.net mail
printf '\n    the server says: %s\n' "$(sed -n 's/^DATA //p' reply)"
expect_reply '^DATA 250'
wait_for_mail 1

tell "What arrives at Bob's server:"
head -n 30 sink/1.eml | cut -c 1-76 | show
echo "    [...]"
expect_type 1 application/pkcs7-mime
if grep -q 'Lieber Bob' sink/1.eml; then fail "the text left in clear"; fi

tell "Bob's programs open it with his key, and verify who wrote it:"
decrypt bob 1 >inner
verify "$T/inner" >entity
expect_signer alice
expect_same_content mail "$T/entity"
echo "    openssl   decrypted, signature verified, by" \
    "$(openssl x509 -in signer.pem -noout -subject)"
decrypt_gpgsm bob 1 >inner.gpgsm
verify_gpgsm "$T/inner.gpgsm"
cmp inner inner.gpgsm || fail "gpgsm finds another mail inside"
echo "    gpgsm     decrypted, signature verified"
decrypt_nss bob 1 >inner.nss
verify_nss "$T/inner.nss"
cmp inner inner.nss || fail "NSS finds another mail inside"
echo "    cmsutil   decrypted, signature verified (NSS, as in Thunderbird)"
echo
"$lib/mime" leaves "$T/entity" | tail -n +2 | show

tell "What the filter logged:"
grep 'action=' daemon.log | show
expect_log 'action=sign\+encrypt'

printf '\n%sIt was signed, encrypted, opened and verified.%s\n' "$bold" "$plain"
