#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every mail of tests/corpus is signed, encrypted, and both.  Each has to go
# the way that tests/corpus/EXPECTED names; libcrypto has to open what came
# out, and Python's email package has to find the same mail inside.
# SMIME_CORPUS names a folder of more mails, for which only the latter counts.

set -u -o pipefail
source=${TEST_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${TEST_BUILD:-$source/build}
seal=$build/tests/lib/smime-seal-file
status=0

# The verdicts without their reasons, as EXPECTED has them.
verdicts() {
	sed -nE 's|^.*/([^/]+\.eml: [a-zA-Z ]+).*|\1|p' "$1" | LC_ALL=C sort
}

mkdir own
"$seal" -k -o own "$source"/tests/corpus/*.eml >own.log || status=1
grep -v '^#' "$source/tests/corpus/EXPECTED" | LC_ALL=C sort >expected
verdicts own.log >got
diff -u expected got || status=1
python3 "$source/tests/interop/render.py" own || status=1
tail -n 1 own.log

if [ -n "${SMIME_CORPUS:-}" ]; then
	mkdir more
	find "$SMIME_CORPUS" -type f \( -name '*.eml' -o -name '*.msg' \
	    -o -name '*.txt' \) -print0 | LC_ALL=C sort -z |
	    xargs -0 "$seal" -o more >more.log || status=1
	grep FAILED: more.log
	# Python differs about two of ../shared/corpus/messages: a part with
	# nothing in it, and a boundary that is folded within its quotes.
	python3 "$source/tests/interop/render.py" more
	tail -n 1 more.log
fi
exit $status
