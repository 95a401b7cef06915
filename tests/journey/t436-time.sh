#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The clock is set while the daemon runs, by a day and a year, back and forth,
# and onto a leap day: what is valid then counts for the next mail, and nobody
# waits the longer for it.  A certificate expires between two mails, while one
# is on its way in, and before the vault comes to sign.
. "$(dirname "$0")/../lib/testlib.sh"

${CC:-cc} -shared -fPIC -o clock.so "$lib/clock.c" || fail "no clock.so"
export CLOCK=$T/clock ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0

# at DATE...: from now on the daemon's clock says so, and goes on from there.
at() {
	python3 -c 'import struct, sys
sys.stdout.buffer.write(struct.pack("=q", int(sys.argv[1])))' \
	    $(($(date -u -d "$*" +%s) - $(date +%s))) 1<>clock
}
at now

configure <<-'EOF'
vault-timeout = 5
default {
    sign    = require
    encrypt = never
}
EOF
make_store

# make_one FROM UNTIL: alice's own certificate.
make_one() {
	local extensions='subjectAltName = email:alice@example.org
keyUsage = critical, digitalSignature
extendedKeyUsage = emailProtection'
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -subj /CN=alice -keyout alice.key -out alice.csr 2>req.out &&
	openssl ca -selfsign -batch -notext -keyfile alice.key -in alice.csr \
	    -config <(printf '%s\n' '[ca]' 'default_ca = own' '[own]' \
	    "database = $T/index" 'serial = serial' "new_certs_dir = $T" \
	    'default_md = sha256' 'policy = any' 'x509_extensions = ext' \
	    '[any]' 'commonName = supplied' '[ext]' "$extensions") \
	    -startdate "$1" -enddate "$2" -out alice.pem 2>>req.out ||
	    fail "make a certificate: $(cat req.out)"
}
>index
echo 01 >serial
# Its last day is a leap day.
make_one 20280101000000Z 20280229120000Z
cat alice.pem alice.key >both.pem
smimectl import both.pem >smimectl.out 2>&1 ||
    fail "import: $(cat smimectl.out)"
LD_PRELOAD=$T/clock.so start_daemon

write_mail 'From: alice@example.org' 'To: bob@example.net'
put() {
	timeout 30 "$TEST_BUILD/tests/lib/mta" -s milter/socket \
	    -f '<alice@example.org>' -l alice@example.org \
	    -r '<bob@example.net>' <mail >out 2>verdict
}
# is_signed_at DATE..., is_not_signed_at WHY DATE...: by openssl, and the log.
is_signed_at() {
	at "$@"
	put || fail "at $*: $(cat verdict)"
	openssl cms -verify -in out -CAfile alice.pem -partial_chain \
	    -purpose any -attime "$(date -u -d "$*" +%s)" >entity \
	    2>judge.out || fail "at $*: $(cat judge.out)"
}
has_expired() { at 2028-02-29 12:00:01 UTC; }
# not_signed STATUS WHY WHEN: as mta's status and the log, from line $lines on.
not_signed() {
	case $1 in
	1|2) ;;
	*) fail "at $3: $(cat verdict)" ;;
	esac
	wait_until 20 says "$2" || fail "at $3: no line says /$2/"
}
says() { grep -Eq -- "$1" <(sed "1,${lines}d" daemon.log); }
is_not_signed_at() {
	local why=$1 lines
	shift
	lines=$(wc -l <daemon.log)
	at "$@"
	put
	not_signed $? "$why" "$*"
}

is_not_signed_at 'not valid before' 2027-12-31 23:00:00 UTC
is_signed_at 2028-01-01 00:00:10 UTC
story "a day on, a day back, and a leap day"
is_signed_at 2028-01-02 00:00:10 UTC
is_signed_at 2028-01-01 00:00:10 UTC
is_signed_at 2028-02-28 23:59:59 UTC
is_signed_at 2028-02-29 11:59:00 UTC
openssl cms -cmsout -print -in out >structure 2>&1
grep -q 'UTCTIME:Feb 29 11:59:' structure || fail "it was not signed on Feb 29"
story "it expires between two mails"
is_not_signed_at 'expired' 2028-02-29 12:00:01 UTC
story "it expires while a mail is coming in"
is_signed_at 2028-02-29 11:59:00 UTC
lines=$(wc -l <daemon.log)
begin_mail
has_expired
end_mail
wait $talker
grep -q '^reply [45]' answers || fail "it was taken: $(cat answers)"
not_signed 1 'expired 2028-02-29' "a mail's end"
story "it expires after it was found, and before the vault signs"
is_signed_at 2028-02-29 11:59:00 UTC
lines=$(wc -l <daemon.log)
vault=$(vault_pid) || fail "no process has the store open"
kill -STOP "$vault"
put &
putter=$!
# By now the filter waits for the vault; if not, this is the story above.
sleep 0.5
has_expired
kill -CONT "$vault"
wait $putter
not_signed $? 'expired' "the vault's clock"
story "a year on and back"
is_not_signed_at 'expired' 2029-02-28 11:59:00 UTC
is_signed_at 2028-02-28 11:59:00 UTC
is_not_signed_at 'not valid before' 2027-02-28 11:59:00 UTC
is_signed_at 2028-01-31 12:00:00 UTC
refuse_log 'died of|no sign of life|did not answer'
