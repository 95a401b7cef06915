#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lint.sh [BUILD]: what clang's analyzer, cppcheck and mandoc find: nothing, but for
# what is in tests/lint.suppress with the reason why it is no fault.
set -u
cd "$(dirname "$0")/.." || exit 1
found=$(mktemp)
trap 'rm -f "$found"' EXIT
passed=0 failed=0 skipped=0

# lint TOOL COMMAND...: what it prints are its findings.
lint() {
	local tool=$1
	shift
	if ! command -v "$tool" >/dev/null; then
		echo "skipped  $tool is not installed"
		skipped=$((skipped + 1))
		return
	fi
	"$@" >"$found" 2>&1
	if [ -s "$found" ]; then
		cat "$found"
		echo "FAILED   $tool"
		failed=$((failed + 1))
	else
		echo "ok       $tool"
		passed=$((passed + 1))
	fi
}

includes=(-I. -I"${1:-build}" -D_GNU_SOURCE -DSYSCONFDIR='""' -DLOCALSTATEDIR='""')
sources=({base,store,policy,smime,milter,tools}/*.c)

analyze() {
	local libraries
	libraries=$(pkg-config --cflags gmime-3.0 jansson libconfuse \
	    libseccomp libcrypto libsystemd) || return
	# shellcheck disable=SC2086	# they are words
	printf '%s\0' "${sources[@]}" | xargs -0 -n 4 -P "$(nproc)" \
	    clang --analyze -Xclang -analyzer-output=text -std=gnu11 -w \
	    "${includes[@]}" $libraries
}

lint clang analyze
lint cppcheck cppcheck --quiet -j "$(nproc)" --inline-suppr \
    --enable=warning,performance,portability \
    --suppressions-list=tests/lint.suppress "${includes[@]}" "${sources[@]}"
lint mandoc mandoc -T lint -W warning milter/*.8 tools/*.8 conf/*.5

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
