#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the Tab key offers in bash: every command, every option that the command
# takes, and the addresses in the store.
. "$(dirname "$0")/../lib/testlib.sh"

make_store
import bob heidi
mkdir bin
cat >bin/smimectl <<-EOF
	#!/bin/sh
	exec "$TEST_BUILD/tools/smimectl" "\$@"
	EOF
chmod 755 bin/smimectl
PATH=$T/bin:$PATH

# offers WORD...: what is offered for the last WORD, one on each line.
offers() {
	bash -c '. "$0"
	    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	    COMP_WORDBREAKS=${COMP_WORDBREAKS//@/}
	    _smimectl
	    printf "%s\n" "${COMPREPLY[@]}"' \
	    "$TEST_SOURCE/tools/completion/smimectl" smimectl "$@" 2>&1 | sort
}
expect() {
	local wanted=$1
	shift
	[ "$(offers "$@" | paste -sd' ')" = "$wanted" ] ||
	    fail "for $*: $(offers "$@"), not $wanted"
}

expect 'import init' i
expect 'explain export' -c "$T/smime-milter.conf" ex
expect '--cas' list --c
expect '--crls' remove --c
expect '--legacy' export --p12 --l
expect 'bob@example.net' -c "$T/smime-milter.conf" show b
expect 'heidi@example.net heidi@example.org' -c "$T/smime-milter.conf" \
    list --address h
expect '' -c "$T/smime-milter.conf" show zoe
expect '' nonsense --x

# Everything that the manual has.
man=$TEST_SOURCE/tools/smimectl.8
offers '' >commands
for command in $(sed -n 's/^\.Ss \([a-z]*\).*/\1/p' "$man"); do
	grep -qx "$command" commands || fail "no $command: $(cat commands)"
	offers "$command" - >options
	for option in $(sed -n "/^\.Ss $command/,/^\.Bd/s/^\.It Fl -\([a-z0-9-]*\).*/\1/p" \
	    "$man"); do
		grep -qx -e "--$option" options ||
		    fail "$command lacks --$option: $(cat options)"
	done
done

# In zsh, at a terminal: what was begun is completed, and then run.
command -v zsh >/dev/null || skip "bash completes; zsh is not here"
cat >keys <<-'EOF'
	zmodload zsh/zpty
	type_keys() { zpty -n -w shell "$1"; }
	zpty shell zsh -f -i
	type_keys "fpath=($TEST_SOURCE/tools/completion \$fpath)"$'\n'
	type_keys $'autoload -Uz compinit && compinit -D -u && stty -echo\n'
	type_keys $'smimectl ini\t--help; echo "<1:$?>"\n'
	type_keys $'smimectl remove --cr\t</dev/null; echo "<2:$?>"\n'
	type_keys "smimectl -c $T/smime-milter.conf sho"$'\tb\t; echo "<3:$?>"\n'
	type_keys $'exit\n'
	while zpty -r shell line; do print -r -- "$line"; done
EOF
TEST_SOURCE=$TEST_SOURCE T=$T timeout 60 zsh -f keys >typed 2>&1
typed() { grep -aq -e "$1" typed || fail "zsh: no $1: $(cat -v typed)"; }
typed 'usage: smimectl .* init'
typed '<1:0>'
typed 'remove .*--crls'
typed 'bob@example\.net'
typed '<3:0>'
exit 0
