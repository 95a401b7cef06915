#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Nothing that is imported harms: each bad file is refused with its reason,
# and what it says about itself does not reach the terminal raw.
. "$(dirname "$0")/../lib/testlib.sh"

make_store
smimectl list >before

# refused WHY FILE: exit status 1, the reason, and no crash.
refused() {
	local why=$1
	shift
	timeout 60 "$TEST_BUILD/tools/smimectl" -c smime-milter.conf \
	    import "$@" >out 2>&1 </dev/null
	[ $? = 1 ] || fail "$*: status $?: $(cat out)"
	grep -q -- "$why" out || fail "$*: \"$why\" is not said: $(cat out)"
}

: >empty
{ printf x; head -c 100000 /dev/urandom; } >noise	# no DER by chance
openssl x509 -in "$pki/alice.pem" -outform der | head -c 200 >cut.der
head -n 5 "$pki/alice.pem" >cut.pem
truncate -s 200M huge
printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n' >ssh
refused 'it is empty' empty
refused 'no certificate or key' noise
refused 'cut off' cut.der
refused 'END line is missing' cut.pem
refused 'larger than' huge
refused 'ssh-keygen' ssh
refused 'No such file' absent
refused 'its certificate is neither' "$pki/alice.key"
refused 'weak key' "$pki/wendy.pem"

# A file of 100 MB, one that grows, one that never ends, one that is private.
truncate -s 100M large
refused 'larger than the 32 MB' large
: >growing
while head -c 1000000 /dev/zero; do :; done >>growing &
grower=$!
wait_until 20 test -s growing || fail "it does not grow"
refused '[0-9] ' growing
kill $grower
wait $grower 2>/dev/null
rm growing
refused 'larger than' /dev/zero
mkdir nothing
refused 'no files in it' nothing
cp "$pki/bob.pem" private
chmod 600 private
setpriv --reuid nobody --regid nogroup --clear-groups \
    "$TEST_BUILD/tools/smimectl" -c smime-milter.conf import private \
    >out 2>&1 && fail "a file that is private"
grep -q -e 'Permission denied' -e 'master key' out || fail "$(cat out)"

# A PKCS#12, cut off at every byte: nothing comes of any, and each is refused.
echo secret >words
mkdir cuts
python3 - "$pki/judy.p12" <<-'EOF'
	import sys
	data = open(sys.argv[1], "rb").read()
	for n in range(len(data)):
	    open(f"cuts/{n:05}", "wb").write(data[:n])
	EOF
timeout 100 "$TEST_BUILD/tools/smimectl" -c smime-milter.conf --json import \
    --passphrase-file words cuts >out 2>err
[ $? = 1 ] || fail "cut off: status other than 1: $(cat err)"
[ -s err ] && fail "cut off: $(cat err)"
[ "$(grep -c '"verdict": "refused"' out)" = "$(stat -c %s "$pki/judy.p12")" ] ||
    fail "not each was refused: $(grep -c '"verdict"' out)"
grep '"reason"' out | grep -v -e 'cut off' -e 'it is empty' \
    -e 'no certificate or key' -e 'damaged' >others
[ -s others ] && fail "other reasons: $(sort -u others)"

# A subject with an escape sequence and a mark that reverses text.
openssl req -x509 -newkey rsa:2048 -nodes -keyout k -utf8 -days 30 \
    -subj "/CN=$(printf 'Eve\033[2J\342\200\256gpj.exe')" -out eve.pem \
    -addext 'subjectAltName=email:eve@example.net' 2>/dev/null
smimectl import eve.pem >out || fail "import eve: $(cat out)"
smimectl show eve@example.net >>out
grep -q $'\033' out && fail "an escape sequence reached the terminal"
grep -q $'\342\200\256' out && fail "a mark that reverses text got through"
grep -q '^subject: *CN=Eve.*gpj.exe' out || fail "the subject is not shown: $(cat out)"
smimectl remove --yes eve@example.net >/dev/null || fail "remove eve"

# Many at once, with one bad one in the middle.
for _ in $(seq 250); do cat "$pki/bob.pem"; done >some
cat some some >half
for _ in 1 2 3 4 5 6 7 8 9 10; do cat half; done >many
cat cut.pem >>many
for _ in 1 2 3 4 5 6 7 8 9 10; do cat half; done >>many
timeout 100 "$TEST_BUILD/tools/smimectl" -c smime-milter.conf --json import \
    many >out
[ "$(grep -c '"verdict": "known"' out)" = 9999 ] || fail "of 10000 the same one"
[ "$(grep -c '"verdict": "refused"' out)" = 1 ] || fail "one was bad"
smimectl remove --yes bob@example.net >/dev/null || fail "remove bob"
smimectl list >after
cmp before after || fail "something stayed in the store"

# Keys without certificates, each in a file of its own: none is in another's way.
for i in 1 2; do
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
	    -out lone-$i.pem 2>/dev/null || fail "openssl genpkey"
done
smimectl split --out lone lone-1.pem lone-2.pem >out 2>&1 ||
    fail "split: $(cat out)"
for i in 1 2; do
	want=$(openssl pkey -in lone-$i.pem -pubout -outform DER | sha256sum)
	openssl pkey -in "lone/key-${want:0:8}.key" -noout ||
	    fail "key $i is not there: $(ls lone)"
done

# Usage: 2, and help: 0.
smimectl >out 2>&1; [ $? = 2 ] || fail "no command"
smimectl nonsense >out 2>&1; [ $? = 2 ] || fail "an unknown command"
smimectl import >out 2>&1; [ $? = 2 ] || fail "import of nothing"
smimectl list --nonsense >out 2>&1; [ $? = 2 ] || fail "an unknown option"
smimectl -c /nonexistent list >out 2>&1; [ $? = 2 ] || fail "no configuration"
for command in init import split list show export remove trust distrust check \
    explain seal; do
	smimectl "$command" --help >out || fail "help for $command"
	grep -q "^usage: .* $command" out || fail "help: $(cat out)"
done
smimectl list >/dev/full 2>/dev/null && fail "a full disk goes unnoticed"
exit 0
