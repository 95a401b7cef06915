#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The daemon under mail, while its vault is killed, certificates come and go and
# clients hang up: some seconds, or a minute in make check-long.
# tests/soak.sh 60 is the hour that it is for.
export TEST_SOURCE=${TEST_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
minutes=0.07
if [ -n "${SMIME_LONG:-}" ]; then minutes=1; fi
exec "$TEST_SOURCE/tests/soak.sh" $minutes "$PWD/soak.tsv"
