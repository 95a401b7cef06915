# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# The words that stories (tests/journey/) are told with.  A story says what
# the store holds, how the daemon is configured, which mail is sent by whom,
# and what the recipient's programs find in what arrived:
#
#	. "$(dirname "$0")/../lib/testlib.sh"
#	make_store; import_key alice; import bob
#	configure </dev/null; start_daemon; start_sink; start_postfix
#	send --login alice@example.org --to bob@example.net mail
#	expect_reply 'DATA 250'
#	wait_for_mail 1
#	decrypt bob 1 >inner; verify inner >entity
#
# Everything runs in a folder of its own, $T, which is also where the story
# stands; all is stopped and removed at its end, however it ends.  Needs root:
# Postfix and the daemon take users of their own.

set -u -o pipefail
# Debian's programs, not what else somebody has installed beside them; and
# what the shell that runs the stories may have otherwise.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
umask 022
TEST_SOURCE=${TEST_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
TEST_BUILD=${TEST_BUILD:-$TEST_SOURCE/build}
lib=$TEST_SOURCE/tests/lib
T=$(mktemp -d)
chmod 755 "$T"
cd "$T" || exit 1
daemon_pid='' sink_pid='' postfix_pid='' gpg_runs=''
password=secret

# --- ends -------------------------------------------------------------------

# skip WHY: this machine cannot tell the story.
skip() {
	echo "$*"
	exit 77
}

# fail WHAT: shows it with the ends of the logs, and ends the story, also from
# within a command whose output goes to a file.
exec 9>&1
fail() {
	exec >&9
	printf 'failed: %s\n' "$*"
	for log in daemon.log maillog reply; do
		[ -s "$T/$log" ] || continue
		printf -- '--- %s:\n' "$log"
		tail -n 25 "$T/$log"
	done
	exit 1
}

# What a story has started besides is stopped by the functions in at_exit.
at_exit=()
on_exit() {
	local status=$? stop
	trap - EXIT
	for stop in "${at_exit[@]}"; do
		$stop
	done
	stop_postfix
	stop_daemon
	if [ -n "$sink_pid" ]; then kill "$sink_pid" && wait "$sink_pid"; fi
	[ ! -e "$T/port-keepers" ] || xargs kill <"$T/port-keepers"
	if [ -n "$gpg_runs" ]; then gpgconf --homedir "$T/gpg" --kill all; fi
	# What a sanitizer has found fails every story.
	if grep -Es -A 25 'Sanitizer|runtime error:' "$T/daemon.log" >&9; then
		status=1
	fi
	cd / && rm -rf "$T"
	exit "$status"
} 2>/dev/null
trap on_exit EXIT
trap 'exit 1' INT TERM HUP

[ "$(id -u)" = 0 ] || skip "needs root, for the users of Postfix and the daemon"
command -v postfix >/dev/null || skip "Postfix is not installed"

# pause SECONDS, without a process for it: nothing is ever said there.
exec 8<> <(:)
pause() {
	read -r -t "$1" -u 8 || :
}

# wait_until SECONDS COMMAND...: true as soon as the command is.
wait_until() {
	local tries=$(($1 * 20))
	shift
	until "$@"; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		pause 0.05
	done
}

# have_ended PID...: whoever their parent is now may not have taken note yet.
have_ended() {
	local pid
	for pid in "$@"; do
		case $(ps -o stat= -p "$pid") in
		''|Z*) ;;
		*) return 1 ;;
		esac
	done
}

# --- certificates and the store ---------------------------------------------

if [ -z "${TEST_PKI:-}" ]; then
	TEST_PKI=$T/pki
	"$TEST_SOURCE/tests/pki/makepki.sh" "$TEST_PKI" || exit 1
fi
pki=$TEST_PKI

smimectl() {
	"$TEST_BUILD/tools/smimectl" -c "$T/smime-milter.conf" "$@"
}

# configure [ROLE...] <OPTIONS: the configuration, with what every story
# shares, and a listener for each role: direct, or stamp and seal.
configure() {
	local role
	{
		cat <<-EOF
		enabled     = true
		store       = "$T/store"
		master-key  = "$T/master.key"
		user        = "nobody"
		filter-user = "daemon"
		EOF
		for role in "${@:-direct}"; do
			cat <<-EOF
			listener "unix:$(socket_of "$role")" {
			    role  = $role
			    group = "postfix"
			    mode  = "0660"
			}
			EOF
		done
		cat
	} >"$T/smime-milter.conf"
}
socket_of() {
	case $1 in
	direct) echo "$T/milter/socket" ;;
	*) echo "$T/milter/$1.sock" ;;
	esac
}

# make_store: a new one that trusts the root of the tests' CA.
make_store() {
	mkdir -p milter
	[ -e smime-milter.conf ] || configure </dev/null
	smimectl init >smimectl.out 2>&1 &&
	smimectl import "$pki/root.pem" >>smimectl.out 2>&1 &&
	smimectl import --no-trust "$pki/issuing.pem" >>smimectl.out 2>&1 ||
	    fail "make the store: $(cat smimectl.out)"
}

# import NAME...: certificates; import_key NAME...: with their keys.
import() {
	local name
	for name; do
		smimectl import "$pki/$name.pem" >smimectl.out 2>&1 ||
		    fail "import $name: $(cat smimectl.out)"
	done
}
import_key() {
	local name
	for name; do
		cat "$pki/$name.pem" "$pki/$name.key" >both.pem
		smimectl import both.pem >smimectl.out 2>&1 ||
		    fail "import the key of $name: $(cat smimectl.out)"
	done
}

# make_leaf NAME...: certificates of their own for NAME@example.net, imported.
make_leaf() {
	local name
	mkdir -p leaves
	for name; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		    -nodes -days 30 -subj "/CN=$name" \
		    -addext "subjectAltName = email:$name@example.net" \
		    -addext "basicConstraints = critical, CA:false" \
		    -addext "keyUsage = critical, digitalSignature, keyAgreement" \
		    -addext "extendedKeyUsage = emailProtection" \
		    -keyout "leaves/$name.key" -out "leaves/$name.pem" \
		    >leaf.out 2>&1 || fail "make $name: $(cat leaf.out)"
	done
	smimectl import leaves/*.pem >smimectl.out 2>&1 ||
	    fail "import leaves: $(cat smimectl.out)"
}
# cert_file NAME [key]: where it is, whoever made it.
cert_file() {
	if [ -e "$T/leaves/$1.pem" ]; then
		echo "$T/leaves/$1.${2:-pem}"
	else
		echo "$pki/$1.${2:-pem}"
	fi
}

# --- the daemon ---------------------------------------------------------------

daemon_listens() {
	kill -0 "$daemon_pid" 2>/dev/null ||
	    fail "the daemon ended: $(cat "$T/daemon.log")"
	local socket
	for socket in $(sed -n 's/^listener "unix:\(.*\)" {/\1/p' \
	    "$T/smime-milter.conf"); do
		# One who was killed leaves his socket; the flag is "accepts".
		grep -q " 00010000 .* $socket\$" /proc/net/unix || return 1
	done
}

start_daemon() {
	mkdir -p milter
	"$TEST_BUILD/milter/smime-milter" -f -c "$T/smime-milter.conf" \
	    2>>"$T/daemon.log" &
	daemon_pid=$!
	wait_until 20 daemon_listens || fail "the daemon does not listen"
}

stop_daemon() {
	[ -n "$daemon_pid" ] || return 0
	kill "$daemon_pid" 2>/dev/null
	wait "$daemon_pid"
	daemon_pid=
}

# expect_no_start PATTERN: it ends at once, and says why in one line.
expect_no_start() {
	timeout 20 "$TEST_BUILD/milter/smime-milter" -f \
	    -c "$T/smime-milter.conf" >start.out 2>&1
	local status=$?
	[ $status -ne 0 ] && [ $status -ne 124 ] ||
	    fail "it started, or hung (status $status): $(cat start.out)"
	grep -Eq -- "$1" start.out ||
	    fail "it should say /$1/, and said: $(cat start.out)"
}

# vault_pid: the process that has the store open.
vault_pid() {
	local pid
	for pid in $(pgrep -P "$daemon_pid"); do
		# A descriptor may be closed by the time that it is looked at.
		if grep -q "^$T/store/" <(readlink "/proc/$pid/fd/"*); then
			echo "$pid"
			return
		fi
	done
	return 1
} 2>/dev/null

# begin_mail: alice's mail to bob, which the filter has but for its end; end_mail:
# that, too.  What the milter says is in answers, when $talker has ended.
begin_mail() {
	mkfifo steps
	"$lib/milter-talk" "$T/milter/socket" <steps >answers &
	talker=$!
	exec 7>steps
	printf '%s\n' open connect 'mail alice@example.org <alice@example.org>' \
	    'rcpt <bob@example.net>' 'field From: alice@example.org' \
	    'field To: bob@example.net' 'body Text.\r\n' >&7
	wait_until 10 has_come || fail "the mail has not come: $(cat answers)"
}
has_come() { grep -Eq '^mails in hand: +1$' <(smimectl status 2>&1); }
end_mail() {
	echo end >&7
	exec 7>&-
}

# expect_log PATTERN: a line of the daemon's log, now or soon.
expect_log() {
	wait_until 20 grep -Eqs -- "$1" "$T/daemon.log" ||
	    fail "no line in the daemon's log matches /$1/"
}
refuse_log() {
	if grep -Eqs -- "$1" "$T/daemon.log"; then
		fail "a line in the daemon's log matches /$1/"
	fi
}

# --- the mail system ------------------------------------------------------------

# start_sink [--no-8bitmime] [--no-smtputf8]: where all mail ends up.
start_sink() {
	mkdir sink
	"$lib/smtp-sink" "$@" sink &
	sink_pid=$!
	wait_until 10 test -s sink/port || fail "the sink does not start"
}

# free_port [N]: of TCP on loopback; several on one line.  A process keeps them
# bound until the end of the story, so that nobody else is given one meanwhile;
# whoever sets SO_REUSEADDR, as all servers do, can listen there all the same.
free_port() {
	/usr/bin/python3 -IS -c '
import os, signal, socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets), flush=True)
os.close(1)
signal.pause()' "${1:-1}" &
	echo $! >>"$T/port-keepers"
}

port_answers() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# make_postfix [--layout direct|split] [SETTING...], start_postfix the same: a
# configuration in etc/, of submission with SMTP AUTH on $port, through the milter, all mail relayed to the sink.  Each SETTING is a
# line of main.cf.  Everybody in $logins may log in with $password, and nobody
# has to, except with a layout: then Postfix gets what conf/ has for it, but for
# paths, ports and TLS.  The second pass of split is on $seal_port.
logins='alice@example.org heidi@example.org judy@example.org karl@example.org
    bob@example.net'
start_postfix() {
	make_postfix "$@"
	run_postfix
}
make_postfix() {
	local layout=
	if [ "${1:-}" = --layout ]; then
		layout=$TEST_SOURCE/conf/postfix-$2.cf
		shift 2
	fi
	read -r port seal_port < <(free_port 2)
	mkdir -p etc/sasl data
	chown postfix data
	make_queue
	cat >etc/main.cf <<-EOF
	compatibility_level = 3.6
	queue_directory = $T/queue
	data_directory = $T/data
	command_directory = /usr/sbin
	daemon_directory = /usr/lib/postfix/sbin
	mail_owner = postfix
	setgid_group = postdrop
	maillog_file = $T/maillog
	maillog_file_prefixes = $T
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	myhostname = mx.example.org
	mydestination =
	mynetworks = 127.0.0.0/8
	local_recipient_maps =
	alias_maps =
	alias_database =
	smtpd_peername_lookup = no
	smtp_dns_support_level = disabled
	smtp_host_lookup = native
	relayhost = [127.0.0.1]:$(cat sink/port)
	smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,
	    reject
	smtpd_sasl_auth_enable = yes
	smtpd_sasl_security_options = noanonymous
	cyrus_sasl_config_path = $T/etc/sasl
	smtpd_milters = unix:$T/milter/socket
	non_smtpd_milters = unix:$T/milter/socket
	milter_default_action = tempfail
	minimal_backoff_time = 1s
	EOF
	if [ -n "$layout" ]; then
		sed -i '/_milters = /d; /^milter_/d' etc/main.cf
		layout_part main.cf "$layout" >>etc/main.cf
	fi
	[ $# = 0 ] || postconf -c "$T/etc" -e "$@" || fail "postconf"
	master_cf >etc/master.cf
	[ -z "$layout" ] || add_services "$layout"
	make_logins etc/sasl smtpd
	chgrp postfix etc/sasl/sasldb2
	chmod 640 etc/sasl/sasldb2
	# Postfix waits a second before it trusts a file that was just written.
	touch -d '1 minute ago' etc/*.cf
}

# layout_part main.cf|master.cf FILE, as this story's Postfix can have it.
layout_part() {
	sed -n "/^# ---- $1 /,/^# ---- /p" "$2" | sed "
		s|/run/smime-milter/smime-milter.sock|$T/milter/socket|
		s|/run/smime-milter/|$T/milter/|
		s|^submission |127.0.0.1:$port |
		s|127\\.0\\.0\\.1:10026|127.0.0.1:$seal_port|
		s|\\[127.0.0.1\\]:10026|[127.0.0.1]:$seal_port|
		s|tls_security_level=encrypt|tls_security_level=none|"
}

# add_services FILE: its lines of master.cf instead of those with their names.
add_services() {
	local service
	layout_part master.cf "$1" >services.cf
	for service in $(sed -n 's/^\([0-9a-z][^ ]*\) .*/\1/p' services.cf); do
		sed -i "/^$service /d" etc/master.cf
	done
	cat services.cf >>etc/master.cf
}

# make_logins FOLDER PROGRAM: how Cyrus SASL finds $logins for it.
make_logins() {
	local login
	cat >"$1/$2.conf" <<-EOF
	pwcheck_method: auxprop
	auxprop_plugin: sasldb
	mech_list: PLAIN
	sasldb_path: $T/$1/sasldb2
	EOF
	for login in $logins; do
		printf %s "$password" | saslpasswd2 -c -p -f "$1/sasldb2" \
		    -u "${login#*@}" "${login%@*}" || fail "saslpasswd2"
	done
}

# The folders that postfix(1) would make.
make_queue() {
	mkdir -p queue/{pid,public,maildrop} queue/{active,bounce,corrupt,defer} \
	    queue/{deferred,flush,hold,incoming,private,saved,trace}
	chown postfix queue/*
	chown root queue/pid
	chgrp postdrop queue/{public,maildrop}
	chmod 700 queue/*
	chmod 755 queue/pid
	chmod 710 queue/public
	chmod 730 queue/maildrop
}

# As "postfix start-fg" does it, but for its check of the whole installation.
run_postfix() {
	/usr/lib/postfix/sbin/master -c "$T/etc" -s >postfix.out 2>&1 &
	postfix_pid=$!
	wait_until 15 port_answers "$port" ||
	    fail "Postfix does not listen: $(cat postfix.out)"
}

# Only what relaying needs, and nothing in a chroot.
master_cf() {
	cat <<-EOF
	127.0.0.1:$port inet n - n - - smtpd
	pickup     unix n - n 1 1 pickup
	cleanup    unix n - n - 0 cleanup
	qmgr       unix n - n 300 1 qmgr
	rewrite    unix - - n - - trivial-rewrite
	bounce     unix - - n - 0 bounce
	defer      unix - - n - 0 bounce
	trace      unix - - n - 0 bounce
	proxymap   unix - - n - - proxymap
	smtp       unix - - n - - smtp
	relay      unix - - n - - smtp
	error      unix - - n - - error
	retry      unix - - n - - error
	anvil      unix - - n - 1 anvil
	scache     unix - - n - 1 scache
	postlog    unix-dgram n - n - 1 postlogd
	EOF
}

stop_postfix() {
	[ -n "$postfix_pid" ] || return 0
	kill "$postfix_pid"
	wait "$postfix_pid"
	postfix_pid=
}

# send [--login LOGIN] [--from ADDRESS] --to ADDRESS[,...] [OPTION...] FILE...:
# submits a mail.  The envelope sender is alice unless given; other options are
# smtp-send's.  Never fails by itself: $T/reply has all answers, see
# expect_reply.
send() {
	local from=alice@example.org args=()
	while [[ $1 == --* ]]; do
		case $1 in
		--login) args+=(--login "$2:$password") ;;
		--from) from=$2 ;;
		--raw) args+=("$1") && shift && continue ;;
		*) args+=("$1" "$2") ;;
		esac
		shift 2
	done
	"$lib/smtp-send" --port "$port" --from "$from" "${args[@]}" "$@" \
	    >"$T/reply" 2>&1
	return 0
}

# expect_reply PATTERN: the SMTP client was told so.
expect_reply() {
	grep -Eq -- "$1" "$T/reply" ||
	    fail "the client was not told /$1/, but: $(cat "$T/reply")"
}

# wait_for_mail N: until so many have arrived; not one more may have.
mail_arrived() { [ -e "$T/sink/$1.eml" ]; }
wait_for_mail() {
	wait_until "${2:-20}" mail_arrived "$1" ||
	    fail "mail $1 did not arrive"
	! mail_arrived $(($1 + 1)) || fail "more than $1 mails arrived"
}

# copy_for ADDRESS [FIRST]: the number of the one mail, from FIRST on, that went
# to it and nobody else.
copy_for() {
	local found=() env
	for env in $(grep -liE "^RCPT TO:<$1>( |$)" sink/*.env); do
		env=${env#sink/}
		[ "${env%.env}" -lt "${2:-1}" ] || found+=("${env%.env}")
	done
	[ ${#found[@]} = 1 ] ||
	    fail "$1 should have one copy, and has: ${found[*]:-none}"
	[ "$(grep -ci '^RCPT TO:' "sink/${found[0]}.env")" = 1 ] ||
	    fail "the copy for $1 went to others: $(cat "sink/${found[0]}.env")"
	echo "${found[0]}"
}

# --- the recipient's programs -----------------------------------------------------
#
# FILE is a mail; a number N stands for sink/N.eml.  What they find goes to
# standard output; they end the story when a program does not accept it.

mail_file() {
	case $1 in
	*[!0-9]*) echo "$1" ;;
	*) echo "$T/sink/$1.eml" ;;
	esac
}

# has_type FILE TYPE, e.g. application/pkcs7-mime.
has_type() {
	[ "$("$lib/mime" type "$(mail_file "$1")")" = "$2" ]
}
expect_type() {
	has_type "$1" "$2" || fail "$1 should be $2, and is" \
	    "$("$lib/mime" type "$(mail_file "$1")")"
}

# decrypt NAME FILE: the mail inside, by openssl.
decrypt() {
	openssl cms -decrypt -in "$(mail_file "$2")" \
	    -recip "$(cert_file "$1")" -inkey "$(cert_file "$1" key)" \
	    2>"$T/judge.out" ||
	    fail "openssl cannot decrypt $2 for $1: $(cat "$T/judge.out")"
}

# verify FILE: the entity that is signed, by openssl, chain included.
# $T/signer.pem is who signed.
verify() {
	openssl cms -verify -in "$(mail_file "$1")" -CAfile "$pki/root.pem" \
	    -purpose smimesign -signer "$T/signer.pem" 2>"$T/judge.out" ||
	    fail "openssl does not verify $1: $(cat "$T/judge.out")"
}
expect_signer() {
	cmp -s "$T/signer.pem" "$pki/$1.pem" ||
	    fail "it was not signed by $1"
}

# expect_recipients FILE NAME...: the certificates in the RecipientInfos of an
# encrypted mail are these and no others, as openssl asn1parse shows them.
expect_recipients() {
	local file=$1 name
	shift
	"$lib/mime" decode "$(mail_file "$file")" >p7m
	openssl asn1parse -inform DER -in p7m |
	    sed -n 's/.*INTEGER *:\([0-9A-F]\{16,\}\)$/\1/p' |
	    sort -u >got.serials
	for name; do
		openssl x509 -in "$(cert_file "$name")" -noout -serial
	done | sed 's/.*=//' | sort -u >want.serials
	diff want.serials got.serials >serials.diff ||
	    fail "$file is not encrypted to $* only: $(cat serials.diff)"
}

# decrypt_gpgsm NAME FILE, verify_gpgsm FILE: the same with gpgsm.
gpgsm_home() {
	[ -z "$gpg_runs" ] || return 0
	gpg_runs=yes
	mkdir -m 700 gpg
	openssl x509 -in "$pki/root.pem" -noout -fingerprint -sha1 |
	    sed 's/.*=//; s/$/ S relax/' >gpg/trustlist.txt
	run_gpgsm --import "$pki/root.pem" "$pki/issuing.pem"
}
run_gpgsm() {
	gpgsm --homedir "$T/gpg" --batch --quiet --disable-crl-checks \
	    --pinentry-mode loopback --passphrase-fd 3 "$@" 3<<<"$password" \
	    2>"$T/judge.out"
}
# gpgsm 2.2 refuses some PKCS#12 files, one of 70, by the salt that is in them.
import_gpgsm() {
	gpgsm_home
	for _ in 1 2 3 4 5 6; do
		openssl pkcs12 -export -in "$pki/$1.pem" -inkey "$pki/$1.key" \
		    -passout "pass:$password" -out once.p12 -macalg sha1 \
		    -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES
		run_gpgsm --import once.p12 && return
	done
	fail "gpgsm does not import $1's key: $(cat "$T/judge.out")"
}
decrypt_gpgsm() {
	import_gpgsm "$1"
	"$lib/mime" decode "$(mail_file "$2")" >p7m
	run_gpgsm --decrypt p7m ||
	    fail "gpgsm cannot decrypt $2: $(cat "$T/judge.out")"
}
verify_gpgsm() {
	gpgsm_home
	"$lib/mime" part 1 "$(mail_file "$1")" >content
	"$lib/mime" part 2 "$(mail_file "$1")" >signature.mime
	"$lib/mime" decode signature.mime >p7s
	run_gpgsm --status-fd 1 --verify p7s content >gpgsm.status &&
	    grep -q '^.GNUPG:. TRUST_FULLY' gpgsm.status ||
	    fail "gpgsm does not verify $1: $(cat "$T/judge.out")"
}

# decrypt_nss NAME FILE, verify_nss FILE: the same with NSS's cmsutil, which
# Thunderbird's S/MIME is made of.
nss_home() {
	[ ! -d nss ] || return 0
	mkdir nss
	{
		certutil -N -d nss --empty-password &&
		certutil -A -d nss -n root -t C,C, -i "$pki/root.pem" &&
		certutil -A -d nss -n issuing -t ,, -i "$pki/issuing.pem"
	} >"$T/judge.out" 2>&1 || fail "certutil: $(cat "$T/judge.out")"
}
decrypt_nss() {
	nss_home
	pk12util -d nss -i "$pki/$1.p12" -W "$password" -K '' \
	    >"$T/judge.out" 2>&1 || fail "pk12util: $(cat "$T/judge.out")"
	"$lib/mime" decode "$(mail_file "$2")" >p7m
	cmsutil -D -d nss -i p7m 2>"$T/judge.out" ||
	    fail "cmsutil cannot decrypt $2: $(cat "$T/judge.out")"
}
verify_nss() {
	nss_home
	"$lib/mime" part 1 "$(mail_file "$1")" >content
	"$lib/mime" part 2 "$(mail_file "$1")" >signature.mime
	"$lib/mime" decode signature.mime >p7s
	cmsutil -D -d nss -c content -i p7s 2>"$T/judge.out" >/dev/null ||
	    fail "cmsutil does not verify $1: $(cat "$T/judge.out")"
}

# --- what is in a mail ------------------------------------------------------------

# same_content SENT GOT: every leaf the same once decoded; the line ends of
# text and its last one apart, as SMTP does not keep them.
expect_same_content() {
	expect_same leaves "$1" "$2" content
}
# expect_same WHAT SENT GOT WORD, by mime.
expect_same() {
	"$lib/mime" same "$1" "$(mail_file "$2")" "$(mail_file "$3")" \
	    >same.out 2>&1 || fail "$3 has not the $4 of $2: $(cat same.out)"
}

# expect_same_body SENT GOT: the same bytes, with CRLF for LF.
expect_same_body() {
	expect_same body "$1" "$2" body
}

# expect_untouched SENT N: no field but Postfix's own is more or less, and
# the body is the same.
expect_untouched() {
	expect_same without-trace "$1" "$2" "fields and body"
}

# has_field FILE NAME, in the outer headers.
has_field() {
	grep -qi "^$2:" <(header_of "$1")
}
header_of() {
	sed '/^\r\{0,1\}$/q' "$(mail_file "$1")"
}

# --- stories of many mails ----------------------------------------------------------
#
#	story "a login may use what its line says"
#	write_mail 'From: judy@example.org'
#	send --login bob@example.net --to bob@example.net mail
#	arrives signed judy

# story SENTENCE: what is told next; printed where it fails.
story() { echo "* $*"; }

# write_mail FIELD...: a mail with these fields, and what else one needs.
write_mail() {
	printf '%s\n' "$@" 'Subject: the news' 'Message-ID: <1@example.org>' \
	    'Date: Wed, 25 Nov 2026 10:00:00 +0000' '' 'Text.' >mail
}

# as NAME TO FIELD...: NAME writes to TO, logged in.
as() {
	local name=$1 to=$2
	shift 2
	write_mail "From: $name@example.org" "To: ${to//,/, }" "$@"
	send --login "$name@example.org" --from "$name@example.org" \
	    --to "$to" mail
}

# arrives plain|signed|encrypted|sealed [SIGNER [READER]]: it was accepted, and
# came so; signed by alice and readable for bob unless told.  What was signed
# and encrypted is sealed.  The mail is number $arrived.
arrived=0
arrives() {
	local signer=${2:-alice} reader=${3:-bob}
	expect_reply '^DATA 250'
	wait_for_mail $((arrived += 1))
	case $1 in
	plain)
		case $("$lib/mime" type "sink/$arrived.eml") in
		multipart/signed | application/pkcs7-mime)
			fail "it should have come in clear, not signed" ;;
		esac ;;
	signed)
		expect_type $arrived multipart/signed
		verify $arrived >entity
		expect_signer "$signer" ;;
	encrypted)
		decrypt "$reader" $arrived >inner
		expect_type "$T/inner" text/plain ;;
	sealed)
		decrypt "$reader" $arrived >inner
		verify "$T/inner" >entity
		expect_signer "$signer" ;;
	esac
	if header_of $arrived | grep -i '^X-SMIME-'; then
		fail "the sender's wishes arrived"
	fi
}

# refused PATTERN, waits PATTERN: at the end of the mail, with this answer.
refused() { expect_reply "^DATA 5[0-9][0-9] 5\\.[0-9.]+ .*$1"; }
waits() { expect_reply "^DATA 4[0-9][0-9] 4\\.[0-9.]+ .*$1"; }

# reconfigure <OPTIONS: and the daemon takes it at once.
reconfigure() {
	configure
	smimectl reload >smimectl.out 2>&1 ||
	    fail "reload: $(cat smimectl.out)"
}
