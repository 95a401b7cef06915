#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The mails of tests/corpus on the other ways: through Postfix in two passes,
# which gives the author another address when all is signed, to a server that
# takes 8-bit mail, and through Sendmail to one that does not.  Every twentieth
# is sent; SMIME_LONG=1 sends all.
. "$(dirname "$0")/../lib/testlib.sh"
. "$lib/corpus.sh"
corpus_files 20

# Sendmail hangs up at a stray CR or LF, and takes 32 KiB of header.
sendmail_takes() {
	python3 - "$@" <<-'EOF'
	import re, sys
	for path in sys.argv[1:]:
	    with open(path, "rb") as f:
	        mail = f.read()
	    header = re.split(rb"\r\n\r\n", mail, maxsplit=1)[0]
	    if not re.search(rb"\r(?!\n)|(?<!\r)\n", mail) and \
	            len(header) < 30000:
	        print(path)
	EOF
}

if [ "${1:-}" = sendmail ]; then
	. "$lib/sendmail.sh"
	mapfile -t files < <(sendmail_takes "${files[@]}")
	[ ${#files[@]} -ge 5 ] || fail "only ${#files[@]} mails are left"
	corpus_store
	start_sink --no-8bitmime
	start_sendmail
else
	"$TEST_SOURCE/tests/journey/${0##*/}" sendmail || [ $? = 77 ] || fail "through Sendmail"
	corpus_store stamp seal
	start_sink
	start_postfix --layout split "${corpus_settings[@]}" \
	    "smtp_generic_maps = inline:{ { alice@example.org =\
	    alice@public.example.org } }"
fi
pass_corpus
