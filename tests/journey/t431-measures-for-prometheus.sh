#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Prometheus asks for what the daemon has counted, while mail flows; the
# sample alerts and the dashboard ask for measures that there are.
. "$(dirname "$0")/../lib/testlib.sh"
command -v prometheus >/dev/null && command -v promtool >/dev/null ||
    skip "Debian's prometheus is not installed"

samples=$TEST_SOURCE/conf/prometheus
metrics_port=$(free_port)
configure <<-EOF
metrics = "inet:$metrics_port@127.0.0.1"
default {
    encrypt = never
}
group "sales" {
    members = { "alice@example.org" }
}
EOF
make_store
import_key alice
start_daemon
printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Subject: counted" "" "Text." >mail
put() {
	"$TEST_BUILD/tests/lib/mta" -s milter/socket -f '<alice@example.org>' \
	    -r '<bob@example.net>' "$@" <mail >out 2>verdict
}

# Prometheus itself, with the alerts as they are shipped, under mail.
prometheus_port=$(free_port)
cat >prometheus.yml <<-EOF
global: { scrape_interval: 500ms, evaluation_interval: 500ms, scrape_timeout: 500ms }
rule_files: [ $samples/smime-milter.rules.yml ]
scrape_configs:
  - job_name: smime-milter
    static_configs: [ { targets: [ "127.0.0.1:$metrics_port" ] } ]
EOF
promtool check config prometheus.yml >promtool.out 2>&1 ||
    fail "the sample rules: $(cat promtool.out)"
prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
    --web.listen-address="127.0.0.1:$prometheus_port" 2>prometheus.log &
prometheus_pid=$!
stop_prometheus() {
	[ -n "$prometheus_pid" ] || return 0
	kill "$prometheus_pid" 2>/dev/null
	wait "$prometheus_pid"
	prometheus_pid=
}
trap 'status=$?; stop_prometheus; (exit $status); on_exit' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
	put -l alice@example.org || fail "not signed: $(cat verdict)"
	put || fail "not taken: $(cat verdict)"
done

# query EXPRESSION: the values that Prometheus finds, in one line.
query() {
	curl -sfG "http://127.0.0.1:$prometheus_port/api/v1/query" \
	    --data-urlencode "query=$1" | python3 -c '
import json, sys
print(*(r["value"][1] for r in json.load(sys.stdin)["data"]["result"]))'
}
finds() { [ "$(query "$1" 2>/dev/null)" = "$2" ]; }
expect() {
	wait_until 60 finds "$1" "$2" ||
	    fail "$1: $(query "$1"), not $2 $(tail -n 3 prometheus.log)"
}
expect 'smime_milter_mails_total{action="sign",reason="none"}' 10
expect 'smime_milter_mails_total{action="none",reason="sender"}' 10
expect 'smime_milter_group_mails_total{group="sales",action="sign"}' 10
expect 'smime_milter_mail_seconds_count' 20
expect 'smime_milter_mail_seconds_bucket{le="+Inf"}' 20
expect 'smime_milter_keys' 1
expect 'smime_milter_connections' 0
expect 'smime_milter_limits_total{limit="max-mails"}' 0
expect 'smime_milter_spool_bytes{where="disk"}' 0
expect 'smime_milter_next_expiry_time_seconds > bool time()' 1
expect 'up{job="smime-milter"}' 1

# What the samples ask for is there.
grep -oh 'smime_milter_[a-z_]*' "$samples"/* | sort -u >asked
url=http://127.0.0.1:$metrics_port
curl -sf "$url/metrics" >page || fail "no metrics"
{
	sed -n 's/^\(smime_milter_[a-z_]*\)[{ ].*/\1/p' page
	# A histogram by its own name, and what the alerts are called.
	sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' page
} | sort -u >told
comm -23 asked told >missing
[ ! -s missing ] || fail "the samples ask for what is not: $(cat missing)"
[ "$(wc -l <asked)" -gt 10 ] || fail "the samples ask for nothing"
# And what is there is in the manual.
sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' page | while read -r name; do
	grep -q "$name" "$TEST_SOURCE/milter/smime-milter.8" || echo "$name"
done >missing
[ ! -s missing ] || fail "not in smime-milter(8): $(cat missing)"
promtool check metrics <page >promtool.out 2>&1 ||
    fail "promtool: $(cat promtool.out)"

# Nothing else is served, and nothing else does harm.
code() { curl -s -o page -w '%{http_code}' "$@"; }
[ "$(code "$url/")" = 404 ] || fail "/: $(cat page)"
[ "$(code --path-as-is "$url/metrics/../store")" = 404 ] || fail "a way out"
[ "$(code -d x=1 "$url/metrics")" = 405 ] || fail "POST: $(cat page)"
[ "$(code -X GET -d x=1 "$url/metrics")" = 200 ] || fail "a body"
[ "$(code -I "$url/metrics")" = 200 ] || fail "HEAD"
[ "$(code -H "X: $(head -c 60000 /dev/zero | tr '\0' x)" "$url/metrics")" \
    != 200 ] || fail "a field of 60000 bytes"
head -c 100000 /dev/urandom 2>/dev/null >"/dev/tcp/127.0.0.1/$metrics_port"
[ "$(code "$url/metrics")" = 200 ] || fail "no metrics after garbage"

# Its process has no rights, and is replaced if it dies.
pid=$(sed -n 's/.*_start_time_seconds{process="metrics",pid="\([0-9]*\)".*/\1/p' page)
grep -q '^Seccomp:.*2$' "/proc/$pid/status" || fail "no seccomp filter"
grep -q '^CapEff:.*0000000000000000$' "/proc/$pid/status" ||
    fail "it has capabilities"
kill -KILL "$pid"
again() { [ "$(code "$url/metrics")" = 200 ]; }
wait_until 10 again || fail "it did not come back"
expect_log 'metrics died of signal 9; it is started again'
expect 'smime_milter_process_restarts_total{process="metrics"}' 1
expect 'smime_milter_mails_total{action="sign",reason="none"}' 10
stop_prometheus

# A unix socket, which goes with the daemon; no other network.
stop_daemon
sed -i "s|^metrics.*|metrics = \"unix:$T/metrics\"|" smime-milter.conf
start_daemon
curl -sf --unix-socket metrics http://localhost/metrics >page &&
    grep -q '^smime_milter_mails_total{action="sign",reason="none"} 0$' page ||
    fail "no metrics at the unix socket"
stop_daemon
[ ! -e metrics ] || fail "the socket is left behind"
echo text >metrics
expect_no_start "metrics: there is a file at $T/metrics, which is no socket"
[ "$(cat metrics)" = text ] || fail "somebody's file is gone"
sed -i 's|^metrics.*|metrics = "inet:9889@192.0.2.1"|' smime-milter.conf
expect_no_start 'smime-milter.conf:[0-9]+: metrics: found .*, wanted a unix socket or a loopback address'
