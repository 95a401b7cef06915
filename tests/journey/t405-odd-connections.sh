#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What an MTA may do besides handing in one mail from its beginning to its end:
# hang up anywhere, abort, begin another mail, offer less.  Nothing of one mail
# is ever found in another.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign    = prefer
    encrypt = never
}
EOF
make_store
import_key alice
start_daemon

talk() { "$lib/milter-talk" "$T/milter/socket" >answers; }
expect_answers() {
	diff - answers || fail "the milter answers otherwise"
}
head='field From: alice@example.org
field To: bob@example.net'
mail="mail alice@example.org <alice@example.org>
rcpt <bob@example.net>
$head"

# The whole of it: fields first, the body in one run, nothing behind it; and a
# mail whose body never comes is one with an empty body.
talk <<-EOF
open
connect
$mail
field MIME-Version: 1.0
field Content-Type: text/plain
field Content-Type: text/html
field X-SMIME-Sign: yes
end
EOF
sed -i 's/; protocol.*/; .../; s/^body .*/body N/; /^\t/d' answers
expect_answers <<-'EOF'
open
change 2 Content-Type:
change 1 Content-Type: multipart/signed; ...
change 1 X-SMIME-Sign:
body N
accept
EOF
expect_log 'QID: action=sign group=default from=<alice@example.org> nrcpt=1'

# An MTA that takes a value's first space away puts one before ours.
talk <<-EOF
open fffff
connect
$(sed 's/: /:/' <<<"$mail")
body Text.\r\n
end
EOF
grep -q '^add Content-Type:multipart/signed' answers ||
    fail "without leading spaces: $(cat answers)"
tail -n 1 answers | grep -qx accept || fail "$(cat answers)"

# The login belongs to the mail it came with, not to the connection; what an
# aborted mail had, or one that another follows at once, is gone.
talk <<-EOF
open
connect
$mail
body This is
abort
mail - <alice@example.org>
rcpt <bob@example.net>
$head
body Text.\r\n
end
$mail
body This is
mail - <carol@example.net>
rcpt <bob@example.net>
field From: carol@example.net
field To: bob@example.net
end
$mail
body Text.\r\n
end
EOF
sed -i '/^add/d; s/^body .*/body N/; /^\t/d' answers
expect_answers <<-'EOF'
open
accept
accept
body N
accept
EOF

# Who does not let us change mail is not served, rather than his mail be passed
# in clear.
talk <<<"open 1fffff 1"
expect_answers <<<closed

# Hanging up anywhere costs nothing: no process ends, no descriptor stays.
filter_pid() { pgrep -P "$daemon_pid" -u daemon; }
filter=$(filter_pid)
descriptors() { find "/proc/$filter/fd" | wc -l; }
before=$(descriptors)
for ((i = 0; i < 20; i++)); do
	printf '%s\n' open close open connect close \
	    open connect "mail - <a@example.org>" close \
	    open connect "mail - <a@example.org>" "field A: b" close \
	    open connect "mail - <a@example.org>" "field A: b" \
	    "body half a li" close
done | talk
is_calm() { [ "$(descriptors)" -le "$before" ]; }
wait_until 10 is_calm || fail "$(descriptors) descriptors, and $before before"
[ "$filter" = "$(filter_pid)" ] || fail "the filter ended"
talk <<-EOF
open
connect
$mail
body Text.\r\n
end
EOF
tail -n 1 answers | grep -qx accept || fail "$(cat answers)"
