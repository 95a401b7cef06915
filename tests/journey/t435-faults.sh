#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A system call fails while a mail passes: no space, no memory, no descriptor,
# an interruption.  The mail waits, and the log says why, or it arrives as it
# should; nobody dies of it, and the next mail is right again.  Then the kernel
# takes only a part of whatever is written.  SMIME_LONG: more calls, also the
# second and the fifth of them; not all happen while a mail passes.
. "$(dirname "$0")/../lib/testlib.sh"

${CC:-cc} -shared -fPIC -o faults.so "$lib/faults.c" || fail "no faults.so"
truncate -s 512 faults
export FAULTS=$T/faults ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0

# So little memory that the mail goes to a file.
configure <<-EOF
spool-memory  = 64K
spool-dir     = "$T/spool"
vault-timeout = 3
default {
    sign    = require
    encrypt = require
}
EOF
mkdir -m 700 spool
chown daemon spool
make_store
import_key alice
import bob
{
	printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
	    "Subject: faults" "Content-Type: text/plain" ""
	seq 1 30000
} >mail

# put: one mail as Postfix hands it over; its status is mta's.
put() {
	timeout 30 "$TEST_BUILD/tests/lib/mta" -s milter/socket \
	    -f '<alice@example.org>' -l alice@example.org \
	    -r '<bob@example.net>' <mail >out 2>verdict
}
# Python would take longer to compare a mail than all else.
sed '1,/^$/d' mail >body
is_right() {
	decrypt bob "$T/out" >inner
	verify "$T/inner" >entity
	sed '1,/^\r*$/d' entity | tr -d '\r' | cmp -s - body ||
	    fail "the body is another"
}
# plan PID CLASS ERROR WHEN, or nothing: see faults.c.  "half" is no error.
declare -A errors=([half]=0 [EINTR]=4 [EIO]=5 [ENOMEM]=12 [EMFILE]=24
    [ENOSPC]=28 [EPIPE]=32)
plan() {
	printf '\0\0\0\0\0\0\0\0%-503s\n' "$*" 1<>faults
}
says() { grep -Eq -- "$2" <(sed "1,$1d" daemon.log); }
has_failed() { ! cmp -s -n 4 faults /dev/zero; }

# fault PROCESS CLASS ERROR WHEN CAUSE: what the log says if the mail waits; "-"
# if it must arrive.  Where the filter's own socket fails, libmilter leaves the
# MTA, which logs that, and whose mail waits (milter_default_action); then mta's
# status is 3, or it died of writing to nobody.
rows=0 missed=0 patience=10
[ -z "${SMIME_LONG:-}" ] || patience=1	# some do not happen there
fault() {
	local row="$1 $2 $3 $4" status lines
	lines=$(wc -l <daemon.log)
	plan "${!1}" "$2" "${errors[$3]}" "$4"
	put
	status=$?
	if ! wait_until $patience has_failed; then
		: $((missed += 1))
		[ -n "${SMIME_LONG:-}" ] || fail "$row: there was no such call"
	fi
	plan
	case $status in
	0)	is_right ;;
	2)	[ "$5" != - ] || fail "$row: $(cat verdict)"
		wait_until 20 says "$lines" "$5" ||
		    fail "$row: no line says /$5/: $(cat verdict)" ;;
	3|141)	[[ "$2" = receive || "$2" = send || "$2" = poll ]] &&
		    [ "$1" = filter ] || fail "$row: $(cat verdict)" ;;
	*)	fail "$row: status $status: $(cat verdict)" ;;
	esac
	put || fail "the mail after $row: $(cat verdict)"
	[ "$status" = 0 ] || is_right
	kill -0 "$supervisor" "$filter" "$vault" ||
	    fail "$row: a process died of it"
	: $((rows += 1))
	story "$row: status $status"
}

LD_PRELOAD=$T/faults.so start_daemon
supervisor=$daemon_pid filter=$(pgrep -P "$daemon_pid" -u daemon)
vault=$(vault_pid) || fail "no vault"
put || fail "no mail passes: $(cat verdict)"
is_right

# The mail's file; a descriptor or memory that is not there.
fault filter open ENOSPC 1 "cannot create a file for the mail in $T/spool: No space"
fault filter open EMFILE 2 "cannot create a file .*: Too many open files"
fault filter write ENOSPC 1 "cannot write the mail .*: No space left"
fault filter write EIO 2 "cannot write the mail .*: Input/output error"
fault filter write EINTR 1 -
fault filter map ENOMEM 2 "cannot map the mail's file .*: Cannot allocate"
# The way to the vault, and the vault's.
fault filter send EINTR 1 -
fault vault receive EIO 1 -
expect_log 'hear a filter: Input/output error'
fault vault send EINTR 1 -
# No descriptor, signals in between, parts of what is written.
fault filter accept EMFILE 1 -
fault filter poll EINTR 1 -
fault supervisor poll EINTR 1 -
fault filter write half 0 -
fault filter send half 0 -
[ -n "${SMIME_LONG:-}" ] || exit 0

while read -r row; do
	fault $row
done <<-'EOF'
	filter map ENOMEM 1 .
	filter send ENOMEM 1 .
	filter send EPIPE 2 vault
	filter send EIO 5 vault
	filter receive EIO 1 .
	filter receive EINTR 2 .
	filter control EINTR 1 -
	filter poll ENOMEM 1 -
	filter poll EINTR 5 -
	filter accept EINTR 1 -
	vault receive EINTR 1 -
	vault receive EIO 2 -
	vault send ENOMEM 1 answer
	vault send ENOMEM 2 answer
	vault control EINTR 1 -
	vault read EIO 1 .
	vault write ENOSPC 1 .
	vault write half 0 -
	vault sync EIO 1 .
	vault open EMFILE 1 .
	vault map ENOMEM 1 .
	supervisor receive EIO 1 -
	supervisor receive EINTR 1 -
	supervisor poll ENOMEM 1 -
	supervisor control EINTR 1 -
EOF
echo "$rows rows, of which $missed found no such call"
