#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A CA revokes a certificate.  From the import of its list on nobody encrypts
# to it or signs with it, and list, show, check and explain say why; the same
# with a daemon and without.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
	default { encrypt = require }
	authorize { identities = "any" }
	EOF
make_store
import frank bob
import_key alice

# ca COMMAND...: openssl's CA, whose frank's certificate is.
cp -r "$pki" ca
ca() {
	(cd ca && SUBJECT=x ADDRESSES=none openssl "$@") >ca.out 2>&1 ||
	    fail "openssl: $(cat ca.out)"
}
explain() {
	smimectl --json explain --from alice@example.org \
	    --login alice@example.org --to "$1" >explain.out
}
shows() {
	smimectl show "$1" >out || fail "$(cat out)"
	grep -Eq "$2" out || fail "show $1 lacks /$2/: $(cat out)"
}
id_of() {
	openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//'
}

explain frank@example.net || fail "explain: $(cat explain.out)"
grep -q '"action": "sign+encrypt"' explain.out || fail "$(cat explain.out)"

# Without its CA a list is nobody's; a damaged one is refused.
id=$(id_of "$pki/issuing.pem")
smimectl remove --yes "$id" >out || fail "remove the CA: $(cat out)"
smimectl import "$pki/crl.pem" >out && fail "a list without its CA"
grep -q 'CN=Example Issuing CA first' out || fail "$(cat out)"
smimectl import --no-trust "$pki/issuing.pem" >out || fail "$(cat out)"
openssl crl -in "$pki/crl.pem" -outform der >whole.crl
for last in x y; do	# one of them is not the one that is there
	{ head -c -1 whole.crl; printf $last; } >altered.crl
	cmp -s whole.crl altered.crl || break
done
smimectl import altered.crl >out && fail "a list that was altered"
grep -q 'not signed by the CA' out || fail "$(cat out)"

smimectl import --dry-run "$pki/crl.pem" >out || fail "dry run: $(cat out)"
explain frank@example.net || fail "a dry run has revoked"
smimectl --json import "$pki/crl.pem" >out || fail "the list: $(cat out)"
grep -q '"kind": "crl"' out && grep -q '"verdict": "added"' out ||
    fail "$(cat out)"
smimectl import "$pki/crl.pem" >out
grep -q '^known *crl of CN=Example Issuing' out || fail "$(cat out)"

ask_all() {
	local asked
	for asked in list 'list --issues' 'list --cas' 'show frank@example.net' \
	    "show $id" check; do
		for json in '' --json; do
			echo "--- $json $asked"
			# shellcheck disable=SC2086
			smimectl $json $asked 2>&1
			echo "status $?"
		done
	done
	explain frank@example.net
	cat explain.out
}
ask_all >alone
[ "$(grep -c "revoked $(date -u -r "$pki/crl.pem" +%Y-%m)" alone)" -ge 7 ] ||
    fail "not said everywhere: $(cat alone)"
grep -q '"action": "reject"' explain.out || fail "$(cat explain.out)"
grep -q 'frank@example.net: certificate revoked' explain.out ||
    fail "$(cat explain.out)"
explain bob@example.net || fail "bob, too: $(cat explain.out)"
shows "$id" '^revocation: *list of .* with 1 cert'

start_daemon
ask_all >together
cmp alone together || fail "$(diff alone together)"

# Alice's own: no signature from the next mail on.  The list is a large one,
# of which the vault gets several pieces.
ca ca -config ca.cnf -revoke alice.pem -crl_reason keyCompromise
for ((i = 0; i < 5000; i++)); do
	printf 'R\t301231000000Z\t260101000000Z\t7FFF%028X\tunknown\t/CN=x\n' $i
done >>ca/index.txt
ca ca -config ca.cnf -gencrl -out big.pem
[ "$(wc -c <ca/big.pem)" -gt 200000 ] || fail "the list is small"
smimectl import ca/big.pem >out || fail "the large list: $(cat out)"
grep -q '5002 revoked' out || fail "$(cat out)"
shows alice@example.org '^issues: *revoked .*\(key compromise\)'
smimectl import "$pki/crl.pem" >out && fail "an old list came back"
grep -q 'newer list' out || fail "$(cat out)"
shows frank@example.net '^issues: *revoked'
smimectl --json explain --from alice@example.org --login alice@example.org \
    --to bob@example.net >out
grep -q 'revoked' out || fail "signs with a revoked one: $(cat out)"
stop_daemon

# A CA that is revoked takes along what it issued, trusted or not.
cat >ca/root.cnf <<-'EOF'
	[ca]
	default_ca = r
	[r]
	database = root.txt
	crlnumber = root.number
	certificate = root.pem
	private_key = root.key
	default_md = sha256
	default_crl_days = 30
	EOF
: >ca/root.txt
echo 01 >ca/root.number
ca ca -config root.cnf -revoke issuing.pem
ca ca -config root.cnf -gencrl -out root-crl.pem
smimectl import ca/root-crl.pem >out || fail "the root's list: $(cat out)"
shows bob@example.net 'not trusted: issued by a revoked CA: CN=Example Issuing'

# What was imported can be forgotten, by the word.
root=$(id_of "$pki/root.pem")
setsid -w "$TEST_BUILD/tools/smimectl" -c smime-milter.conf remove --crls \
    "$root" >out 2>&1 && fail "forgotten without being asked"
smimectl remove --crls --yes "$root" >out || fail "remove --crls: $(cat out)"
smimectl remove --crls --yes "$root" >out 2>&1 && fail "twice"
shows bob@example.net '^trust: *trusted, by itself'

# A stale list still counts, and its CA has an issue.
ca ca -config ca.cnf -gencrl -crl_lastupdate 20200101000000Z \
    -crl_nextupdate 20200201000000Z -out stale.pem
smimectl remove --crls --yes "$id" >out || fail "$(cat out)"
smimectl import ca/stale.pem >out || fail "a stale list: $(cat out)"
grep -q 'stale since 2020-02-01' out || fail "$(cat out)"
shows frank@example.net '^issues: *revoked'
shows "$id" '^issues: *its revocation list is stale since 2020-02-01'
smimectl check >out
grep -q 'Issuing CA: its revocation list is stale' out || fail "$(cat out)"
exit 0
