# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# A DKIM signer behind the filter, after testlib.sh: OpenDKIM signs, Python's
# dkim verifies.

command -v opendkim >/dev/null || skip "OpenDKIM is not installed"
/usr/bin/python3 -c 'import dkim' 2>/dev/null || skip "Python has no dkim module"

# start_dkim: for example.org, on $dkim_port.
start_dkim() {
	openssl genrsa -out dkim.key 2048 2>/dev/null
	chmod 600 dkim.key
	openssl rsa -in dkim.key -pubout -outform DER 2>/dev/null |
	    base64 -w 0 >dkim.pub
	dkim_port=$(free_port)
	cat >opendkim.conf <<-EOT
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
	EOT
	opendkim -f -x opendkim.conf >opendkim.out 2>&1 &
	dkim_pid=$!
	at_exit+=(stop_dkim)
	wait_until 10 port_answers "$dkim_port" ||
	    fail "OpenDKIM: $(cat opendkim.out)"
}
stop_dkim() {
	kill "$dkim_pid"
	wait "$dkim_pid"
}

# add_dkim: Postfix's last service that asks us asks OpenDKIM after us.
add_dkim() {
	local name
	name=$(postconf -c etc -P |
	    sed -n 's|\(.*/inet/smtpd_milters\) = .*|\1|p' | tail -n 1)
	postconf -c etc -P \
	    "$name=$(postconf -c etc -Ph "$name"),inet:127.0.0.1:$dkim_port"
}

# without_dkim FILE...: those whose DKIM signature does not hold, and why.
without_dkim() {
	/usr/bin/python3 - "$@" <<-'EOT'
	import dkim, sys
	with open("dkim.pub", "rb") as f:
	    key = b"v=DKIM1; k=rsa; p=" + f.read()
	for path in sys.argv[1:]:
	    with open(path, "rb") as f:
	        mail = dkim.DKIM(f.read())
	    try:
	        why = "" if mail.verify(dnsfunc=lambda *a, **k: key) else \
	            "does not verify"
	    except dkim.DKIMException as error:
	        why = str(error)
	    if why:
	        print(path + ": " + why)
	EOT
}
