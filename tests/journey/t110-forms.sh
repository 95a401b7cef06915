#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the options of a group and of a section of recipients make of one mail:
# each form of signature and envelope is what the option says, and openssl
# reads it.
. "$(dirname "$0")/../lib/testlib.sh"

configure </dev/null
make_store
import_key alice judy peggy ivan-sign
import ivan-encrypt bob carol sybil trent

cat >mail <<-'EOF'
From: AUTHOR
To: RECIPIENTS
Subject: Forms
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Schöne Grüße
EOF

# seal FROM TO OPTIONS [OPTIONS-OF-RECIPIENTS]: into "sealed".
seal() {
	echo "$1 to $2: $3${4:+, $4}"
	configure <<-EOF
	default { $3 }
	recipients "theirs" {
	    members = { "@example.net" }
	    ${4:-}
	}
	EOF
	sed "s/AUTHOR/$1/; s/RECIPIENTS/$2/" mail >"$1.eml"
	smimectl seal --login "$1" --from "$1" --to "$2" <"$1.eml" \
	    >sealed 2>sealed.err || fail "$(cat sealed.err)"
	openssl cms -cmsout -print -in sealed >structure 2>&1
}

# expect PATTERN, refuse PATTERN: in what openssl shows of the structure.
expect() {
	grep -Eqi -- "$1" structure || fail "no $1 in the structure"
}
refuse() {
	! grep -Eqi -- "$1" structure || fail "$1 in the structure"
}
expect_signed() {
	verify "$T/sealed" >entity
	expect_signer "$1"
	expect_same_content mail "$T/entity"
}
expect_micalg() {
	grep -Eq "micalg=\"?$1\"?;" sealed ||
	    fail "not $1: $(grep micalg sealed)"
}

# --- signatures --------------------------------------------------------------

only_sign='encrypt = never'
expect_digest() {
	expect_type "$T/sealed" multipart/signed
	expect_signed "$1"
	expect_micalg "$2"
	expect "algorithm: ${2/-/}"
}
for form in alice/sha-256 judy/sha-384 alice/sha-512; do
	seal ${form%/*}@example.org zoe@example.net \
	    "$only_sign digest = ${form#*/}"
	expect_digest ${form%/*} ${form#*/}
	refuse rsassaPss
done
for digest in sha-256 sha-384 sha-512; do
	seal alice@example.org zoe@example.net \
	    "$only_sign digest = $digest signature-algorithm = rsa-pss"
	expect_digest alice $digest
	expect 'algorithm: rsassaPss'
done

seal alice@example.org zoe@example.net "$only_sign signed-format = opaque"
expect_type "$T/sealed" application/pkcs7-mime
expect_signed alice

# A key for RSASSA-PSS alone signs so unasked; EC keys are not concerned.
seal peggy@example.org zoe@example.net "$only_sign"
expect_signed peggy
expect 'algorithm: rsassaPss'
seal judy@example.org zoe@example.net "$only_sign signature-algorithm = rsa-pss"
expect_signed judy
expect 'algorithm: ecdsa-with-SHA256'

# A section of recipients asks for it; another recipient could not read it.
seal alice@example.org zoe@example.net "$only_sign" \
    'signature-algorithm = rsa-pss'
expect 'algorithm: rsassaPss'
seal alice@example.org zoe@example.net,zoe@example.com "$only_sign" \
    'signature-algorithm = rsa-pss'
refuse 'algorithm: rsassaPss'

# Ivan signs with one certificate, and is replied to with another, which goes
# along and is named.
seal ivan@example.org zoe@example.net "$only_sign"
expect_signed ivan-sign
expect 'id-smime-aa-encrypKeyPref'
openssl cms -verify -in sealed -noverify -certsout certs -out /dev/null \
    2>judge.out || fail "$(cat judge.out)"
grep -qF "$(sed -n 2p "$pki/ivan-encrypt.pem")" certs &&
    grep -qF "$(sed -n '/END/!{h;d};x;p' "$pki/ivan-encrypt.pem")" certs ||
    fail 'the certificate to reply to is not in the signature'
seal alice@example.org zoe@example.net "$only_sign"
refuse 'id-smime-aa-encrypKeyPref'

# --- envelopes ---------------------------------------------------------------

only_encrypt='sign = never encrypt = require'

# expect_sealed NAME TYPE
expect_sealed() {
	grep -q "smime-type=$2" sealed || fail "it should be $2"
	decrypt "$1" "$T/sealed" >inner
	expect_same_content mail "$T/inner"
}
# How the key reaches each: RSA, and a derivation that fits the curve.
management() {
	case $1 in
	bob) echo 'algorithm: rsaEncryption' ;;
	carol) echo 'dhSinglePass-stdDH-sha256kdf' ;;
	sybil) echo 'dhSinglePass-stdDH-sha384kdf' ;;
	esac
}
forms='bob/aes-128-cbc carol/aes-256-cbc sybil/aes-128-gcm bob/aes-256-gcm'
[ -z "${SMIME_LONG:-}" ] ||
    forms=$(echo {bob,carol,sybil}/aes-{128,256}-{cbc,gcm})
for form in $forms; do
	name=${form%/*} cipher=${form#*/} type=enveloped-data
	[ "${cipher%gcm}" = "$cipher" ] || type=authEnveloped-data
	seal alice@example.org $name@example.net "$only_encrypt cipher = $cipher"
	expect_sealed $name $type
	expect "algorithm: (id-)?${cipher/aes-/aes-?}"
	expect "$(management $name)"
done

# "auto": GCM where the certificates of all recipients name it.
seal alice@example.org trent@example.net "$only_encrypt cipher = auto"
expect_sealed trent authEnveloped-data
expect 'algorithm: (id-)?aes-?256-gcm'
seal alice@example.org trent@example.net,bob@example.net \
    "$only_encrypt cipher = auto"
expect_sealed trent enveloped-data
expect_sealed bob enveloped-data
expect 'algorithm: aes-256-cbc'

# RSA-OAEP where it is asked for.
seal alice@example.org bob@example.net "$only_encrypt key-management = rsa-oaep"
expect_sealed bob enveloped-data
expect 'algorithm: rsaesOaep'

# A key that can only sign is told as that.
echo 'to a key for RSASSA-PSS'
configure <<<'default { encrypt = require }'
sed 's/AUTHOR/alice@example.org/; s/RECIPIENTS/peggy@example.org/' mail >to-peggy
if smimectl seal --login alice@example.org --from alice@example.org \
    --to peggy@example.org <to-peggy >sealed 2>sealed.err; then
	fail 'it was encrypted to a key that can only sign'
fi
[ ! -s sealed ] || fail 'a refused mail came out'
grep -q 'has a key (RSA-PSS) that can sign only' sealed.err ||
    fail "another reason: $(cat sealed.err)"
