#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The configuration changes all the time while mail comes in over several
# connections, and every second change is broken.  Each mail is treated by one
# configuration as a whole, none is lost, and each mistake is told.
. "$(dirname "$0")/../lib/testlib.sh"

reloads=12
if [ -n "${SMIME_LONG:-}" ]; then reloads=200; fi

# One signs and never encrypts, the other encrypts and never signs: a mixture
# would show.
signs() {
	configure <<-'EOF'
	default {
	    sign    = never
	    encrypt = never
	}
	group "signers" {
	    members = { "alice@example.org" }
	    sign    = require
	}
	EOF
}
encrypts() {
	configure <<-'EOF'
	default {
	    sign    = require
	    encrypt = require
	}
	group "encrypters" {
	    members = { "alice@example.org" }
	    sign    = never
	}
	EOF
}

signs
make_store
import_key alice
import bob
start_daemon
start_sink
start_postfix

printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Subject: one of many" "Date: Wed, 25 Nov 2026 10:00:00 +0000" "" \
    "Text." >mail
send_many() {
	until [ -e enough ]; do
		"$lib/smtp-send" --port "$port" \
		    --login "alice@example.org:$password" \
		    --from alice@example.org --to bob@example.net \
		    --connections 4 --repeat 40 mail || return 1
	done
}
send_many >replies 2>&1 &
sender=$!

# Mistakes of several kinds; the third is in a file that is named.
break_it() {
	case $(($1 % 3)) in
	0) echo 'default { sign = always }' >>smime-milter.conf ;;
	1) echo 'group "half" { members = {' >>smime-milter.conf ;;
	2) echo 'group "gone" { members-file = "/nonexistent/list" }' \
	    >>smime-milter.conf ;;
	esac
}
# Some mail comes in between two changes.
seen=0
more_mail() { [ "$(grep -c ': action=' daemon.log)" -ge $((seen + 5)) ]; }

for ((i = 1; i <= reloads; i++)); do
	wait_until 20 more_mail || fail "no mail comes in"
	seen=$(grep -c ': action=' daemon.log)
	if [ $((i % 4)) -lt 2 ]; then encrypts; else signs; fi
	if [ $((i % 2)) = 0 ]; then
		break_it "$i"
		smimectl reload >reload.out 2>&1
		[ $? = 2 ] || fail "a broken file was taken"
		grep -q '^smimectl: the configuration stays as it was: .*conf:[0-9]*: ' \
		    reload.out || fail "it said: $(cat reload.out)"
	else
		smimectl reload >reload.out 2>&1 ||
		    fail "reload: $(cat reload.out)"
	fi
done
touch enough
wait $sender || fail "mail was refused: $(grep -v ' 250 ' replies)"

mails=$(grep -c '^DATA 250' replies)
wait_until 60 test -e sink/$mails.eml || fail "mail did not arrive"
! mail_arrived $((mails + 1)) || fail "mail was doubled"
all_logged() {
	grep -E ': action=' daemon.log >lines
	[ "$(wc -l <lines)" = $mails ]
}
wait_until 10 all_logged || fail "not one log line for each mail"
if grep -vE 'action=sign group=signers |action=encrypt group=encrypters ' \
    lines; then
	fail "a mail was treated by a mixture"
fi
for group in signers encrypters; do
	grep -q "group=$group " lines || fail "no mail came under $group"
done

# What arrived is what the log says.
for action in 'sign multipart/signed' 'encrypt application/pkcs7-mime'; do
	read -r what type <<<"$action"
	[ "$(grep -c "action=$what " lines)" = "$(grep -li -m 1 \
	    "^Content-Type: $type" sink/*.eml | wc -l)" ] ||
	    fail "not as many mails of $type as the log says"
done

# With the next mail, whatever smimectl reload answered counts.
signs
smimectl reload >reload.out || fail "the last reload: $(cat reload.out)"
send --login alice@example.org --to bob@example.net mail
wait_for_mail $((mails + 1))
expect_type $((mails + 1)) multipart/signed

# A mistake in a file that only the daemon's signal sees is in its log.
break_it 0
kill -HUP "$daemon_pid"
expect_log 'the configuration stays as it was: .*conf:[0-9]+: '

stop_daemon
smimectl reload >reload.out 2>&1
[ $? = 2 ] || fail "a broken file without a daemon: $(cat reload.out)"
signs
smimectl reload >reload.out 2>&1
[ $? = 1 ] || fail "there is no daemon"
grep -q 'no daemon runs' reload.out || fail "it said: $(cat reload.out)"
