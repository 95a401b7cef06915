#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a mail costs on its whole way through Postfix, to a relay: without a
# filter, with one that only hands the body back, with OpenDKIM, and with
# smime-milter.  Processor time of Postfix's
# processes, and of the filter's, for each mail of 4 KiB.
#
#	make bench-postfix
#
# MAILS=N sends as many each time.  It fails only if a mail
# does not come out as it should.
. "$(dirname "$0")/../lib/testlib.sh"
. "$lib/dkim.sh"

mails=${MAILS:-200}

# cpu_ticks PID: of it, its children, and theirs, also of those that ended.
cpu_ticks() {
	/usr/bin/python3 -IS -c '
import os, sys
stat, total = {}, 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open("/proc/%s/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        continue
    stat[pid] = fields[1], sum(map(int, fields[11:15]))
for pid in stat:
    at = pid
    while at in stat and at != sys.argv[1]:
        at = stat[at][0]
    if at == sys.argv[1]:
        total += stat[pid][1]
print(total)' "$1"
}
ms() { awk "BEGIN { printf \"%.2f\", $1 * 1000 / $(getconf CLK_TCK) / $mails }"; }

{
	printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
	    "Subject: 4 KiB" "Message-ID: <1@example.org>" \
	    "Date: Wed, 25 Nov 2026 10:00:00 +0000" ""
	for i in {1..56}; do
		echo "The quick brown fox jumps over the lazy dog, and nobody minds it: line $i."
	done
} >mail

# measure WHAT FILTER-PID|"" SETTING...: one row.
measure() {
	local what=$1 filter=$2 master before=0 after=0 begun ended
	shift 2
	rm -rf sink queue data etc
	start_sink
	start_postfix 'smtpd_client_connection_count_limit = 0' \
	    'max_use = 100000' "$@"
	master=$(tr -d ' ' <queue/pid/master.pid)
	send --login alice@example.org --to bob@example.net mail
	wait_for_mail 1
	begun=$(cpu_ticks "$master")
	[ -z "$filter" ] || before=$(cpu_ticks "$filter")
	send --login alice@example.org --repeat "$mails" --connections 4 \
	    --to bob@example.net mail
	wait_for_mail $((mails + 1)) 120
	sleep 1
	ended=$(cpu_ticks "$master")
	[ -z "$filter" ] || after=$(cpu_ticks "$filter")
	printf '%-28s %10s %10s %8.1f %%\n' "$what" "$(ms $((ended - begun)))" \
	    "$(ms $((after - before)))" "$(awk "BEGIN { print 100 * \
	    ($after - $before) / ($after - $before + $ended - $begun) }")"
	stop_postfix
	kill "$sink_pid"
	wait "$sink_pid" 2>/dev/null
	sink_pid=
}

printf '%-28s %10s %10s %10s\n' "ms of CPU for each mail" Postfix filter share
measure "no filter" "" 'smtpd_milters =' 'non_smtpd_milters ='
null_port=$(free_port)
"$TEST_BUILD/tests/bench/null-milter" "inet:$null_port@127.0.0.1" &
null_pid=$!
at_exit+=(stop_null)
stop_null() { kill "$null_pid" 2>/dev/null; }
measure "libmilter alone" "$null_pid" \
    "smtpd_milters = inet:127.0.0.1:$null_port"
stop_null
start_dkim
measure OpenDKIM "$dkim_pid" "smtpd_milters = inet:127.0.0.1:$dkim_port"

configure <<-'EOF'
default {
    sign = require
}
EOF
make_store
import_key alice
start_daemon
measure "smime-milter, signs" "$daemon_pid"
expect_type sink/1.eml multipart/signed
import bob
measure "smime-milter, also encrypts" "$daemon_pid"
expect_type sink/1.eml application/pkcs7-mime
