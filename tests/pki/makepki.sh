#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# makepki.sh DIR: the certificates that the tests use, made anew.
#
# DIR/NAME.pem is a certificate, DIR/NAME.key its key (PKCS#8, no passphrase),
# DIR/NAME.p12 both under the passphrase "secret".  DIR/root.pem is the CA,
# DIR/issuing.pem the intermediate that issued all the others,
# DIR/crl.pem its list of what is revoked.
set -eu
mkdir -p "$1"
cd "$1"

# Name, addresses, key, and what is special.
people() {
	cat <<-'EOF'
	alice   alice@example.org                     rsa:2048  good
	bob     bob@example.net                       rsa:2048  good
	carol   carol@example.net                     P-256     good
	dave    dave@example.net                      rsa:2048  expired
	erin    erin@example.net                      rsa:2048  not-yet-valid
	frank   frank@example.net                     rsa:2048  revoked
	grace   grace@example.net                     rsa:2048  no-emailProtection
	heidi   heidi@example.org,heidi@example.net   rsa:2048  good
	ivan-sign     ivan@example.org                rsa:2048  sign-only
	ivan-encrypt  ivan@example.org                rsa:2048  encrypt-only
	judy    judy@example.org                      P-256     good
	peggy   peggy@example.org                     rsa-pss   sign-only
	sybil   sybil@example.net                     P-384     good
	trent   trent@example.net                     rsa:2048  reads-gcm
	wendy   wendy@example.net                     rsa:1024  good
	EOF
}

cat >ca.cnf <<'EOF'
[ca]
default_ca = issuing
[issuing]
database = index.txt
new_certs_dir = .
certificate = issuing.pem
private_key = issuing.key
crlnumber = crlnumber
rand_serial = yes
default_md = sha256
default_crl_days = 30
policy = any
unique_subject = no
email_in_dn = no
[any]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = ${ENV::SUBJECT}

[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid

[rsa]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = emailProtection
subjectAltName = ${ENV::ADDRESSES}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ec]
keyUsage = critical, digitalSignature, keyAgreement
extendedKeyUsage = emailProtection
subjectAltName = ${ENV::ADDRESSES}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[reads-gcm]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = emailProtection
subjectAltName = ${ENV::ADDRESSES}
# SMIMECapabilities (RFC 4262): AES-256-GCM, AES-256-CBC.
1.2.840.113549.1.9.15 = ASN1:SEQUENCE:capabilities
[capabilities]
1 = SEQUENCE:gcm
2 = SEQUENCE:cbc
[gcm]
1 = OID:2.16.840.1.101.3.4.1.46
[cbc]
1 = OID:2.16.840.1.101.3.4.1.42
[sign-only]
keyUsage = critical, digitalSignature
extendedKeyUsage = emailProtection
subjectAltName = ${ENV::ADDRESSES}
[encrypt-only]
keyUsage = critical, keyEncipherment
extendedKeyUsage = emailProtection
subjectAltName = ${ENV::ADDRESSES}
[no-emailProtection]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = ${ENV::ADDRESSES}
EOF
: >index.txt
echo 01 >crlnumber

# make_key NAME KIND
make_key() {
	case $2 in
	rsa:*) openssl genpkey -quiet -algorithm RSA \
	    -pkeyopt "rsa_keygen_bits:${2#rsa:}" -out "$1.key" ;;
	rsa-pss) openssl genpkey -quiet -algorithm RSA-PSS -out "$1.key" ;;
	*) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" \
	    -out "$1.key" ;;
	esac
}

# issue NAME ADDRESSES KEY SPECIAL
issue() {
	local name=$1 special=$4 extensions from until
	export SUBJECT="${name^} Example" ADDRESSES="email:${2//,/,email:}"
	from=$(date -u -d -1day +%Y%m%d000000Z)
	until=$(date -u -d +1year +%Y%m%d000000Z)
	case $3 in
	rsa*) extensions=rsa ;;
	*) extensions=ec ;;
	esac
	case $special in
	expired) from=20200101000000Z until=20210101000000Z ;;
	not-yet-valid) from=$(date -u -d +30days +%Y%m%d000000Z) ;;
	sign-only | encrypt-only | no-emailProtection | reads-gcm)
		extensions=$special ;;
	esac
	make_key "$name" "$3"
	openssl req -new -config ca.cnf -key "$name.key" -out "$name.csr"
	openssl ca -batch -config ca.cnf -in "$name.csr" -out "$name.pem" \
	    -notext -extensions "$extensions" -startdate "$from" \
	    -enddate "$until"
	# Newer protection is more than gpgsm 2.2 can read.
	openssl pkcs12 -export -in "$name.pem" -inkey "$name.key" \
	    -passout pass:secret -out "$name.p12" -macalg sha1 \
	    -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES
	if [ "$special" = revoked ]; then
		openssl ca -config ca.cnf -revoke "$name.pem"
	fi
}

{
	export SUBJECT="Example Root" ADDRESSES=none
	make_key root rsa:2048
	openssl req -new -x509 -config ca.cnf -extensions root -days 3650 \
	    -key root.key -out root.pem
	export SUBJECT="Example Issuing CA"
	make_key issuing rsa:2048
	openssl req -new -config ca.cnf -key issuing.key -out issuing.csr
	openssl x509 -req -in issuing.csr -CA root.pem -CAkey root.key \
	    -extfile ca.cnf -extensions intermediate -days 1825 \
	    -out issuing.pem
	while read -r name addresses key special; do
		issue "$name" "$addresses" "$key" "$special"
	done < <(people)
	openssl ca -config ca.cnf -gencrl -out crl.pem
} >makepki.log 2>&1 || {
	cat makepki.log >&2
	exit 1
}
rm -f ./*.csr ./*.old ./*.attr [0-9A-F]*.pem
