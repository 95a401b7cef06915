#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every example of smimectl(8) is run as it stands there, at a terminal, and
# works: with the daemon, or without one for what wants that.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
	default { on-error = tempfail }
	EOF
make_store
import_key alice
import bob frank
smimectl import "$pki/crl.pem" >out || fail "$(cat out)"
openssl req -x509 -newkey rsa:2048 -nodes -keyout k -days 300 -subj /CN=M \
    -addext subjectAltName=email:mallory@example.net -out m.pem 2>/dev/null
smimectl import m.pem >out || fail "$(cat out)"
id=$(openssl x509 -in "$pki/heidi.pem" -noout -fingerprint -sha256 |
    sed 's/.*=//; s/://g' | tr A-F a-f)

# What the examples name, in the place of what a reader has.
mkdir -p bin var/backups/smime-milter
chown nobody var/backups/smime-milter
for name in smimectl ssh systemctl; do
	case $name in
	smimectl) echo "exec '$TEST_BUILD/tools/smimectl' -c '$T/smime-milter.conf' \"\$@\"" ;;
	ssh) echo "exec cat '$pki/root.pem'" ;;
	systemctl) echo "exit 0" ;;
	esac >bin/$name
	sed -i '1i #!/bin/sh' bin/$name
	chmod 755 bin/$name
done
things() {
	cp "$pki/alice.p12" alice.p12
	cp "$pki/judy.p12" bundle.p12
	cp "$pki/bob.pem" bob.pem
	cp "$pki/root.pem" root.pem
	echo secret >words
	printf 'From: alice@example.org\nTo: bob@example.net\nSubject: x\n\nText\n' \
	    >mail.eml
}

# One example on each line, after the name of its command.
awk '/^\.Ss / { command = $2 }
    /^\.Bd -literal -offset indent/ && command { inside = 1; next }
    /^\.Ed/ { inside = 0 }
    /^\.Sh / { command = "" }
    inside { sub(/\\e$/, "\\"); print command "\t" $0 }' \
    "$TEST_SOURCE/tools/smimectl.8" |
    sed -e ':a' -e '/\\$/{N;s/\\\n[a-z]*\t */ /;ba' -e '}' >examples

# try EXAMPLE: its exit status; what the terminal showed is in shown.
try() {
	local out
	things
	out=$(sed -n 's/.* --out \([^ ]*\).*/\1/p' <<<"$1")
	[ -z "$out" ] || rm -rf "${T:?}/$out"
	smimectl import "$pki/heidi.pem" >import.out 2>&1
	PATH=$T/bin:$PATH "$lib/on-terminal" 80 --always secret -- \
	    sh -c "$1" >shown
}

start_daemon
start_postfix
export MAIL_CONFIG=$T/etc
while IFS=$'\t' read -r command example; do
	example=${example#[\#\$] }
	example=${example//3f9a12cd/${id:0:8}}
	example=${example//\/var\//$T/var/}
	try "$example"
	status=$?
	# These two tell by their status that they have found something.
	case "$command $status" in "check 1" | "postfix 1") status=0 ;; esac
	if [ $status != 0 ]; then
		cp shown shown.daemon
		stop_daemon
		try "$example" || fail "$example: with the daemon:" \
		    "$(cat shown.daemon); without: $(cat shown)"
		start_daemon
	fi
done <examples

# Each command has one, and there were some.
for command in $(sed -n 's/^\.Ss \([a-z]*\).*/\1/p' \
    "$TEST_SOURCE/tools/smimectl.8"); do
	grep -q "^$command	[#\$] .*smimectl $command" examples ||
	    fail "$command has no example of its own"
done
[ "$(wc -l <examples)" -ge 15 ] || fail "few examples: $(cat examples)"
# What was to be done was done.
smimectl show judy@example.org >out 2>&1 && fail "split has touched the store"
[ -s parts/judy@example.org-*.key ] || fail "split: $(ls parts)"
smimectl show mallory@example.net >out
grep -q '^trust: *distrusted' out ||
    fail "mallory is trusted"
exit 0
