#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The mails of tests/corpus on the other ways: through Postfix in two passes,
# which gives the author another address when all is signed, to a server that
# takes 8-bit mail ("split"), and through Sendmail to one that does not
# ("sendmail").  Every twentieth is sent.  SMIME_LONG=1 sends all, and once more
# ("dkim") with OpenDKIM behind us to a server that takes 7-bit mail in lines of
# 998 bytes, where its signature holds, too.
. "$(dirname "$0")/../lib/testlib.sh"
. "$lib/corpus.sh"
corpus_files 20

# Sendmail hangs up at a stray CR or LF, takes 32 KiB of header and 25 hops, and
# no name of a field over 100 bytes or boundary over 2,000.
sendmail_takes() {
	python3 - "$@" <<-'EOF'
	import os, re, sys
	NOT = ("received-200-times.eml", "field-name-of-500-bytes.eml",
	       "very-very-long-boundary.msg")
	for path in sys.argv[1:]:
	    with open(path, "rb") as f:
	        mail = f.read()
	    header = re.split(rb"\r\n\r\n", mail, maxsplit=1)[0]
	    if not re.search(rb"\r(?!\n)|(?<!\r)\n", mail) and \
	            len(header) < 30000 and os.path.basename(path) not in NOT:
	        print(path)
	EOF
}

# with_dkim: each mail that arrived has a DKIM signature that holds.
with_dkim() {
	without_dkim sink/*.eml >undone && [ ! -s undone ] ||
	    fail "of $(ls sink/*.eml | wc -l) mails these have no DKIM" \
	    "signature that holds: $(cat undone)"
}

case ${1:-all} in
all)
	ways='sendmail split'
	[ -z "${SMIME_LONG:-}" ] || ways+=' dkim'
	for way in $ways; do
		"$TEST_SOURCE/tests/journey/${0##*/}" $way || [ $? = 77 ] ||
		    fail "$way"
	done ;;
sendmail)
	. "$lib/sendmail.sh"
	# What Sendmail would repair, and break.
	[ -n "${SMIME_LONG:-}" ] ||
	    files+=("$corpus"/{end-boundary-missing,line-of-998-bytes}.eml)
	mapfile -t files < <(sendmail_takes "${files[@]}")
	[ ${#files[@]} -ge 5 ] || fail "only ${#files[@]} mails are left"
	corpus_store
	start_sink --no-8bitmime
	start_sendmail
	pass_corpus ;;
split)
	corpus_store stamp seal
	start_sink
	start_postfix --layout split "${corpus_settings[@]}" \
	    "smtp_generic_maps = inline:{ { alice@example.org =\
	    alice@public.example.org } }"
	pass_corpus ;;
dkim)
	. "$lib/dkim.sh"
	start_dkim
	corpus_store stamp seal
	start_sink --no-8bitmime
	make_postfix --layout split "${corpus_settings[@]}" \
	    'smtp_line_length_limit = 998'
	add_dkim
	run_postfix
	pass_corpus
	with_dkim ;;
esac
