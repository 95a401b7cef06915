#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What passes a limit is refused with a sentence that names it, a mail that is
# announced as too large before its first byte; what others have signed or
# encrypted in their own way is left as it is where nothing is required.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
max-message-size = 2M
max-recipients   = 3
spool-memory     = 100K
default {
    skip-sign    = { "text/calendar; method", "multipart/report" }
    skip-encrypt = { "text/calendar; method" }
}
recipients "theirs" {
    members = { "heidi@example.net" }
    sign    = require
    encrypt = require
}
EOF
make_store
import_key alice
import bob heidi
start_daemon

# put MAIL RECIPIENT [mta's OPTION...]: through the milter as alice's.
corpus=$TEST_SOURCE/tests/corpus
put() {
	local mail=$1 to=$2
	shift 2
	sed 's/^From: .*/From: alice@example.org\r/' "$mail" >sent
	"$TEST_BUILD/tests/lib/mta" -s milter/socket -l alice@example.org \
	    -f '<alice@example.org>' -r "<$to>" "$@" <sent >got 2>reply
}
# refused MAIL SENTENCE
refused() {
	echo "$1"
	put "$corpus/$1.eml" bob@example.net
	grep -q "^reject 550 5\\.6\\.0 .*$2" reply ||
	    fail "$1 should be refused: $2"
	[ ! -s got ] || fail "$1 came out all the same"
}

# --- limits ------------------------------------------------------------------

refused nested-34-deep 'nested deeper than 32'
refused message-in-message-40-deep 'nested deeper than 32'
refused parts-1001 'more than 1000 MIME parts'
refused part-with-201-header-fields 'more than 200 header fields'
refused part-header-of-140000-bytes 'header is over 131072 bytes'
refused header-of-2001-fields 'more than 2000 header fields'

echo 'a header of more than a megabyte'
{
	printf 'Subject: large\r\n'
	for i in $(seq 18); do
		printf 'X-Large-%d: %s\r\n' "$i" "$(head -c 59000 /dev/zero |
		    tr '\0' x)"
	done
	printf 'From: alice@example.org\r\n\r\ntext\r\n'
} >large.eml
put large.eml bob@example.net
grep -q '^reject 550 5\.6\.0 .*header is larger than 1048576 bytes' reply ||
    fail 'a large header should be refused'

echo 'more recipients than max-recipients'
put "$corpus/7bit-text.eml" bob@example.net -r '<b@example.net>' \
    -r '<c@example.net>' -r '<d@example.net>'
grep -q '^reject 5.*max-recipients' reply ||
    fail 'a fourth recipient should be too many'

echo 'more bytes than max-message-size'
{
	cat "$corpus/7bit-text.eml"
	yes 'This line stands here very often.' | head -c 2200000
} >large.eml
put large.eml bob@example.net
grep -q '^reject 552 5\.3\.4 ' reply || fail 'a large mail should be refused'
expect_log 'action=reject .*reason="larger than max-message-size \(2097152'

echo 'each is counted'
smimectl status >status || fail "status: $(cat status)"
for limit in 'max-message-size 1' 'max-recipients 1' 'header-fields 1' \
    'header-bytes 1' 'parts 1' 'part-depth 2' 'part-fields 1' 'part-bytes 1'
do
	grep -q " $limit\$" status || fail "not counted: $limit $(cat status)"
done

echo 'SIZE= says so, and nothing is spooled'
stop_daemon
sed -i "1i spool-dir = \"$T/gone\"" smime-milter.conf
start_daemon
put large.eml bob@example.net -z SIZE=2200000
grep -q '^reject 552 5\.3\.4 ' reply ||
    fail 'a mail that is announced as too large should be refused'
put "$corpus/7bit-text.eml" carol@example.net -z SIZE=2000
grep -q '^accept' reply || fail 'a small mail should pass'
stop_daemon
sed -i 1d smime-milter.conf
start_daemon

# --- left alone --------------------------------------------------------------

# untouched MAIL, sealed MAIL: nothing is required, everything is.
untouched() {
	echo "$1"
	put "$corpus/$1.eml" bob@example.net
	grep -q '^accept' reply || fail "$1 should pass"
	cmp sent got || fail "$1 should be left alone"
	expect_log "action=none .*reason=\"not signed: $2; not encrypted: $2"
}
sealed() {
	put "$corpus/$1.eml" heidi@example.net
	decrypt heidi "$T/got" >inner
	verify "$T/inner" >entity
	expect_same_content "$corpus/$1.eml" "$T/entity"
}
untouched encrypted-openpgp 'it is encrypted with OpenPGP'
sealed encrypted-openpgp
untouched openpgp-inline 'it is inline OpenPGP'
sealed openpgp-inline
untouched pkcs7-mime-certs-only 'it is S/MIME already'
untouched octet-stream-p7m 'it is S/MIME already'
sealed octet-stream-p7m

# A multipart/signed counts as signed and is encrypted whole.
for mail in signed-openpgp signed-smime; do
	echo "$mail"
	put "$corpus/$mail.eml" bob@example.net
	decrypt bob "$T/got" >inner
	expect_type "$T/inner" multipart/signed
	expect_same_body sent "$T/inner"
done

echo 'calendar-with-method'
put "$corpus/calendar-with-method.eml" bob@example.net
cmp sent got || fail 'a meeting request should be left alone'
expect_log 'not signed: text/calendar; method \(skip-sign\); not encrypted: text/calendar; method \(skip-encrypt\)'
sealed calendar-with-method

echo 'multipart-report-dsn'
put "$corpus/multipart-report-dsn.eml" carol@example.net
cmp sent got || fail 'a report should be left alone'
put "$corpus/multipart-report-dsn.eml" bob@example.net
decrypt bob "$T/got" >inner
expect_type "$T/inner" multipart/report
