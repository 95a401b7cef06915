#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OpenDKIM behind the filter, in both layouts, and a relay that takes 7-bit mail
# only: both signatures hold at the end, for a mail with umlauts and long lines
# whose From is not changed, and for one to an address beyond ASCII.
. "$(dirname "$0")/../lib/testlib.sh"

command -v opendkim >/dev/null || skip "OpenDKIM is not installed"
/usr/bin/python3 -c 'import dkim' 2>/dev/null || skip "Python has no dkim module"

openssl genrsa -out dkim.key 2048 2>/dev/null
chmod 600 dkim.key
openssl rsa -in dkim.key -pubout -outform DER 2>/dev/null |
    base64 -w 0 >dkim.pub
dkim_port=$(free_port)
cat >opendkim.conf <<-EOF
	Socket        inet:$dkim_port@127.0.0.1
	Domain        example.org
	Selector      s
	KeyFile       $T/dkim.key
	Mode          s
	InternalHosts 127.0.0.1
	Canonicalization simple/simple
	RequireSafeKeys no
	Background    no
	Syslog        no
EOF
opendkim -f -x opendkim.conf >opendkim.out 2>&1 &
dkim_pid=$!
stop_dkim() {
	kill $dkim_pid
	wait $dkim_pid
}
at_exit+=(stop_dkim)
wait_until 10 port_answers "$dkim_port" || fail "OpenDKIM: $(cat opendkim.out)"

# dkim_verify FILE: by Python's dkim, which is told the key.
dkim_verify() {
	/usr/bin/python3 -c '
import dkim, sys
key = b"v=DKIM1; k=rsa; p=" + open("dkim.pub", "rb").read()
with open(sys.argv[1], "rb") as f:
    sys.exit(not dkim.verify(f.read(), dnsfunc=lambda *a, **k: key))
' "$(mail_file "$1")" 2>dkim.err ||
	    fail "the DKIM signature of $1 does not hold: $(cat dkim.err)"
}

printf '%s\n' "From: Alice <alice@example.org>" "To: bob@example.net" \
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=" "MIME-Version: 1.0" \
    "Content-Type: text/plain; charset=utf-8" \
    "Content-Transfer-Encoding: 8bit" \
    "Message-ID: <1@example.org>" "Date: Wed, 25 Nov 2026 10:00:00 +0000" "" \
    "Grüße, $(printf 'lang %.0s' {1..300})" "From here on ... " "." "" >mail
sed 's/^To:.*/To: jörg@example.net/' mail >mail-utf8

for layout in direct split; do
	case $layout in
	direct) configure direct </dev/null ;;
	split) configure stamp seal </dev/null ;;
	esac
	[ -d store ] || {
		make_store
		import_key alice
	}
	start_daemon
	rm -rf sink
	[ -z "$sink_pid" ] || { kill "$sink_pid"; wait "$sink_pid"; } 2>/dev/null
	start_sink --no-8bitmime
	rm -rf queue data etc
	make_postfix --layout $layout
	for service in $(postconf -c etc -P |
	    sed -n 's|\(.*/inet\)/smtpd_milters = .*|\1|p' | tail -n 1); do
		postconf -c etc -P "$service/smtpd_milters=$(postconf -c etc \
		    -Ph "$service/smtpd_milters"),inet:127.0.0.1:$dkim_port"
	done
	run_postfix
	send --login alice@example.org --to bob@example.net mail
	expect_reply '^DATA 250'
	wait_for_mail 1
	expect_type 1 multipart/signed
	! LC_ALL=C grep -q '[^ -~	]' <(tr -d '\r' <sink/1.eml) ||
	    fail "what arrived is not 7-bit"
	verify 1 >entity
	expect_signer alice
	expect_same_content mail entity
	dkim_verify 1
	send --login alice@example.org --to jörg@example.net mail-utf8
	expect_reply '^DATA 250'
	wait_for_mail 2
	verify 2 >entity
	grep -q 'RCPT TO:<jörg@example.net>' sink/2.env ||
	    fail "another recipient: $(cat sink/2.env)"
	stop_postfix
	stop_daemon
done
