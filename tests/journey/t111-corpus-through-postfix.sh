#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The mails of tests/corpus through a real Postfix, in one pass, to a server that
# takes no 8-bit mail.  Every seventh is sent; SMIME_LONG=1 sends all.
. "$(dirname "$0")/../lib/testlib.sh"
. "$lib/corpus.sh"

corpus_store
start_sink --no-8bitmime
start_postfix "${corpus_settings[@]}"
corpus_files 7
pass_corpus
