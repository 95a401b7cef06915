#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tarball has every file that git knows, builds where there is no git, and
# its tests and the demonstration run.
. "$(dirname "$0")/../lib/testlib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL SMIME_LONG

make -s -C "$TEST_BUILD" distdir distdir="$T/tree" >dist.out 2>&1 ||
    fail "make distdir: $(tail dist.out)"
# Elsewhere than in a clone there is nothing to compare with.
git -C "$TEST_SOURCE" ls-files 2>/dev/null |
    grep -vE '^(\.ci/|\.gitignore$)' | while read -r file; do
	[ -e "tree/$file" ] || echo "$file"
done >missing
[ ! -s missing ] || fail "not in EXTRA_DIST: $(cat missing)"

make -s -C tree check TESTS="tests/layering.sh tests/unit/test-config" \
    >check.out 2>&1 || fail "make check: $(tail -n 40 check.out)"
grep -qx '2 passed, 0 failed, 0 skipped' check.out ||
    fail "make check: $(tail -n 40 check.out)"
make -s -C tree demo >demo.out 2>&1 || fail "make demo: $(tail -n 40 demo.out)"
grep -q 'signed, encrypted, opened and verified' demo.out ||
    fail "make demo: $(tail -n 40 demo.out)"
