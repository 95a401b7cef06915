#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A thousand connections that are open and idle, and 200 on which mail comes
# at once: below the configured limits nobody is refused, and one that is idle
# takes little memory.
. "$(dirname "$0")/../lib/testlib.sh"

mails=1
if [ -n "${SMIME_LONG:-}" ]; then mails=100; fi
configure <<-'EOF'
max-connections = 1300
max-mails       = 200
default {
    sign    = require
    encrypt = never
}
EOF
make_store
import_key alice
start_daemon
ulimit -n 4096
filter=$(pgrep -P "$daemon_pid" -u daemon)
each=$("$lib/milter-load" crowd milter/socket "$filter" 1000 200 $mails) ||
    fail "somebody was refused"
echo "$each KiB for each idle connection"
# A sanitizer's own memory is no part of it.
[ "${each%.*}" -lt 32 ] ||
    grep -Eq '__(asan|tsan)_init' "$TEST_BUILD/milter/smime-milter" ||
    fail "an idle connection takes $each KiB"
refuse_log 'max-connections|max-mails'
[ "$(pgrep -P "$daemon_pid" -u daemon)" = "$filter" ] || fail "another filter"
