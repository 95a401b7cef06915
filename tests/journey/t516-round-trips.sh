#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What leaves one store enters another, in each form, and is there what it was
# here; on its way openssl, GnuTLS and NSS find the same certificate, key and
# chain in it.  SMIME_LONG: others
# read each PKCS#12, not one of each kind, and what NSS writes comes back.
. "$(dirname "$0")/../lib/testlib.sh"
command -v certtool >/dev/null || skip "GnuTLS's certtool is not installed"
command -v pk12util >/dev/null || skip "NSS's pk12util is not installed"

echo secret >words
echo new >new
cat words new >all.words
make_store
sed "s|$T/store|$T/other|; s|$T/master.key|$T/other.key|" \
    smime-milter.conf >there.conf
elsewhere() { "$TEST_BUILD/tools/smimectl" -c "$T/there.conf" "$@"; }
elsewhere init >out || fail "another store: $(cat out)"
cp -a other nobody
elsewhere import "$pki/root.pem" >out &&
    elsewhere import --no-trust "$pki/issuing.pem" >out || fail "$(cat out)"
cp -a other only-ca

# Alice's key came in clear, Judy's under a passphrase in PKCS#12, Carol's
# under one in PKCS#8.
import_key alice
openssl pkcs8 -topk8 -in "$pki/carol.key" -passout pass:secret -out carol.p8
cat "$pki/carol.pem" carol.p8 >carol.both
smimectl import --passphrase-file words "$pki/judy.p12" carol.both >out ||
    fail "$(cat out)"
people='alice@example.org judy@example.org carol@example.net'

# Records, but for when and from which file they were made: as they are, each
# certificate without its key, and Alice's key under a passphrase.
records() { "$@" --json list | grep -v -e '"added' -e '"source"'; }
records smimectl >is
sed 's/"has_key": true/"has_key": false/
    s/\("key_protection": \).*/\1"none",/' is >alone
sed 's/"sealed"/"passphrase"/' is >locked

# take FORM OPTION...: everybody's, in WHO.FORM.  Alice's key is put under a
# passphrase, the others' keep theirs.
word() { [ "$1" = alice@example.org ] && echo new || echo secret; }
take() {
	local form=$1 who
	shift
	for who in $people; do
		word "$who" >word
		smimectl export "$@" "$who" >"$who.$form" <word ||
		    fail "export $* $who"
	done
}
locked() { take "$@" --passphrase-file /dev/stdin; }
# becomes RECORDS FORM: into a store that has the CA only; these are there.
becomes() {
	rm -rf other
	cp -a only-ca other
	elsewhere import --passphrase-file all.words ./*@*".$2" >out 2>&1 ||
	    fail "import $2: $(cat out)"
	records elsewhere >there
	cmp -s "$1" there || fail "through $2: $(diff "$1" there)"
}
pkcs7() {
	local who form=$1
	shift
	for who in $people; do
		openssl crl2pkcs7 -nocrl -certfile "$who.chain" \
		    -out "$who.$form" "$@"
	done
}

take pem && becomes alone pem
take der --der && becomes alone der
take chain --chain && becomes alone chain
pkcs7 p7 && becomes alone p7
pkcs7 p7b -outform der && becomes alone p7b
locked bundle --bundle && becomes locked bundle
elsewhere export --key carol@example.net | cmp - <(smimectl export --key \
    carol@example.net) || fail "a protected key was changed"
locked p12 --p12 && becomes locked p12
locked old --p12 --legacy && becomes locked old

# Opened on purpose, Alice's key is one without protection there, too.
smimectl export --bundle --unprotected alice@example.org \
    >alice@example.org.bundle
becomes is bundle

# read_by WHO.FORM PASSPHRASE: others' programs, into NAME.pem; NSS gives it
# back as a PKCS#12 of its own.
read_by() {
	openssl pkcs12 -legacy -in "$1" -passin "pass:$2" -nodes >openssl.pem \
	    2>out || fail "openssl and $1: $(cat out)"
	certtool --p12-info --inder --infile "$1" --password "$2" >gnutls.pem \
	    2>out || fail "certtool and $1: $(cat out)"
	mkdir "nss-$1"
	certutil -N -d "nss-$1" --empty-password
	pk12util -i "$1" -d "nss-$1" -W "$2" -K '' >out 2>&1 ||
	    fail "pk12util and $1: $(cat out)"
	pk12util -o "${1%.*}.nss" -d "nss-$1" -n "${1%.*}" -W "$2" -K '' \
	    >out 2>&1 || fail "NSS has no key of $1: $(cat out)"
	openssl pkcs12 -in "${1%.*}.nss" -passin "pass:$2" -nodes >nss.pem \
	    2>out || fail "openssl and what NSS made of $1: $(cat out)"
}
chain() {
	openssl crl2pkcs7 -nocrl -certfile "$1" |
	    openssl pkcs7 -print_certs -noout | grep ^subject | sort
}
public() {
	sed -n '/BEGIN.*PRIVATE/,/END.*PRIVATE/p' "$1" |
	    openssl pkey -passin "pass:$2" -pubout 2>out
}
files='alice@example.org.p12 judy@example.org.old'
[ -z "${SMIME_LONG:-}" ] || files=$(ls ./*.p12 ./*.old | sed 's/..//')
for file in $files; do
	who=${file%.*} word=$(word "${file%.*}")
	read_by "$file" "$word"
	chain "$who.chain" >names
	[ "$(wc -l <names)" = 3 ] || fail "$who: the chain is not whole"
	openssl x509 -in "$who.pem" -pubkey -noout >key
	for by in openssl gnutls nss; do
		chain $by.pem | cmp -s - names ||
		    fail "$by has another chain out of $file"
		public $by.pem "$word" | cmp -s - key ||
		    fail "$by has another key out of $file: $(cat out)"
	done
done
[ -z "${SMIME_LONG:-}" ] || becomes locked nss

# A store that knows nobody has the whole chain from one PKCS#12, and trusts
# only whom it was for.
rm -rf other
cp -a nobody other
elsewhere import --passphrase-file new alice@example.org.p12 >out ||
    fail "a store that knows nobody: $(cat out)"
elsewhere --json list | sed -n 's/.*"trust": //p' | sort | tr -d '\n' >trust
[ "$(cat trust)" = '"chain","chain","trusted",' ] ||
    fail "the chain elsewhere: $(cat trust)"
exit 0
