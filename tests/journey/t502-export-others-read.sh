#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What leaves the store is read by others, and a key only under its passphrase.
. "$(dirname "$0")/../lib/testlib.sh"

make_store
import_key alice
echo secret >words
echo new >new
smimectl import --passphrase-file words "$pki/judy.p12" >out || fail "$(cat out)"

# opens FILE PASSPHRASE: openssl reads the key with it.
opens() {
	openssl pkey -in "$1" -passin "pass:$2" -noout 2>/dev/null
}

# A key that came under a passphrase needs none to leave, and keeps it.
smimectl export --key judy@example.org >judy.key || fail "export judy's key"
opens judy.key secret || fail "its own passphrase does not open the key"
opens judy.key new && fail "another passphrase opens the key"
grep -q 'BEGIN ENCRYPTED' judy.key || fail "the key is not encrypted"

# One that came in clear is put under a new one, or refused.
smimectl export --key --passphrase-file new --out alice.key \
    alice@example.org || fail "export alice's key"
[ "$(stat -c %a alice.key)" = 600 ] || fail "others can read the key"
opens alice.key new || fail "the new passphrase does not open the key"
setsid -w "$TEST_BUILD/tools/smimectl" -c smime-milter.conf export --key \
    alice@example.org >out 2>&1 && fail "a key without protection left"
grep -q PRIVATE out && fail "a key left in clear"
before=$(sha256sum alice.key)
smimectl export --key --passphrase-file new --out alice.key \
    alice@example.org 2>/dev/null && fail "a file was overwritten"
[ "$before" = "$(sha256sum alice.key)" ] || fail "a file was changed"

# In clear only by the word, and under a passphrase only with it.
smimectl export --key --unprotected alice@example.org |
    openssl pkey -noout || fail "in clear"
smimectl export --key --unprotected --passphrase-file new judy@example.org \
    >out 2>/dev/null && fail "a protected key left in clear"
[ -s out ] && fail "something left with a wrong passphrase"

# Encrypted PKCS#8 comes back to the byte.
openssl pkcs8 -topk8 -in "$pki/carol.key" -passout pass:secret -out carol.p8
cat "$pki/carol.pem" carol.p8 >carol.both
smimectl import --passphrase-file words carol.both >out || fail "$(cat out)"
smimectl export --key carol@example.net >carol.back
cmp <(openssl base64 -d < <(grep -v -e ----- carol.p8)) \
    <(openssl base64 -d < <(grep -v -e ----- carol.back)) ||
    fail "the encrypted key was changed"

# The passphrase is in none of the store's files.
grep -rqa secret store && fail "the passphrase is in the store"

# The chain: leaf first, complete, accepted by openssl.
smimectl export --chain alice@example.org >chain || fail "chain"
[ "$(grep -c BEGIN chain)" = 3 ] || fail "the chain is not whole"
openssl verify -CAfile "$pki/root.pem" -untrusted chain chain >/dev/null ||
    fail "openssl does not verify the chain"

# PKCS#12: openssl, GnuTLS and NSS.
smimectl export --p12 --passphrase-file new --out alice.p12 \
    alice@example.org || fail "PKCS#12"
openssl pkcs12 -in alice.p12 -passin pass:new -nodes 2>/dev/null >p12.pem ||
    fail "openssl does not read it"
cmp <(openssl pkey -in p12.pem) <(openssl pkey -in "$pki/alice.key") ||
    fail "another key"
smimectl export --p12 --legacy --passphrase-file new --out old.p12 \
    alice@example.org || fail "old PKCS#12"
for file in alice.p12 old.p12; do
	if command -v certtool >/dev/null; then
		certtool --p12-info --inder --infile $file --password new \
		    >out 2>&1 || fail "certtool and $file: $(cat out)"
	fi
	if command -v pk12util >/dev/null; then
		mkdir nss-$file
		certutil -N -d nss-$file --empty-password
		pk12util -i $file -d nss-$file -W new -K '' >out 2>&1 ||
		    fail "pk12util and $file: $(cat out)"
		certutil -K -d nss-$file >out
		grep -q 'alice@example.org' out ||
		    fail "NSS has no key out of $file"
	fi
done

# From store to store: the same record again.
smimectl export --bundle --passphrase-file words judy@example.org >bundle
smimectl --json show judy@example.org | grep -v -e added -e source >before
smimectl remove --yes judy@example.org >/dev/null || fail "remove"
smimectl import --passphrase-file words bundle >out
smimectl --json show judy@example.org | grep -v -e added -e source >after
cmp before after || fail "what came back differs: $(diff before after)"
exit 0
