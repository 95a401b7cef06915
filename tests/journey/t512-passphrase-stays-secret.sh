#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A key that came under a passphrase leaves under it and no other; and nowhere
# is the passphrase: not in the store, not in the vault's memory, not among
# arguments or in environments, not in a core, not in a log.
. "$(dirname "$0")/../lib/testlib.sh"

make_store
start_daemon
word=Kx7-heron-lantern-93
openssl pkcs12 -export -in "$pki/alice.pem" -inkey "$pki/alice.key" \
    -passout "pass:$word" -out alice.p12 2>/dev/null
openssl pkcs8 -topk8 -in "$pki/judy.key" -passout "pass:$word" -out judy.key
cat "$pki/judy.pem" judy.key >judy.both

# has_word FILE...: the passphrase, as it is or as PKCS#12 writes it.
has_word() {
	python3 - "$word" "$@" <<-'EOF'
	import sys
	word = sys.argv[1]
	for path in sys.argv[2:]:
	    data = open(path, "rb").read()
	    for form in "utf-8", "utf-16-le", "utf-16-be":
	        if word.encode(form) in data:
	            print(path, form)
	            sys.exit(0)
	sys.exit(1)
	EOF
}
printf '%s' "$word" >sample
has_word sample >out || fail "the search finds nothing"
rm sample

# A terminal asks; while it waits and after it everybody's arguments are
# looked at.
"$lib/on-terminal" 80 "$word" "$word" -- "$TEST_BUILD/tools/smimectl" \
    -c "$T/smime-milter.conf" import alice.p12 judy.both >shown || fail "$(cat shown)"
grep -q "$word" shown && fail "it was shown"
printf '%s\n' "$word" >words
smimectl export --p12 --passphrase-file words --out back.p12 \
    alice@example.org || fail "export"
exec 5<words
smimectl export --bundle --passphrase-fd 5 alice@example.org >bundle ||
    fail "export by a descriptor"
smimectl import --passphrase-file words bundle >out || fail "$(cat out)"
for who in $(pgrep -P "$daemon_pid") "$daemon_pid"; do
	has_word "/proc/$who/cmdline" "/proc/$who/environ" &&
	    fail "among the arguments of $who"
done

# The vault has never been told.
cat >memory.py <<-'EOF'
	import re, sys
	word, pid = sys.argv[1], sys.argv[2]
	seen = 0
	mem = open(f"/proc/{pid}/mem", "rb", 0)
	for line in open(f"/proc/{pid}/maps"):
	    first, last, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
	    if not rights.startswith("rw"):
	        continue
	    try:
	        mem.seek(int(first, 16))
	        data = mem.read(int(last, 16) - int(first, 16))
	    except (OSError, ValueError):
	        continue
	    seen += len(data)
	    for form in "utf-8", "utf-16-le", "utf-16-be":
	        if word.encode(form) in data:
	            sys.exit(f"{form} in {line}")
	sys.exit(0 if seen > 100000 else "no memory was read")
	EOF
vault=$(vault_pid) || fail "no vault"
python3 memory.py "$word" "$vault" 2>out || fail "the vault's memory: $(cat out)"

# None of the files, with the daemon's log, and when all is written.
stop_daemon
has_word store/* daemon.log smimectl.out && fail "in a file"

# A tool that is killed leaves no core.
ulimit -c unlimited
mkdir cores
(cd cores && "$lib/on-terminal" 80 -- sh -c "'$TEST_BUILD/tools/smimectl' \
    -c '$T/smime-milter.conf' import ../alice.p12 & sleep 2; kill -ABRT \$!
    wait \$!") >shown 2>&1
ls cores | grep -q . && fail "a core: $(ls cores)"

# What leaves opens with the passphrase, and not with another or with none.
smimectl export --key judy@example.org >key || fail "export judy's key"
for key in key bundle; do
	sed -n '/BEGIN ENC/,/END ENC/p' $key >locked
	[ -s locked ] || fail "$key is not protected"
	openssl pkey -in locked -passin "pass:$word" -noout || fail "$key: closed"
	for other in '' wrong "${word}x" "${word%?}"; do
		openssl pkey -in locked -passin "pass:$other" -noout 2>/dev/null &&
		    fail "$key opens with \"$other\""
	done
done
openssl pkcs12 -in back.p12 -passin "pass:$word" -noout 2>out ||
    fail "PKCS#12: $(cat out)"
openssl pkcs12 -in back.p12 -passin pass:wrong -noout 2>/dev/null &&
    fail "PKCS#12 opens with another"
cmp key <(sed -n '/BEGIN ENC/,/END ENC/p' judy.key) ||
    fail "judy's key is not what came"
exit 0
