#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# smimectl, the vault, a filter or the supervisor is killed at a random moment,
# while certificates come and go and mail is sent.  After each time the store
# opens, all that was reported as done is there, nothing is there by half, mail
# flows again, and each mail that was taken arrives once.
#
# Eight rounds; 500 in make check-long, which goes on from where it ended if
# they take more than an hour.  SMIME_SEED repeats a series of moments.
. "$(dirname "$0")/../lib/testlib.sh"

rounds=8 round=0 progress=/dev/null
if [ -n "${SMIME_LONG:-}" ]; then
	rounds=500 progress=$TEST_BUILD/t420.progress
	[ ! -s "$progress" ] || round=$(cat "$progress")
fi
seed=${SMIME_SEED:-$$}
RANDOM=$seed
echo "seed $seed, from round $round"

configure <<-'EOF'
default {
    sign    = require
    encrypt = require
}
EOF
make_store
import_key alice
import bob

# Four files of two certificates each; each file is one transaction.
mkdir files
for name in {1..4}-{1..2}; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout new.key -out "new.pem" -days 30 -subj "/CN=$name" \
	    -addext "subjectAltName=email:$name@example.com" \
	    -addext "keyUsage=critical,digitalSignature" \
	    -addext "basicConstraints=critical,CA:false" 2>/dev/null ||
	    fail "openssl req"
	cat new.pem >>"files/${name%-*}.pem"
done
# What is done while a process is killed.  Of each certificate `reported` says
# whether it is there, gone, or either: while smimectl is at work, and for ever
# if it does not come to report that it is done.
names=({1..4}-{1..2})
report() {
	printf "%s $1\n" "${@:2}" >>reported
}
import_all() {
	local file
	for file in {1..4}; do
		report either "$file"-{1..2}
		smimectl import "files/$file.pem" >>import.out 2>&1 &&
		    report there "$file"-{1..2}
	done
}
remove_all() {
	local name
	for name in "${names[@]}"; do
		report either "$name"
		smimectl remove --yes "$name@example.com" >>remove.out 2>&1 &&
		    report gone "$name"
	done
}

send_some() {
	"$lib/smtp-send" --port "$port" --login "alice@example.org:$password" \
	    --from alice@example.org --to bob@example.net --repeat 4 \
	    --connections 2 mail >replies 2>&1
}

# kill_one WHICH: it may just not be there.
kill_one() {
	local vault
	vault=$(vault_pid)
	case $1 in
	smimectl) pkill -9 -P "$worker" smimectl ;;
	vault) [ -n "$vault" ] && kill -9 "$vault" ;;
	filter) pgrep -P "$daemon_pid" | grep -vx "$vault" | head -n 1 |
	    xargs -r kill -9 ;;
	supervisor) kill -9 "$daemon_pid" ;;
	esac
} 2>/dev/null

restart_daemon() {
	local children=$1
	wait "$daemon_pid"
	# shellcheck disable=SC2086
	wait_until 60 have_ended $children || fail "a process outlives its supervisor"
	start_daemon
} 2>/dev/null

# What the store has, in there[NAME] as well, since a grep for each costs more
# than smimectl.
declare -A there=()
list_store() {
	local name
	smimectl --json list >list.json 2>list.err &&
	    grep -o '[1-4]-[1-2]@example\.com' list.json >listed
	grep -q alice@example.org list.json || return 1
	there=()
	while IFS=@ read -r name _; do
		there[$name]=yes
	done <listed
}
# half_there FILE: one of its two certificates.
half_there() {
	[ "${there[$1-1]:-}" != "${there[$1-2]:-}" ]
}
declare -A want=()
check_store() {
	local name what file halves=
	for file in {1..4}; do
		if half_there $file; then halves+=" $file"; fi
	done
	wait_until 60 list_store || fail "the store: $(cat list.err)"
	while read -r name what; do
		want[$name]=$what
	done <reported
	for name in "${names[@]}"; do
		what=gone
		[ -z "${there[$name]:-}" ] || what=there
		case ${want[$name]} in
		either | "$what") ;;
		*) fail "$name should be ${want[$name]}, and is $what" ;;
		esac
	done
	[ "$1" = import_all ] || return 0
	for file in {1..4}; do
		# Half of it may have been there before.
		[[ $halves == *" $file"* ]] || ! half_there $file ||
		    fail "one of the two certificates in a file is there"
	done
}

taken=0
delivered() {
	send --login alice@example.org --to bob@example.net mail
	grep -q '^DATA 250' reply
}
check_mail() {
	wait_until 60 delivered || fail "mail does not flow again: $(cat reply)"
	taken=$((taken + 1 + $(grep -c '^DATA 250' replies)))
	wait_for_mail $taken 60
	decrypt bob $taken >inner
	verify "$T/inner" >entity
}

one_round() {
	local children sender victim work=import_all
	# Those that an import would only find there again.
	[ ${#there[@]} -lt 4 ] || work=remove_all
	victims=(smimectl vault filter supervisor)
	victim=${victims[RANDOM % 4]}
	children=$(pgrep -P "$daemon_pid")
	$work &
	worker=$!
	send_some &
	sender=$!
	sleep "0.$(printf %03d $((RANDOM % 400)))"
	kill_one $victim
	[ $victim != supervisor ] || restart_daemon "$children"
	wait $worker
	wait $sender
	check_store $work
	check_mail
	echo "round $round: $victim killed in $work, ${#there[@]} there," \
	    "$taken mails"
}

printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Content-Type: text/plain" "" "Text." >mail
report gone "${names[@]}"
start_daemon
start_sink
start_postfix
while [ $round -lt $rounds ]; do
	one_round
	round=$((round + 1))
	echo $round >"$progress"
	[ $SECONDS -lt 3000 ] ||
	    skip "$round of $rounds rounds are done; run it again for the rest"
done
[ "$progress" = /dev/null ] || rm -f "$progress"
stop_daemon
list_store || fail "the store after it all: $(cat list.err)"
