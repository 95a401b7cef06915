#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# smimectl check finds what a configuration says and probably does not mean,
# and what it names that is missing or open to others.
. "$(dirname "$0")/../lib/testlib.sh"

good() { configure </dev/null; }
good
make_store
import_key alice

# finds SENTENCE: check says so, and that something is wrong.
finds() {
	smimectl check >out 2>&1
	[ $? = 1 ] || fail "check should find something: $(cat out)"
	grep -Fq -- "$1" out || fail "\"$1\" is not among: $(cat out)"
}
finds_nothing() {
	smimectl check >out 2>&1 || fail "check: $(cat out)"
	[ "$(cat out)" = "nothing found" ] || fail "check: $(cat out)"
}
finds_nothing

# From the configuration alone.
configure <<-'EOF'
	authorize { identities = any }
EOF
finds 'identities = "any": whoever is authorised may use every From address'
configure <<-'EOF'
	group "a" { members = { "@example.org" } }
	group "b" { members = { "x@example.org" } }
EOF
finds 'of group b is in group a already, which comes first and wins'
finds 'group b has no member that could ever match'
configure <<-'EOF'
	default { cipher = aes-128-cbc }
EOF
finds 'default has cipher = aes-128-cbc, the weakest'
configure <<-'EOF'
	listener "inet:8891@192.0.2.1" { insecure-network = true }
EOF
finds 'every host that can reach it may have mail signed'
configure <<-'EOF'
	group "legal" { members = { "alice@example.org", "@example.net" }
	sign = require }
EOF
import bob
finds 'bob@example.net: group legal requires a signature: certificate has no private key here'
smimectl remove --yes bob@example.net >smimectl.out || fail "remove"

# Users, groups, sockets.
good
sed -i 's/"nobody"/"nobody-there"/' smime-milter.conf
finds 'user = "nobody-there": there is no such user'
good
sed -i 's/"daemon"/"filter-there"/' smime-milter.conf
finds 'filter-user = "filter-there": there is no such user'
good
sed -i 's/"daemon"/"nobody"/' smime-milter.conf
finds "filter-user = \"nobody\": who reads mail has to be neither root nor the store's owner"
good
sed -i 's/"postfix"/"no-such-group"/; s/"0660"/"0666"/' smime-milter.conf
finds 'group = "no-such-group": there is no such group'
finds 'mode = "0666": every user of this host can connect'
good
sed -i 's,/milter/socket,/nowhere/socket,' smime-milter.conf
finds "$T/nowhere: the folder of a listener: No such file or directory"

# Files that decide, and secrets.
printf '%s\n' 'bob alice@example.org' >identities
configure <<-EOF
	authorize { identities = "$T/identities" }
	spool-dir = "$T/spool"
EOF
finds "$T/spool: spool-dir: No such file or directory"
mkdir -m 777 spool
finds "$T/spool: spool-dir is everybody's, without a sticky bit (mode 0777)"
chmod 1777 spool
finds_nothing
chmod 664 identities
finds "$T/identities: others than its owner may change it (mode 0664)"
chmod 644 identities
chown daemon identities
finds "who may change who signs as whom; root is wanted"
chown root identities
chmod 666 smime-milter.conf
finds "$T/smime-milter.conf: others than its owner may change it (mode 0666)"
chmod 644 smime-milter.conf
mkdir -m 777 open
mv identities open
sed -i 's,/identities",/open/identities",' smime-milter.conf
finds "$T/open: others than its owner may replace $T/open/identities in it"
good
chmod 755 store
finds "$T/store: the store is open to others (mode 0755, 0700 is wanted)"
chmod 700 store
finds_nothing

# A running daemon does not need the master key's file; check looks all the same.
start_daemon
chmod 644 master.key
finds "$T/master.key: the master key is open to others (mode 0644"
mv master.key away
finds "$T/master.key: the master key: No such file or directory"
mv away master.key
chmod 600 master.key
finds_nothing

# What is not even readable is an error of its own.
configure <<-EOF
	group "x" { members-file = "$T/not-there" }
EOF
smimectl check >out 2>&1
[ $? = 2 ] || fail "a missing file: $(cat out)"
grep -Eq "smime-milter.conf:[0-9]+: $T/not-there: No such file" out ||
    fail "it said: $(cat out)"
