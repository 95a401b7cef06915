# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# A private Sendmail for stories, after testlib.sh.  Its packages cannot be
# installed beside Postfix, so that install-packages unpacks them.

sendmail_root=$TEST_BUILD/unpacked
sendmail=$sendmail_root/usr/libexec/sendmail/sendmail
sendmail_pid=''
[ -x "$sendmail" ] || skip "Sendmail is not unpacked in $sendmail_root"
grep -q 'not found' <(ldd "$sendmail") && skip "Sendmail lacks libraries"
command -v m4 >/dev/null || skip "m4 is not installed"

# Sendmail wants a host name with a dot, or asks DNS about it for minutes.
with_name() {
	unshare --uts sh -c 'hostname mx.example.org; exec "$@"' - "$@"
}
with_name true 2>/dev/null || skip "no host name can be made here"

# start_sendmail: as start_postfix, in the layout that conf/sendmail-direct.mc
# has.
start_sendmail() {
	local m4=$sendmail_root/usr/share/sendmail/cf
	port=$(free_port)
	mkdir -p -m 755 sm/empty
	mkdir -m 700 sm/queue sm/sasl
	printf 'hosts files\naliases files\npasswd files\n' >sm/switch
	cat >sm/sendmail.mc <<-END
	divert(0)dnl
	OSTYPE(\`linux')dnl
	define(\`confDOMAIN_NAME', \`mx.example.org')dnl
	define(\`confCW_FILE', \`/dev/null')dnl
	define(\`ALIAS_FILE', \`')dnl
	define(\`HELP_FILE', \`')dnl
	define(\`STATUS_FILE', \`')dnl
	define(\`QUEUE_DIR', \`$T/sm/queue')dnl
	define(\`confPID_FILE', \`$T/sm/pid')dnl
	define(\`confSERVICE_SWITCH_FILE', \`$T/sm/switch')dnl
	define(\`confTO_IDENT', \`0')dnl
	define(\`confDONT_PROBE_INTERFACES', \`True')dnl
	define(\`confDEF_USER_ID', \`nobody')dnl
	define(\`confDONT_BLAME_SENDMAIL', \`TrustStickyBit,\
	GroupWritableDirPathSafe,GroupReadableSASLDBFile')dnl
	define(\`SMART_HOST', \`esmtp:[127.0.0.1]')dnl
	define(\`ESMTP_MAILER_ARGS', \`TCP \$h $(cat sink/port)')dnl
	define(\`confAUTH_MECHANISMS', \`PLAIN')dnl
	define(\`confAUTH_OPTIONS', \`')dnl
	FEATURE(\`nocanonify')dnl
	FEATURE(\`accept_unqualified_senders')dnl
	FEATURE(\`accept_unresolvable_domains')dnl
	FEATURE(\`promiscuous_relay')dnl
	define(\`confQUEUE_LA', \`1000')dnl
	define(\`confREFUSE_LA', \`1000')dnl
	FEATURE(\`no_default_msa')dnl
	DAEMON_OPTIONS(\`Name=MTA, Addr=127.0.0.1, Port=$port')dnl
	END
	sed "s|/run/smime-milter/smime-milter.sock|$(socket_of direct)|" \
	    "$TEST_SOURCE/conf/sendmail-direct.mc" >>sm/sendmail.mc
	cat >>sm/sendmail.mc <<-END
	MAILER(\`smtp')dnl
	LOCAL_CONFIG
	ESASL_CONF_PATH=$T/sm/sasl
	END
	m4 -D_CF_DIR_="$m4/" "$m4/m4/cf.m4" sm/sendmail.mc >sm/sendmail.cf \
	    2>sm/m4.err || fail "m4: $(cat sm/m4.err)"
	make_logins sm/sasl Sendmail
	chmod 600 sm/sasl/*
	with_name "$sendmail" "-C$T/sm/sendmail.cf" -bD -q1m -X "$T/maillog" \
	    >sm/out 2>&1 &
	sendmail_pid=$!
	wait_until 30 port_answers "$port" ||
	    fail "Sendmail does not listen: $(cat sm/out)"
}

stop_sendmail() {
	local children
	[ -n "$sendmail_pid" ] || return 0
	children=$(pgrep -P "$sendmail_pid")
	kill "$sendmail_pid" $children && wait "$sendmail_pid"
	sendmail_pid=
} 2>/dev/null
at_exit+=(stop_sendmail)
