#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An administrator at a terminal: tables fit it, colours and progress are there
# and nowhere else, passphrases are asked for and not shown.
. "$(dirname "$0")/../lib/testlib.sh"

make_store
import bob dave
openssl req -x509 -newkey rsa:2048 -nodes -keyout k -utf8 -days 30 \
    -subj '/CN=漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字' -out wide.pem \
    -addext basicConstraints=CA:TRUE 2>/dev/null
smimectl import --no-trust wide.pem >out || fail "$(cat out)"
export TERM=xterm
unset NO_COLOR

# terminal COLUMNS [ANSWER...] -- ARGUMENT...: smimectl on it, into shown.
terminal() {
	local args=()
	while [ "$1" != -- ]; do args+=("$1"); shift; done
	shift
	"$lib/on-terminal" "${args[@]}" -- "$TEST_BUILD/tools/smimectl" \
	    -c "$T/smime-milter.conf" "$@" >shown
}

# widest: columns of the widest line, by somebody else's count; colours apart.
widest() {
	python3 -c '
import re, sys, unicodedata
text = re.sub("\033\\[[0-9]*m", "", open("shown", encoding="utf-8").read())
print(max(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1
    for c in line) for line in text.splitlines()))'
}
for columns in 80 100 200; do
	terminal $columns -- list || fail "list"
	[ "$(widest)" -le $columns ] ||
	    fail "$(widest) columns of $columns: $(cat shown)"
	grep -q '漢字' shown || fail "no wide characters: $(cat shown)"
done
grep -q '漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字' shown ||
    fail "cut although there is room: $(cat shown)"
grep -q $'\033\[31mexpired 2021-01-01\033\[0m' shown ||
    fail "no colour: $(cat shown)"
NO_COLOR=1 terminal 200 -- list
grep -q $'\033' shown && fail "colour in spite of NO_COLOR"
TERM=dumb terminal 200 -- list
grep -q $'\033' shown && fail "colour on a dumb terminal"
smimectl list >out
grep -q $'\033' out && fail "colour in a pipe"
grep -q '漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字' out || fail "cut in a pipe"

# A passphrase: asked for again when it is wrong, and never shown.
terminal 80 wrongword secret -- import "$pki/judy.p12" ||
    fail "import: $(cat shown)"
[ "$(grep -c 'Passphrase for .*judy.p12' shown)" = 2 ] ||
    fail "asked otherwise: $(cat shown)"
grep -q -e wrongword -e secret shown && fail "it was shown: $(cat shown)"
smimectl --json show judy@example.org >out
grep -q '"has_key": true' out ||
    fail "the key is not there"
# An empty one skips the file.
terminal 80 '' -- import "$pki/carol.p12" && fail "read without a passphrase"
# A new one is asked for twice, until both are alike.
import_key alice
terminal 80 one two three three -- export --p12 --out a.p12 \
    alice@example.org || fail "export: $(cat shown)"
grep -q -e one -e two -e three shown && fail "it was shown: $(cat shown)"
openssl pkcs12 -in a.p12 -passin pass:three -nokeys >out 2>&1 ||
    fail "another passphrase: $(cat out)"

# Several CAs, and what cannot be undone, are asked about.
cat "$pki/root.pem" "$pki/issuing.pem" >cas
terminal 80 n -- import cas
grep -q 'Trust all that any of them issued' shown || fail "$(cat shown)"
terminal 80 n -- remove bob@example.net && fail "removed after a no"
smimectl show bob@example.net >out || fail "bob has gone"
terminal 80 y -- remove bob@example.net || fail "remove: $(cat shown)"
smimectl show bob@example.net >out 2>&1 && fail "bob is still there"

# Progress: here the passphrase takes its time, in one file of several.
openssl pkcs12 -export -in "$pki/carol.pem" -inkey "$pki/carol.key" \
    -passout pass:secret -iter 600000 -out slow-1.p12 2>/dev/null
for i in 2 3 4; do cp slow-1.p12 slow-$i.p12; done
echo secret >words
terminal 80 -- import --passphrase-file words slow-*.p12 || fail "$(cat shown)"
grep -q 'reading files: [1-4] of 4' shown || fail "no progress: $(cat shown)"
smimectl import --passphrase-file words slow-*.p12 >out 2>&1 || fail "$(cat out)"
grep -q 'reading files' out && fail "progress in a pipe"
exit 0
