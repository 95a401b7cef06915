#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An administrator is handed certificates in all forms.  Each is read, and
# openssl finds the same certificate in what is exported again.
. "$(dirname "$0")/../lib/testlib.sh"

configure </dev/null
smimectl init >out || fail "init: $(cat out)"
echo secret >words
fp=$(openssl x509 -in "$pki/alice.pem" -noout -fingerprint -sha256 |
    sed 's/.*=//; s/://g' | tr A-F a-f)

# form NAME COMMAND...: what the command makes holds Alice's certificate.
form() {
	local name=$1
	shift
	"$@" >"file-$name" 2>/dev/null || fail "make $name"
	smimectl --json import --passphrase-file words "file-$name" >out 2>&1 ||
	    fail "$name: $(cat out)"
	grep -q "\"fingerprint\": \"$fp\"" out ||
	    fail "$name: another certificate: $(cat out)"
	smimectl export alice@example.org >back.pem || fail "$name: export"
	[ "$(openssl x509 -in back.pem -outform der | sha256sum)" = \
	    "$(openssl x509 -in "$pki/alice.pem" -outform der | sha256sum)" ] ||
	    fail "$name: exported is another certificate"
	smimectl remove --yes alice@example.org >out 2>&1 ||
	    fail "$name: remove: $(cat out)"
}

both() { cat "$pki/alice.pem" "$pki/alice.key"; }
crlf() { sed 's/$/\r/' "$pki/alice.pem"; }
utf16() { iconv -t UTF-16 "$pki/alice.pem"; }
quoted() { echo 'Hello,'; sed 's/^/> /' "$pki/alice.pem"; echo 'Bye'; }
bare() { echo 'It is:'; openssl x509 -in "$pki/alice.pem" -outform der | base64; }
p12() { openssl pkcs12 -export -in "$pki/alice.pem" -inkey "$pki/alice.key" \
    -passout pass:secret "$@"; }
p7() { openssl crl2pkcs7 -nocrl -certfile "$pki/alice.pem" "$@"; }
mail() { echo text | openssl cms -sign -text -signer "$pki/alice.pem" \
    -inkey "$pki/alice.key"; }

form pem cat "$pki/alice.pem"
form both both
form text openssl x509 -text -in "$pki/alice.pem"
form trusted openssl x509 -trustout -in "$pki/alice.pem"
form crlf crlf
form utf16 utf16
form quoted quoted
form bare bare
form der openssl x509 -outform der -in "$pki/alice.pem"
form p7.pem p7
form p7.der p7 -outform der
form p12 p12
form p12-rc2 p12 -legacy
form p12-no-mac p12 -nomac
form mail mail

# Out of a mail it is material only: somebody else chose it.
smimectl --json import file-mail >out || fail "$(cat out)"
grep -q '"trust": "chain"' out || fail "a mail's certificate is trusted"
smimectl remove --yes alice@example.org >out 2>&1

# A folder with one bad file among good ones: all good ones are taken.
mkdir folder
cp "$pki/bob.pem" folder/1.pem
echo 'not a certificate' >folder/2.pem
head -c 300 "$pki/carol.p12" >folder/3.p12
cp "$pki/grace.pem" folder/4.pem
cp "$pki/judy.pem" folder/5.pem
smimectl --json import folder >out
[ $? = 1 ] || fail "a refused item goes unnoticed"
[ "$(grep -c '"verdict": "added"' out)" = 2 ] || fail "good ones: $(cat out)"
for why in 'no certificate or key' 'cut off' 'emailProtection'; do
	grep -q "$why" out || fail "the reason \"$why\" is missing: $(cat out)"
done

# A wrong passphrase is not said to be anything else.
echo wrong >wrong
smimectl import --passphrase-file wrong "$pki/carol.p12" >out 2>&1 &&
    fail "opened by a wrong passphrase"
grep -q 'no passphrase given opens' out || fail "$(cat out)"

# A dry run changes nothing.
smimectl import --dry-run "$pki/carol.pem" >out || fail "$(cat out)"
smimectl show carol@example.net >out 2>&1 && fail "a dry run has added it"
exit 0
