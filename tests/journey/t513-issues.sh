#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is wrong with a certificate is said before mail fails, in words, by
# list, show and check; and what the configuration needs and the store lacks.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
	group "board" {
	    members = { "alice@example.org", "nobody@example.org",
	        "@signs.example" }
	    sign = require
	}
	group "staff" {
	    members = { "judy@example.org", "absent@example.org" }
	}
	recipients "partner" {
	    members = { "dave@example.net", "ghost@partner.example",
	        "@partner.example" }
	    encrypt = require
	}
	EOF
make_store

# issue NAME ISSUER DAYS SUBJECT-ALT-NAME [EXTENSION...]: NAME.pem and .key.
issue() {
	local name=$1 issuer=$2 days=$3 alt=$4 extension
	shift 4
	{
		echo "subjectAltName = $alt"
		for extension; do echo "$extension"; done
	} >"$name.ext"
	[ -e "$name.key" ] || openssl genpkey -algorithm EC \
	    -pkeyopt ec_paramgen_curve:P-256 -out "$name.key" 2>/dev/null
	openssl req -new -key "$name.key" -subj "/CN=$name" -out csr &&
	openssl x509 -req -in csr -CA "$issuer.pem" -CAkey "$issuer.key" \
	    -days "$days" -extfile "$name.ext" -out "$name.pem" 2>openssl.out ||
	    fail "issue $name: $(cat openssl.out)"
}
ca() {
	local name=$1
	shift
	issue "$name" "$pki/root" 300 URI:http://ca.example \
	    'basicConstraints = critical, CA:true' \
	    'keyUsage = keyCertSign, cRLSign' "$@"
}
mail='extendedKeyUsage = emailProtection'

ca web 'extendedKeyUsage = serverAuth'
ca narrow 'nameConstraints = permitted;email:.elsewhere.example'
ca away
issue soon "$pki/root" 12 email:soon@example.net "$mail"
issue plain "$pki/root" 300 email:plain@example.net
issue by-web web 300 email:by-web@example.net "$mail"
issue by-narrow narrow 300 email:by-narrow@example.net "$mail"
issue by-away away 300 email:by-away@example.net "$mail"
issue signer "$pki/root" 300 email:a@signs.example "$mail"
openssl req -x509 -newkey rsa:2048 -nodes -keyout k -days 300 -subj /CN=self \
    -addext subjectAltName=email:self@example.net -out self.pem 2>/dev/null
smimectl import web.pem narrow.pem --no-trust >out || fail "$(cat out)"
smimectl import --no-trust soon.pem plain.pem by-*.pem >out || fail "$(cat out)"
smimectl import self.pem signer.pem >out || fail "$(cat out)"
import dave erin
import_key alice judy

# Renewed with a new key: the former one is not used any more, and with an
# expired certificate its key is of no use.
issue renewed "$pki/root" 320 email:judy@example.org "$mail"
cat renewed.pem renewed.key >both.pem
smimectl import both.pem >out || fail "$(cat out)"
grep -q 'confirm this one' out || fail "$(cat out)"
renewed=$(openssl x509 -in renewed.pem -noout -fingerprint -sha256 |
    sed 's/.*=//; s/://g' | tr A-F a-f)
smimectl trust "$renewed" >out || fail "$(cat out)"
cat "$pki/dave.pem" "$pki/dave.key" >both.pem
smimectl import both.pem >out || fail "$(cat out)"

smimectl list >list
smimectl check >check && fail "check finds nothing"
# issue_of WHO PATTERN: said by list, show and, but for the last, check.
issue_of() {
	grep -Eq "$2" <(grep "^$1 " list) ||
	    fail "list: $1 lacks /$2/: $(cat list)"
	smimectl show "$1" >out
	grep -Eq "$2" <(sed -n '/^issues/,$p' out) ||
	    fail "show: $1 lacks /$2/: $(cat out)"
	[ "${3:-}" = only-shown ] || grep -Eq "$2" <(grep "^$1: " check) ||
	    fail "check: $1 lacks /$2/: $(cat check)"
}
issue_of dave@example.net 'expired 2021-01-01'
issue_of dave@example.net 'its private key has no usable certificate' only-shown
issue_of erin@example.net 'not yet valid'
issue_of soon@example.net 'expires in 1[12] days'
issue_of plain@example.net 'no extended key usage'
issue_of by-web@example.net 'not trusted: .*(not for mail|purpose)'
issue_of by-narrow@example.net 'not trusted: permitted subtree violation'
issue_of by-away@example.net 'not trusted: issuer missing: CN=away'
issue_of self@example.net 'is also a CA'
issue_of judy@example.org "not used to sign for judy@example.org: ${renewed:0:16} is newer" \
    only-shown
issue_of judy@example.org 'not used to encrypt for judy' only-shown
smimectl show alice@example.org >out || fail "alice: $(cat out)"
grep -q '^issues' out && fail "alice has issues"
grep -q 'is newer' check && fail "a renewal is a finding: $(cat check)"

# The configuration's needs.
finding() { grep -q "^$1: $2" check || fail "check lacks $1: $2: $(cat check)"; }
finding nobody@example.org 'group board requires a signature: no certificate'
finding a@signs.example 'group board requires a signature: .*no private key'
finding absent@example.org 'group staff would sign: no certificate'
finding dave@example.net 'recipients partner requires encryption: certificate expired'
finding ghost@partner.example 'recipients partner requires encryption: no certificate'
grep -q '^alice@example.org' check && fail "alice: $(cat check)"

# As a monitoring plugin: by days, one line each, and the exit status.
smimectl check --expiring 5 >out
grep -q '^soon@' out && fail "12 days are within 5"
smimectl check --expiring 400 >out
grep -q '^alice@example.org: expires in' out || fail "not within 400: $(cat out)"
smimectl --json check >out && fail "status 0 with findings"
python3 -c 'import json; n = len(json.load(open("out"))["findings"])
assert n == len(open("check").readlines()), n' || fail "JSON has other findings"
exit 0
