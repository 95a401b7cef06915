#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# corpus-certs.sh FOLDER [SMIMECTL]: every file of a corpus of certificates
# through "smimectl split".  Fails on a crash or a hang, where openssl finds
# another number of certificates in a file that it can read, and where one
# that it finds is not among ours.  FOLDER/../PASSWORDS.tsv, if it is there,
# has a file and its passphrase on each line.  Prints how many of each verdict.
set -u
[ -d "${1:-}" ] || { echo "no corpus folder given"; exit 77; }
corpus=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
smimectl=${2:-${TEST_BUILD:-$here/build}/tools/smimectl}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
	echo "${file#"$corpus"/}: $*"
	failed=1
}

passphrase_of() {
	[ -e "$corpus/../PASSWORDS.tsv" ] || return 0
	awk -F '\t' -v file="$(basename "$corpus")/${1#"$corpus"/}" \
	    '$1 == file && $2 != "?" { print $2 }' "$corpus/../PASSWORDS.tsv"
}

# Certificates as openssl finds them, in PEM; fails where it can read nothing.
theirs() {
	case $1 in
	*.p12|*.pfx)
		openssl pkcs12 -legacy -nokeys -in "$1" \
		    -passin file:"$work/word" ;;
	*)
		if grep -q 'BEGIN PKCS7' "$1"; then
			openssl pkcs7 -print_certs -in "$1"
		else
			# A key under an unknown passphrase ends it early.
			openssl storeutl -certs -passin file:"$work/word" \
			    "$1" </dev/null
		fi ;;
	esac 2>/dev/null
}

# One fingerprint on each line, sorted, each once.
fingerprints() {
	awk -v dir="$work/fp" '/-----BEGIN/ { n++ }
	    n { print >(dir "/" n) }'
	for pem in "$work"/fp/*; do
		openssl x509 -in "$pem" -noout -fingerprint -sha256 \
		    2>/dev/null
	done | sed 's/.*=//; s/://g' | tr A-F a-f | sort -u
	rm -f "$work"/fp/*
}

mkdir "$work/fp"
while IFS= read -r -d '' file; do
	passphrase_of "$file" >"$work/word"
	[ -s "$work/word" ] || echo >"$work/word"
	rm -rf "$work/out"
	timeout 60 "$smimectl" --json split --out "$work/out" \
	    --passphrase-file "$work/word" "$file" \
	    >"$work/json" 2>"$work/errors" </dev/null
	status=$?
	[ $status -le 1 ] || complain "status $status: $(tail -n 3 "$work/errors")"
	grep -h '"verdict"\|"kind"' "$work/json" | paste - - |
	    tr -d '", \t' >>"$work/verdicts"
	theirs "$file" >"$work/theirs.pem" || continue
	fingerprints <"$work/theirs.pem" >"$work/theirs"
	grep -A 4 '"kind": "certificate"' "$work/json" |
	    sed -n 's/.*"fingerprint": "\([0-9a-f]*\)".*/\1/p' |
	    sort -u >"$work/ours"
	# One that we refuse, with a reason, was found as well.
	refused=$(grep -A 1 '"kind": "certificate"' "$work/json" |
	    grep -c '"verdict": "refused"')
	missing=$(comm -23 "$work/theirs" "$work/ours" | wc -l)
	[ "$missing" -le "$refused" ] ||
	    complain "openssl finds $missing certificates that we do not"
	# openssl reads no PKCS#7 in DER here, and finds nothing then.
	[ ! -s "$work/theirs" ] || [ -z "$(comm -13 "$work/theirs" \
	    "$work/ours")" ] || complain "we find more than openssl"
done < <(find "$corpus" -type f -print0 | sort -z)

sort "$work/verdicts" | uniq -c
exit $failed
