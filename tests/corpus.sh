#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# corpus.sh FOLDER: what came out of other people's mail programs.
#
# Every file of FOLDER/messages, and every mail of FOLDER/smime, is signed, signed
# opaquely, encrypted, and signed and encrypted.  openssl has to open what came
# out and to find the bytes that were signed; Python's email package has to find
# the mail that it finds in the file; of every 25th (SMIME_LONG: of all) gpgsm
# and NSS have to say the same.  Then tests/corpus-certs.sh looks at
# FOLDER/certs.  Prints how each kind of mail went and why, what failed, and
# "N passed, N failed, N skipped".

[ -d "${1:-}/messages" ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
corpus=$(cd "$1" && pwd)
# shellcheck source=tests/lib/testlib.sh
. "$(dirname "$0")/lib/testlib.sh"
seal=$TEST_BUILD/tests/lib/smime-seal-file
[ -x "$seal" ] || { echo 'run "make check" first, which builds it' >&2; exit 2; }
every=25 batch_len=40
[ -z "${SMIME_LONG:-}" ] || every=1
passed=0 failed=0 skipped=0 batches=()

# Where Python's email reads another mail than MTAs and mail programs do: a part
# without anything in it takes the epilogue for its content; a first line with
# a blank before its name is a field; a boundary may be folded inside its quotes.
known='multipartemptypart.msg bad-header-start.raw m0021.txt'

# complain N WHAT: about the mail of that number in the batch.
complain() {
	echo "$1 $2" >>complaints
}

# same_bytes N SUFFIX MAIL: MAIL, once verified, is what was signed.
same_bytes() {
	openssl cms -verify -in "$3" -CAfile "$pki/root.pem" \
	    -purpose smimesign -out "$1.found" 2>"$1.err" ||
	    complain "$1" "openssl does not verify $2: $(head -n 1 "$1.err")"
	cmp -s "$1.found" "$1.inner" ||
	    complain "$1" "openssl finds other bytes in $2"
}

# open N SUFFIX OUT
open() {
	openssl cms -decrypt -in "$1.$2" -recip "$pki/alice.pem" \
	    -inkey "$pki/alice.key" -out "$3" 2>"$1.err" ||
	    complain "$1" "openssl cannot decrypt $2: $(head -n 1 "$1.err")"
}

check_mail() {
	same_bytes "$1" signed "$1.signed"
	same_bytes "$1" opaque "$1.opaque"
	open "$1" both "$1.open"
	same_bytes "$1" both "$1.open"
	open "$1" encrypted "encrypted/$1.inner"
	ln "$1.orig" "encrypted/$1.orig"
}

# Python's verdict about this folder: "N what differs".
render() {
	python3 "$TEST_SOURCE/tests/interop/render.py" "$1" >render.out ||
	    sed -nE 's|^.*/([0-9]+)\.orig: |\1 rendered otherwise: |p' \
	    render.out >>complaints
}

# check_batch FOLDER FILE...: FOLDER/log has a verdict on each, FOLDER/complaints
# what is wrong, by number.
check_batch() {
	local n=0 verdict
	mkdir -p "$1/encrypted"
	cd "$1" || exit
	shift
	: >complaints
	timeout 120 "$seal" -c "$T/chain.pem" -p "$pki/alice.key" -o . "$@" \
	    >log 2>errors </dev/null
	[ $? -le 1 ] || complain "$(($(wc -l <log)))" \
	    "smime-seal-file crashed or hung: $(tail -n 3 errors)"
	while IFS= read -r verdict; do
		verdict=${verdict##*"$(basename "${*:n + 1:1}"): "}
		case $verdict in
		fast | spliced:* | opaque:*) check_mail $n ;;
		FAILED*) complain $n "$verdict" ;;
		esac
		n=$((n + 1))
	done < <(grep -v '^total: ' log)
	render .
	render encrypted
}

# Other programs' word on the first mail of a batch, or on all.
check_with_others() {
	local n
	for ((n = 0; n < batch_len; n += every)); do
		[ -e "$1/$n.signed" ] || continue
		! has_type "$T/$1/$n.signed" multipart/signed || {
			verify_gpgsm "$T/$1/$n.signed"
			verify_nss "$T/$1/$n.signed"
		}
		"$lib/mime" decode "$T/$1/$n.both" >p7m
		cmsutil -D -d nss -i p7m >nss.out 2>judge.out ||
		    fail "cmsutil: $(cat judge.out)"
		cmp -s nss.out "$1/$n.open" ||
		    fail "NSS decrypts $1/$n.both otherwise"
		echo $n
	done
}

# The certificates take one processor until the end.
if [ -d "$corpus/certs" ]; then
	("$TEST_SOURCE/tests/corpus-certs.sh" "$corpus/certs" >certs.out 2>&1
	echo $? >certs.status) &
fi

# --- the messages -----------------------------------------------------------------

cat "$pki/alice.pem" "$pki/issuing.pem" >chain.pem
mapfile -d '' -t files < <(
	find "$corpus/messages" -type f -print0 | LC_ALL=C sort -z
	find "$corpus/smime" -type f \( -name '*.eml' -o -name '*.txt' \
	    -o -name '*.dat' \) -print0 2>/dev/null | LC_ALL=C sort -z)
for ((at = 0; at < ${#files[@]}; at += batch_len)); do
	(check_batch "batch-$at" "${files[@]:at:batch_len}") &
	batches+=($!)
	[ ${#batches[@]} -lt "$(nproc)" ] || {
		wait "${batches[@]}"
		batches=()
	}
done
[ ${#batches[@]} = 0 ] || wait "${batches[@]}"

for ((at = 0; at < ${#files[@]}; at += batch_len)); do
	# One mail may have failed in several ways, and is counted once.
	wrong=0
	while read -r n what; do
		[[ " $known " != *" $(basename "${files[at + n]}") "* ||
		    $what != "rendered otherwise: "* ]] || continue
		echo "FAILED: ${files[at + n]#"$corpus"/}: $what"
		[ "$n" = "${before:-}" ] || wrong=$((wrong + 1))
		before=$n
	done < <(sort -n "batch-$at/complaints")
	before=
	n=$(grep -cv '^total: ' "batch-$at/log")
	failed=$((failed + wrong))
	passed=$((passed + n - wrong))
done
# "PATH: verdict: why"; none of these verdicts stands in a path.
sed -nE 's/^.*: ((fast|spliced|opaque|left alone|refused|FAILED)(: .*)?)$/\1/p' \
    batch-*/log >verdicts
echo "${#files[@]} mails: $(for verdict in fast spliced opaque 'left alone' \
    refused; do
	printf '%s %s, ' "$(grep -c "^$verdict" verdicts)" "$verdict"
done | sed 's/, $//'), and why:"
grep : verdicts | LC_ALL=C sort | uniq -c | sort -k1,1nr -k2

# --- gpgsm and NSS ------------------------------------------------------------------

if command -v gpgsm >/dev/null && command -v cmsutil >/dev/null; then
	gpgsm_home
	nss_home
	pk12util -d nss -i "$pki/alice.p12" -W "$password" -K '' >pk12.out 2>&1
	looked_at=0
	for batch in batch-*; do
		if seen=$(check_with_others "$batch"); then
			looked_at=$((looked_at + $(wc -w <<<"$seen")))
		else
			failed=$((failed + 1))
		fi
	done
	echo "gpgsm and NSS agree about $looked_at mails"
else
	echo 'gpgsm or NSS is not installed'
	skipped=$((skipped + 1))
fi

# --- the certificates ---------------------------------------------------------------

wait
echo "certificates, what they are and what becomes of them:"
case $(cat certs.status 2>/dev/null) in
0)	passed=$((passed + 1)) ;;
'')	echo 'there are none' && skipped=$((skipped + 1)) ;;
*)	failed=$((failed + 1)) ;;
esac
[ ! -e certs.out ] || cat certs.out

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
