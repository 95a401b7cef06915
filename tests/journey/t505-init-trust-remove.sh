#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A store is made once and never over another; trust is given by ID, and
# nothing is removed by a guess.
. "$(dirname "$0")/../lib/testlib.sh"

configure </dev/null
smimectl list >out 2>&1
[ $? = 2 ] || fail "a list without a store"
grep -q 'smimectl init' out || fail "no word of init: $(cat out)"
# The folder may be there, as adduser makes it: empty, and open to others.
mkdir -m 755 store
chown nobody store
smimectl init >out || fail "init: $(cat out)"
[ "$(stat -c '%U %a' store)" = 'nobody 700' ] || fail "the store's folder"
[ "$(stat -c '%U %a %s' master.key)" = 'root 400 32' ] || fail "the master key"
before=$(sha256sum master.key)
import bob
smimectl init >out || fail "init again: $(cat out)"
[ "$before" = "$(sha256sum master.key)" ] || fail "another master key"
smimectl show bob@example.net >out || fail "init has emptied the store"

# Where others could put their own store or key, none is made.
mkdir open
chmod 777 open
sed "s,$T/store,$T/open/store,; s,$T/master.key,$T/master2.key," \
    smime-milter.conf >other.conf
"$TEST_BUILD/tools/smimectl" -c other.conf init >out 2>&1 &&
    fail "a store in a folder that others can change"
grep -q 'no safe place' out || fail "$(cat out)"
[ -e open/store ] && fail "a folder was made there"
[ -e master2.key ] && fail "a master key was made without a store"
echo short >master3.key
sed "s,$T/master.key,$T/master3.key,; s,$T/store,$T/store3," \
    smime-milter.conf >other.conf
"$TEST_BUILD/tools/smimectl" -c other.conf init >out 2>&1 &&
    fail "a master key of five bytes"
[ "$(cat master3.key)" = short ] || fail "a file was replaced"

# The folder of a key is made, but not where others could have made it.
for folder in "$T" "$T/open"; do
	sed "s,$T/master.key,$folder/keys/master.key,; s,$T/store,$T/store4," \
	    smime-milter.conf >other.conf
	"$TEST_BUILD/tools/smimectl" -c other.conf init >"${folder##*/}.init" 2>&1
done
[ "$(stat -c '%U %a' keys keys/master.key | xargs)" = 'root 755 root 400' ] ||
    fail "the folder of the key: $(cat "${T##*/}.init")"
grep -q 'no safe place' open.init || fail "$(cat open.init)"
[ -e open/keys ] && fail "a folder was made where others can change it"

# One address, two certificates: named, not guessed.
smimectl import "$pki/ivan-sign.pem" "$pki/ivan-encrypt.pem" >out ||
    fail "ivan: $(cat out)"
for command in 'remove --yes' trust distrust export; do
	# shellcheck disable=SC2086
	smimectl $command ivan@example.org >out 2>&1
	[ $? = 1 ] || fail "$command by an ambiguous address"
	[ "$(grep -c '  until ' out)" = 2 ] || fail "$command: $(cat out)"
done
id=$(openssl x509 -in "$pki/ivan-sign.pem" -noout -fingerprint -sha256 |
    sed 's/.*=//')
smimectl remove --yes "$id" >out || fail "by the whole fingerprint: $(cat out)"
smimectl export ivan@example.org >out || fail "the other one has gone, too"
smimectl show "${id:0:10}" >out 2>&1 && fail "less than 8 digits"

# Without a terminal and without --yes nothing is removed.
setsid -w "$TEST_BUILD/tools/smimectl" -c smime-milter.conf remove \
    bob@example.net >out 2>&1 && fail "removed without being asked"
smimectl show bob@example.net >out || fail "bob has gone"

# The key goes with its last certificate, or alone.
import_key alice
smimectl remove --key --yes alice@example.org >out || fail "$(cat out)"
smimectl --json show alice@example.org >out
grep -A 2 '"algorithm": "RSA",' out | grep '"bits": 2048,' >bits ||
    fail "the algorithm is not told"
grep -q '"has_key": false' out ||
    fail "the key is still there"
smimectl remove --key --yes alice@example.org >out 2>&1 &&
    fail "a key was removed twice"
import_key alice
smimectl remove --yes alice@example.org >out || fail "$(cat out)"
grep -q 'and its private key' out || fail "no word of the key: $(cat out)"

# A chain certificate becomes an anchor by hand, and then carries.
smimectl import --no-trust "$pki/issuing.pem" "$pki/judy.pem" >out ||
    fail "$(cat out)"
smimectl check >out && fail "an untrusted certificate goes unnoticed"
grep -q 'judy@example.org: not trusted' out || fail "$(cat out)"
id=$(openssl x509 -in "$pki/issuing.pem" -noout -fingerprint -sha256 |
    sed 's/.*=//')
smimectl trust "$id" >out || fail "$(cat out)"
mkdir -p milter
smimectl check >out || fail "still: $(cat out)"
grep -q 'nothing found' out || fail "$(cat out)"
smimectl distrust "$id" >out || fail "$(cat out)"
smimectl check >out && fail "what a distrusted CA issued goes unnoticed"

# A group that must sign, and somebody in it who cannot.
configure <<-'EOC'
group "staff" {
    members = { "judy@example.org" }
    sign    = require
}
EOC
smimectl check >out
grep -q 'judy@example.org: group staff requires a signature' out ||
    fail "$(cat out)"
exit 0
