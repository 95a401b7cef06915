#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# soak.sh MINUTES [TSV]: the daemon under mail, as much as Postfix takes, while
# everything happens that happens in years: certificates come and go, the
# configuration is read anew, the vault is killed each minute, clients hang up
# in the middle of a mail or are slow, and one mail of a thousand has 25 MB.
#
# Each mail has a number, and at the end each number has to be accounted for:
# nothing lost, doubled, damaged or in clear.  Memory, descriptors and threads
# of our processes go to TSV (soak.tsv in the build folder), a line each every
# five seconds; in a run of ten minutes or more they must not grow.
minutes=${1:?usage: soak.sh MINUTES [TSV]}
case ${2:-} in
'' | /*) tsv=${2:-} ;;
*) tsv=$PWD/$2 ;;
esac
. "$(dirname "$0")/lib/testlib.sh"
tsv=${tsv:-$TEST_BUILD/soak.tsv}

seconds=$(python3 -c "print(round(60 * $minutes))")
# What happens each minute happens more often in a short run.
period=$((seconds < 180 ? seconds / 4 + 1 : 60))

settings() {
	cat <<-EOF
	default {
	    mixed  = tempfail
	    cipher = $1
	}
	recipients "sealed" {
	    members = { "bob@example.net" }
	    sign    = require
	    encrypt = require
	}
	recipients "signed" {
	    members = { "carol@example.net" }
	    sign    = require
	}
	EOF
}
settings aes-256-cbc | configure
make_store
import_key alice
import bob
for i in 1 2 3 4; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout passing.key -out passing-$i.pem -days 30 \
	    -subj "/CN=$i" -addext "subjectAltName=email:p$i@example.com" \
	    -addext "keyUsage=critical,digitalSignature" \
	    -addext "basicConstraints=critical,CA:false" 2>/dev/null ||
	    fail "openssl req"
done
start_daemon

mkdir sink
"$lib/soak" --seconds "$seconds" --pki "$pki" \
    --login "alice@example.org:$password" --out sink >result 2>&1 &
sink_pid=$!
wait_until 10 test -s sink/port || fail "no sink: $(cat result)"
start_postfix 'message_size_limit = 60000000' 'mailbox_size_limit = 0'
echo "$port" >sink/submit

# sample: a line for each process: which, its pid, and what it takes.
sample() {
	local pid name vault
	vault=$(vault_pid)
	for pid in "$daemon_pid" $(pgrep -P "$daemon_pid"); do
		name=filter
		[ "$pid" != "$daemon_pid" ] || name=supervisor
		[ "$pid" != "$vault" ] || name=vault
		awk -v OFS='\t' -v at="$SECONDS" -v name=$name -v pid="$pid" \
		    -v fds="$(ls "/proc/$pid/fd" | wc -l)" '
			/^VmRSS:/ { rss = $2 }
			/^Threads:/ { threads = $2 }
			END { if (rss) print at, name, pid, rss, fds, threads }
		' "/proc/$pid/status"
	done
} 2>/dev/null

# What an administrator does, and what befalls the vault.
happenings=0 kills=0
happen() {
	local i cipher=aes-256-cbc vault
	happenings=$((happenings + 1))
	[ $((happenings % 2)) = 0 ] || cipher=aes-128-cbc
	for i in 1 2 3 4; do
		smimectl import passing-$i.pem
	done
	settings $cipher | configure
	smimectl reload
	echo nonsense >>smime-milter.conf
	kill -HUP "$daemon_pid"
	sleep 0.2
	settings $cipher | configure
	vault=$(vault_pid) && kill -9 "$vault" && kills=$((kills + 1))
	for i in 1 2 3 4; do
		smimectl remove --yes "p$i@example.com"
	done
} >>happenings.out 2>&1

printf 'seconds\tprocess\tpid\trss_kb\tdescriptors\tthreads\n' >"$tsv"
SECONDS=0 next=$((period / 2))
while kill -0 "$sink_pid" 2>/dev/null; do
	sample >>"$tsv"
	if [ $SECONDS -ge $next ] && [ $SECONDS -lt "$seconds" ]; then
		next=$((next + period))
		happen
	fi
	sleep $((seconds < 60 ? 1 : 5))
done
wait "$sink_pid"
status=$?
sink_pid=
cat result
echo "the vault was killed $kills times, $(($(wc -l <"$tsv") - 1)) samples" \
    "are in $tsv"
[ $status = 0 ] || fail "mail was lost, doubled, damaged or in clear"
[ $kills -gt 0 ] || fail "nothing happened: $(tail -n 3 happenings.out)"
[ "$(grep -c 'action=' daemon.log)" -gt 0 ] || fail "there is no log of it"
if grep -E 'died of signal (6|7|8|11)' daemon.log; then
	fail "a process crashed"
fi

# flat PROCESS: what it takes in the last quarter, beside the second quarter.
# The vault begins anew each minute, and its samples say nothing of years.
flat() {
	awk -F'\t' -v name="$1" -v end="$seconds" '
		$2 != name { next }
		$1 > end / 4 && $1 <= end / 2 { a++; for (i = 4; i <= 6; i++) x[i] += $i }
		$1 > end * 3 / 4 { b++; for (i = 4; i <= 6; i++) y[i] += $i }
		END {
			if (!a || !b) exit 1
			printf "%s: %d kB, %.1f descriptors, %.1f threads in " \
			    "the second quarter, %d kB, %.1f, %.1f in the last\n",
			    name, x[4]/a, x[5]/a, x[6]/a, y[4]/b, y[5]/b, y[6]/b
			exit !(y[4]/b <= 1.15 * x[4]/a + 8192 &&
			    y[5]/b <= 1.15 * x[5]/a + 2 && y[6]/b <= 1.15 * x[6]/a + 2)
		}' "$tsv"
}
for name in supervisor filter; do
	flat $name || [ "$seconds" -lt 600 ] || fail "the $name grows, see $tsv"
done
stop_daemon
