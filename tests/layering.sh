#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The arrows between the folders, and the one doorway of each library, read
# from the include lines (HACKING.md).  Prints each line that breaks a rule.

set -u
shopt -s nullglob lastpipe
cd "$(dirname "$0")/.." || exit 1
broken=0

# includes PATTERN FILE...: "file:line:include" for what a pattern names.
includes() {
	local pattern=$1
	shift
	grep -EHn "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$pattern" \
	    "$@" /dev/null
}

refuse() {
	local lines
	lines=$(cat)
	[ -n "$lines" ] || return 0
	printf '%s:\n%s\n' "$1" "$lines"
	broken=1
}

# folder FOLDER OTHER...: FOLDER includes itself and these others only.
folder() {
	local folder=$1 allowed
	allowed=$(IFS='|'; echo "$*")
	includes '' "$folder"/*.[ch] | grep '"' | grep -Ev "\"($allowed)/" |
	    refuse "$folder/ may include only: $*"
}

# doorway HEADER FILE...: only these files include HEADER.
doorway() {
	local header=$1 pattern
	shift
	pattern=$(IFS='|'; echo "$*" | sed 's/\./\\./g; s/\*/[^:]*/g')
	includes "$header" {base,store,policy,smime,milter,tools}/*.[ch] |
	    grep -Ev "^($pattern):" | refuse "<$header> belongs in $*"
}

folder base
folder store base
folder policy base
folder smime base
folder milter base store policy smime
folder tools base store policy smime milter

doorway 'db\.h' store/store.c store/table.c
doorway 'confuse\.h' policy/config_parse.c
doorway 'gmime/' smime/canon_gmime.c smime/address.c
doorway 'libmilter/' milter/callbacks.c milter/filter.c
doorway 'idn2\.h' base/addr.c
doorway 'jansson\.h' 'tools/*'
doorway 'microhttpd\.h' milter/metrics.c
doorway 'seccomp\.h' 'milter/*'
doorway 'systemd/' 'milter/*'

doorway 'openssl/' 'base/*' 'store/*' 'smime/*' 'milter/*' 'tools/*'

# smimectl shares the journey and the vault's client with the daemon, and is
# no milter.
includes 'milter/(callbacks|filter|session|supervisor)\.h' tools/*.[ch] |
    refuse "tools/ may not include"

# Logs are written by the daemon and the tool.
grep -En '\b(syslog|v?fprintf|perror|warnx?|errx?) *\(' \
    {store,policy,smime}/*.c /dev/null | grep -v ':[[:space:]]*[/ ]\*' |
    refuse "store/, policy/ and smime/ do not log or print"

[ $broken = 0 ] && echo "every include line follows its arrow"
exit $broken
