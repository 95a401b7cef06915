#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A backup while certificates are imported, restored elsewhere and in place,
# and compared record by record; and what is wrong with a store is told.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<EOF
default { encrypt = never }
EOF
make_store
import_key alice
import bob

# A crowd to be imported in the meantime.
mkdir crowd
openssl ecparam -name prime256v1 -genkey -noout -out crowd.key
for ((i = 0; i < 30; i++)); do
	openssl req -x509 -new -key crowd.key -days 30 -subj "/CN=u$i" \
	    -addext "subjectAltName=email:u$i@crowd.example" \
	    -addext keyUsage=digitalSignature,keyAgreement \
	    -out "crowd/$i.pem" 2>/dev/null || fail "openssl"
done

start_daemon
for ((i = 0; i < 30; i++)); do
	smimectl import "crowd/$i.pem" >>import.out 2>&1
done &
importer=$!
for ((i = 0; i < 5; i++)); do
	smimectl backup "backup$i" >out 2>&1 || fail "backup: $(cat out)"
done
wait "$importer"
[ "$(grep -c trusted import.out)" -ge 1 ] || fail "$(cat import.out)"
smimectl backup whole >out || fail "backup: $(cat out)"
[ "$(stat -c '%U %a' whole whole/records | sort -u | tr '\n' ,)" = \
    'root 600,root 700,' ] || fail "modes: $(stat -c '%U %a %n' whole/*)"
smimectl backup whole 2>err && fail "a backup over another"
grep -q 'there is a backup in whole already' err || fail "$(cat err)"
smimectl check --store >out || fail "the store of the daemon: $(cat out)"
grep -q '^nothing found$' out || fail "$(cat out)"

# As long as the daemon runs its store is not replaced.
smimectl restore --yes whole 2>err && fail "restored under the daemon"
grep -q 'the daemon is running: stop it first' err || fail "$(cat err)"
stop_daemon
smimectl --json list >before.json

# Elsewhere: with the master key, and no store at all.
sed "s,$T/store,$T/elsewhere," smime-milter.conf >elsewhere.conf
elsewhere() {
	"$TEST_BUILD/tools/smimectl" -c "$T/elsewhere.conf" "$@"
}
for i in 0 1 2 3 4 whole; do
	[ "$i" = whole ] || i=backup$i
	elsewhere restore "$i" >out 2>&1 || fail "restore $i: $(cat out)"
	elsewhere check --store >out || fail "$i is not whole: $(cat out)"
	elsewhere --json list >"$i.json" || fail "list $i"
	elsewhere show alice@example.org >out || fail "no alice in $i"
	[ "$i" = whole ] || rm -rf elsewhere
done
cmp before.json whole.json || fail "the lists differ"
[ "$(stat -c '%U %a' elsewhere)" = 'nobody 700' ] || fail "whose it is"
elsewhere backup again >out || fail "backup again: $(cat out)"
python3 - whole/records again/records <<-'EOF' || fail "the records differ"
import struct, sys
def rows(name):
    data = open(name, "rb").read()
    at = data.index(b"\n") + 1
    while data[at] != 0xff:
        table, klen, vlen = struct.unpack(">BHI", data[at:at + 7])
        key = data[at + 7:at + 7 + klen]
        yield (table, key), data[at + 7 + klen:at + 7 + klen + vlen]
        at += 7 + klen + vlen
one, two = (dict(rows(name)) for name in sys.argv[1:])
one.pop((0, b"check")), two.pop((0, b"check"))  # sealed anew
assert one == two and len(one) > 35, len(one)
EOF
# Its key signs.
printf 'From: alice@example.org\n\nHello.\n' | elsewhere seal \
    --from alice@example.org --to bob@example.net \
    --login alice@example.org >sealed.eml || fail "seal"
verify sealed.eml >/dev/null
expect_signer alice

# In the place of a store, which is kept; not unless asked.
smimectl remove --yes bob@example.net >/dev/null || fail "remove"
setsid -w "$TEST_BUILD/tools/smimectl" -c smime-milter.conf restore whole \
    >out 2>&1 && fail "replaced without being asked"
grep -q 'nothing was changed; --yes' out || fail "it says $(cat out)"
smimectl show bob@example.net >/dev/null 2>&1 && fail "it was replaced"
smimectl restore --yes whole >out || fail "restore: $(cat out)"
smimectl --json list >after.json
cmp before.json after.json || fail "the lists differ after the restore"
ls -d store.former-*/certs.db >out 2>&1 || fail "the former store: $(cat out)"
[ "$(ls -d store* | wc -l)" = 2 ] || fail "left over: $(ls -d store*)"
start_daemon
smimectl show bob@example.net >/dev/null || fail "the daemon has no bob"
stop_daemon

# What is no backup, and one under another key, change nothing.
mkdir damaged
head -c 3000 whole/records >damaged/records
smimectl restore --yes damaged 2>err && fail "half a backup was restored"
grep -q 'damaged/records: the backup is cut off' err || fail "$(cat err)"
head -c 32 /dev/urandom >other.key
chmod 400 other.key
sed "s,$T/store,$T/third,; s,$T/master.key,$T/other.key," \
    smime-milter.conf >third.conf
"$TEST_BUILD/tools/smimectl" -c third.conf restore whole 2>err &&
    fail "restored under another key"
grep -q 'made under another master key' err || fail "$(cat err)"
[ "$(ls -d third* | tr '\n' ,)" = third.conf, ] || fail "left: $(ls -d third*)"
smimectl show alice@example.org >/dev/null || fail "alice has gone"
