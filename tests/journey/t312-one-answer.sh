#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# smimectl explain, smimectl seal and the milter give one answer, and it is
# that of smime-milter.conf(5), whatever configuration, envelope and header.
. "$(dirname "$0")/../lib/testlib.sh"

configurations=12 seed=1039
if [ -n "${SMIME_LONG:-}" ]; then configurations=1000 seed=$RANDOM; fi

configure </dev/null
cp smime-milter.conf common
make_store
import_key alice heidi
import bob carol dave
printf 'Content-Type: text/plain\n\nText.\n' | openssl cms -encrypt -aes256 \
    -out own.encrypted "$pki/bob.pem" || fail "openssl cms"
start_daemon
TEST_BUILD=$TEST_BUILD "$lib/one-answer" --configurations $configurations \
    --mails 8 --seed $seed <common || fail "they do not agree"
