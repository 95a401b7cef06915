# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# The mails of tests/corpus through a mail system, after testlib.sh: signed for
# one recipient, encrypted for another, both for a third.  Each arrives, openssl
# opens it, and what is inside renders as what was sent; those that pass a limit
# are refused in words.

corpus=$TEST_SOURCE/tests/corpus

# corpus_store [ROLE...]: the daemon, as pass_corpus wants it.
corpus_store() {
	configure "$@" <<-'EOF'
	max-message-size = 5M
	recipients "theirs" {
	    members = { "heidi@example.net" }
	    sign    = never
	    encrypt = require
	}
	EOF
	make_store
	import_key alice
	import bob heidi
	start_daemon
}
corpus_settings=('header_size_limit = 200000' 'message_size_limit = 20000000'
    'hopcount_limit = 300')

# corpus_files STEP: sets files to each STEPth; SMIME_LONG=1 to all, and those
# of ../shared/corpus if they are there.
corpus_files() {
	local others=$TEST_SOURCE/../shared/corpus/messages
	mapfile -t files < <(printf '%s\n' "$corpus"/*.eml | LC_ALL=C sort |
	    if [ -n "${SMIME_LONG:-}" ]; then cat; else sed -n "1~$1p"; fi)
	if [ -n "${SMIME_LONG:-}" ] && [ -d "$others" ]; then
		mapfile -t -O ${#files[@]} files < <(find "$others" -type f |
		    LC_ALL=C sort)
	fi
}

# returned: what the second pass has refused comes back to alice, and is none of
# the copies that are judged.
returned() {
	local env
	mkdir -p returned
	for env in $(grep -l '^MAIL FROM:<>' sink/*.env); do
		grep -qi '^RCPT TO:<alice@' "$env" || continue
		sed -n 's/^Diagnostic-Code: smtp; \(.*\)/\1/p' \
		    "${env%.env}.eml" | tr -d '\r' >>refusals.returned
		mv "$env" "${env%.env}.eml" returned/
	done
	[ ! -s refusals.returned ] ||
	    sed 's/^/returned: /' refusals.returned | sort | uniq -c
}

# pass_corpus: sends the files on $port, to three recipients each.
pass_corpus() {
	local to accepted=0
	rm -f refusals
	for to in carol@example.net heidi@example.net bob@example.net; do
		send --login alice@example.org --author alice@example.org \
		    --raw --to $to "${files[@]}"
		! grep -q LOST reply || fail "to $to: $(grep LOST reply)"
		grep -E '^(DATA|RCPT)' reply | grep -v ' 2[0-9][0-9] ' \
		    >>refusals
		accepted=$((accepted + $(grep -c '^DATA 2' reply)))
	done
	wait_until 120 mail_arrived $accepted ||
	    fail "not all $accepted mails arrived"
	returned

	python3 "$TEST_SOURCE/tests/interop/judge.py" --sink sink --pki "$pki" \
	    --signed carol@example.net --sealed heidi@example.net \
	    --both bob@example.net "${files[@]}" >verdict ||
	    fail "$(cat verdict)"
	tail -n 1 verdict

	# Refused is what EXPECTED says, where it would have been signed.
	sed -n 's/: refused$//p' "$corpus/EXPECTED" >refused
	echo 'stack-overflow.txt' >>refused	# a To of 135 KB
	grep '^did not arrive: ' verdict | grep -vFf refused >unexpected &&
	    fail "these did not arrive: $(cat unexpected "$T/refusals")"
	! grep -v '^DATA 5[0-9][0-9] 5\.[0-9.]* ' refusals ||
	    fail 'that is no refusal for good'
	sort refusals | uniq -c
}
