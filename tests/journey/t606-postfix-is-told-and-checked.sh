#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# smimectl postfix prints what the Postfix of the other stories has, and its
# --check finds nothing wrong with that, but finds what is wrong with others.
# It reads the configuration; Postfix itself does not run.
. "$(dirname "$0")/../lib/testlib.sh"

export MAIL_CONFIG=$T/etc
# check [PATTERN]: the only finding; none without.
check() {
	smimectl postfix --check >check.out 2>&1
	local status=$?
	if [ $# = 0 ]; then
		[ $status = 0 ] && grep -qx 'nothing found' check.out ||
		    fail "it found: $(cat check.out)"
	else
		[ $status = 1 ] && grep -Eq -- "$1" check.out ||
		    fail "it should find /$1/, and found: $(cat check.out)"
	fi
}
# change SETTING...: of main.cf, or of a service with its name before; undone
# by the next.
change() {
	cp -r etc.good/. etc/
	case ${1%%=*} in
	*/*) postconf -P "$@" ;;
	*) postconf -e "$@" ;;
	esac || fail "postconf $*"
	touch -d '1 minute ago' etc/*.cf	# Postfix waits beside fresh ones
}

for layout in direct split; do
	case $layout in
	direct) configure direct </dev/null; socket=$(socket_of direct) ;;
	split) configure stamp seal </dev/null; socket=$(socket_of stamp) ;;
	esac
	[ -d store ] || make_store
	[ -d sink ] || start_sink
	start_daemon
	rm -rf etc queue data
	make_postfix --layout $layout
	rm -rf etc.good
	cp -r etc etc.good

	# What is printed is what this Postfix has, but for the tests' own.
	smimectl postfix --port "$seal_port" >printed || fail "postfix"
	sed -n '/^# ---- master.cf/,$p' printed | sed "
		s|^submission |127.0.0.1:$port |
		s|tls_security_level=encrypt|tls_security_level=none|" |
	    diff - services.cf >difference ||
	    fail "what is printed is not what works: $(cat difference)"

	check
	change 'milter_default_action = accept'
	check 'milter_default_action = accept: while the filter is away'
	change 'smtp_generic_maps = inline:{ { a@b.example = c@d.example } }'
	check '^smtp: smtp_generic_maps = .* From after the signature'
	change "127.0.0.1:$port/inet/smtpd_milters=inet:localhost:8891,unix:$socket"
	check '8891 comes before smime-milter'
	sed -i "s/^\(127.0.0.1:$port *inet *n *- *\)n/\1y/" etc/master.cf
	check "$T/queue$socket cannot be reached .*chroot"
	change 'milter_default_action = tempfail'
	chmod 600 "$socket"
	check "postfix may not connect to the socket $socket"
	stop_daemon
	check "$socket cannot be reached .*does the daemon run"
done

# With two passes there is more to do wrong.
start_daemon
change 'smimehop_destination_recipient_limit = 50'
check '^main.cf: smimehop_destination_recipient_limit is not 1'
change 'maximal_queue_lifetime = 30d'
check '^main.cf: maximal_queue_lifetime = 30d is longer than stamp-lifetime'
change 'smimehop/unix/disable_mime_output_conversion=no'
check '^smimehop: disable_mime_output_conversion = no, wanted yes'
change "127.0.0.1:$port/inet/content_filter="
check 'leave with its stamp'
cat >checks <<-'EOF'
	# REPLACE is nothing here
	/^X-Test:/ WARN we do not replace it
EOF
change "milter_header_checks = pcre:$T/checks"
check
echo '/^Content-Type:/ REPLACE Content-Type: text/plain' >>checks
check "^cleanup: milter_header_checks: pcre:$T/checks has REPLACE"
printf '%s\n' '@example.org OK' '.example.net FILTER smtp:[192.0.2.1]' >access
change "smtpd_client_restrictions = check_client_access texthash:$T/access"
check "^127.0.0.1:$port: smtpd_client_restrictions: texthash:.* has FILTER"
# Aliases that local(8) expands behind the second pass, to who must be
# encrypted to.
stop_daemon
configure stamp seal <<-'EOF'
	recipients "partner" {
	    members = { "@partner.example" }
	    encrypt = require
	}
EOF
start_daemon
echo 'local unix - n n - - local' >>etc.good/master.cf
# local_mail SETTING [DOMAIN]: mail to example.org is local, with this.
local_mail() {
	change "mydestination = ${2-example.org}" 'forward_path =' &&
	    postconf -e "$1" && touch -d '1 minute ago' etc/main.cf
}
cat >aliases <<-EOF
	# carol@partner.example is nothing here
	postmaster: root
	info:alice,
	    :include:$T/members
EOF
echo 'bob@partner.example, carol@partner.example' >members
local_mail "alias_maps = hash:$T/aliases"
check "^main.cf: alias_maps: hash:.* to bob@partner.example \(and 1 more\), .* of recipients partner does not count there; wanted virtual_alias_maps"
local_mail "alias_maps = hash:$T/aliases" localhost
check
echo 'postmaster: root' >aliases
local_mail "alias_maps = hash:$T/aliases"
check
mkdir forward
echo '\root, "bob@partner.example"' >forward/root
local_mail "forward_path = $T/none/.forward, $T/forward/\$user\${extension}"
check "^main.cf: forward_path: $T/forward/root leads to bob@partner.example, but"
change 'milter_default_action = tempfail'
sed -i "s/^127.0.0.1:$seal_port /0.0.0.0:$seal_port /" etc/master.cf
check 'others than this host can reach the second pass'
smimectl --json postfix --check >check.json
python3 -c '
import json
for found in json.load(open("check.json"))["findings"]:
    print(found["about"], found["finding"])' |
    grep -q "^0.0.0.0:$seal_port others than" ||
    fail "the JSON is not as documented: $(cat check.json)"

# No Postfix, and no sense.
MAIL_CONFIG=$T/nowhere smimectl postfix --check >check.out 2>&1
[ $? = 2 ] && grep -q 'no configuration that it can read' check.out ||
    fail "without a Postfix: $(cat check.out)"
smimectl postfix --layout sideways >check.out 2>&1
[ $? = 2 ] || fail "an unknown layout is taken"
