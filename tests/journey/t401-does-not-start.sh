#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A daemon that could not do its work does not start, and says why in a
# sentence: no configuration, a wrong one, another master key, a damaged
# store.
. "$(dirname "$0")/../lib/testlib.sh"

expect_no_start 'smime-milter\.conf'

configure <<<'sing = prefer'
expect_no_start 'smime-milter\.conf:[0-9]+:.*sing'
configure <<<'default { sign = sometimes }'
expect_no_start 'smime-milter\.conf:[0-9]+:.*sometimes'
configure <<<$'default { sign = never }\ndefault { sign = require }'
expect_no_start 'smime-milter\.conf:[0-9]+:'

# -t finds the same, with a status of its own.
"$TEST_BUILD/milter/smime-milter" -t -c "$T/smime-milter.conf" >t.out 2>&1
[ $? = 2 ] || fail "-t should exit 2"

configure </dev/null
"$TEST_BUILD/milter/smime-milter" -t -c "$T/smime-milter.conf" >t.out 2>&1 ||
    fail "-t refuses a good configuration: $(cat t.out)"
expect_no_start "store"

make_store
import_key alice
start_daemon
stop_daemon

mv master.key right.key
head -c 32 /dev/urandom >master.key
chmod 400 master.key
expect_no_start 'master.key|master key'
head -c 31 right.key >master.key
expect_no_start 'master.key.*(31|32)'
rm -f master.key
expect_no_start 'master.key'
cp right.key master.key
chmod 644 master.key
expect_no_start 'master.key'
chmod 400 master.key

# The right one again: nothing of this has harmed the store.
start_daemon
stop_daemon

find store -type f -size +0 | while read -r file; do
	head -c "$(stat -c %s "$file")" /dev/urandom | dd of="$file" \
	    conv=notrunc status=none
done
expect_no_start 'store'
