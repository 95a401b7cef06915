#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What comes out is read by programs that share nothing with us, for a sender
# and recipient with an RSA key and one with an EC key:
#
#	form		openssl	gpgsm	cmsutil	certtool
#	detached	yes	yes	yes	yes
#	opaque		yes	yes	yes	no: reads no content from SignedData
#	enveloped, RSA	yes	yes	yes	no: does not decrypt
#	enveloped, EC	yes	no: crashes on an EC key	no	no
#
# The mails are those of tests/corpus that are easily damaged; SMIME_LONG=1
# takes more of them.

# shellcheck source=tests/lib/testlib.sh
. "$(dirname "$0")/../lib/testlib.sh"

mails='8bit-utf8-text no-final-line-end empty-body nul-in-text
    8bit-in-anothers-signature'
[ -z "${SMIME_LONG:-}" ] || mails="$mails 7bit-text five-final-line-ends
    preamble-and-epilogue binary-attachment format-flowed line-from bare-cr"
seal=$TEST_BUILD/tests/lib/smime-seal-file

for program in gpgsm cmsutil certtool; do
	command -v "$program" >/dev/null || skip "$program is not installed"
done

verify_certtool() {
	"$lib/mime" part 1 "$1" >content
	"$lib/mime" part 2 "$1" >signature.mime
	"$lib/mime" decode signature.mime >p7s
	certtool --p7-verify --inder --load-ca-certificate "$pki/root.pem" \
	    --load-data content --infile p7s >"$T/judge.out" 2>&1 ||
	    fail "certtool does not verify $1: $(cat "$T/judge.out")"
}

# Both give the content, too.
verify_opaque() {
	"$lib/mime" decode "$1" >p7m
	gpgsm_home
	run_gpgsm --output gpgsm.out --verify p7m ||
	    fail "gpgsm does not verify $1: $(cat "$T/judge.out")"
	cmp gpgsm.out "$2" || fail "gpgsm finds something else in $1"
	rm -f gpgsm.out
	nss_home
	cmsutil -D -d nss -i p7m >nss.out 2>"$T/judge.out" ||
	    fail "cmsutil does not verify $1: $(cat "$T/judge.out")"
	cmp nss.out "$2" || fail "cmsutil finds something else in $1"
}

import_nss() {
	nss_home
	pk12util -d nss -i "$pki/$1.p12" -W "$password" -K '' \
	    >"$T/judge.out" 2>&1 || fail "pk12util: $(cat "$T/judge.out")"
}

# judge NAME N: all forms of mail N.
judge() {
	local n=out-$1/$2
	if has_type "$n.signed" multipart/signed; then
		verify "$n.signed" >/dev/null
		verify_gpgsm "$n.signed"
		verify_nss "$n.signed"
		verify_certtool "$n.signed"
		cmp content "$n.inner" || fail "the entity of $n.signed"
	else
		verify_opaque "$n.signed" "$n.inner"
	fi
	verify "$n.opaque" >/dev/null
	verify_opaque "$n.opaque" "$n.inner"

	decrypt "$1" "$n.both" >both.openssl
	verify both.openssl >/dev/null
	[ "$1" = alice ] || return 0
	"$lib/mime" decode "$n.both" >p7m
	run_gpgsm --decrypt p7m >both.gpgsm ||
	    fail "gpgsm cannot decrypt $n.both: $(cat "$T/judge.out")"
	cmp both.openssl both.gpgsm || fail "gpgsm decrypts $n.both otherwise"
	cmsutil -D -d nss -i p7m >both.nss 2>"$T/judge.out" ||
	    fail "cmsutil cannot decrypt $n.both: $(cat "$T/judge.out")"
	cmp both.openssl both.nss || fail "cmsutil decrypts $n.both otherwise"
}

import_gpgsm alice
import_nss alice
for name in alice judy; do
	[ -n "${SMIME_LONG:-}" ] || [ "$name" = alice ] ||
	    mails='binary-attachment empty-body'
	cat "$pki/$name.pem" "$pki/issuing.pem" >chain.pem
	mkdir "out-$name"
	files=()
	for mail in $mails; do
		files+=("$TEST_SOURCE/tests/corpus/$mail.eml")
	done
	"$seal" -k -c chain.pem -p "$pki/$name.key" -o "out-$name" \
	    "${files[@]}" >seal.log || fail "$(cat seal.log)"
	for ((i = 0; i < ${#files[@]}; i++)); do
		[ -s "out-$name/$i.signed" ] || fail "$(cat seal.log)"
		judge "$name" "$i"
	done
done
echo "${#files[@]} mails for an RSA and an EC key: all programs agree"
