#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bodies that mail systems like to change on their way: signed and signed and
# encrypted, behind a server that does not take 8-bit mail, each verifies, and
# its content is what was sent.
. "$(dirname "$0")/../lib/testlib.sh"

configure <<-'EOF'
default {
    sign    = prefer
    encrypt = prefer
}
EOF
make_store
import_key alice
import bob
start_daemon
start_sink --no-8bitmime
start_postfix

# mail NAME CONTENT-FIELDS <BODY, with printf's escapes in both.
mails=()
mail() {
	{
		printf '%s\n' "From: alice@example.org" \
		    "To: bob@example.net" "Subject: $1" "MIME-Version: 1.0"
		printf "$2\n\n"
		cat
	} >"$1.eml"
	mails+=("$1")
}

mail utf-8-8bit 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit' \
    <<<$'Gr\u00fc\u00dfe aus K\u00f6ln \u2014 \u20ac 20'
mail latin-1-8bit 'Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit' \
    <<<$'Gr\xfc\xdfe'
mail binary-attachment 'Content-Type: multipart/mixed; boundary=frontier' <<EOF
--frontier
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Die Pläne liegen bei.
--frontier
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename=plans.bin

$(head -c 3000 /dev/urandom | base64)
--frontier--
EOF
mail empty-body 'Content-Type: text/plain' </dev/null
mail no-final-line-end 'Content-Type: text/plain' < <(printf 'the end')
mail trailing-blanks 'Content-Type: text/plain' \
    < <(printf 'blanks   \ntab\t\n-- \nsig\n\n\n')
mail from-line 'Content-Type: text/plain' \
    < <(printf 'First.\nFrom here on\n>From there\nFrom\n')
mail dots 'Content-Type: text/plain' < <(printf '.\n..\n.end\n')
mail long-line 'Content-Type: text/plain' \
    < <(printf '%02000d\n' 7)
mail no-mime-fields 'X-Nothing: here' <<<'Plain and simple.'
mail utf-8-unlabelled 'X-Nothing: here' <<<$'Gr\u00fc\u00dfe'
mail preamble 'Content-Type: multipart/mixed; boundary="=_x"' <<'EOF'
This is a preamble.
--=_x

One
--=_x
Content-Type: text/html

<p>Two</p>
--=_x--
This is an epilogue.
EOF

# What a mail system may change stands nowhere in what is signed.
expect_sturdy() {
	if LC_ALL=C tr -d '\r' <"$1" | grep -nE '^From |[ 	]$' >"$T/weak"; then
		fail "$name: signed as it is: $(cat "$T/weak")"
	fi
}

arrived=0
for name in "${mails[@]}"; do
	echo "$name"

	# To Carol, whose certificate is unknown: signed.
	send --login alice@example.org --to carol@example.net "$name.eml"
	expect_reply '^DATA 250'
	wait_for_mail $((arrived += 1))
	verify $arrived >entity
	expect_signer alice
	expect_sturdy "$T/entity"
	expect_same_content "$name.eml" "$T/entity"
	if [ "$(LC_ALL=C grep -c '[^[:print:][:space:]]' \
	    "sink/$arrived.eml")" != 0 ]; then
		fail "$name: 8-bit bytes are left"
	fi

	# To Bob: signed and encrypted.
	send --login alice@example.org --to bob@example.net "$name.eml"
	expect_reply '^DATA 250'
	wait_for_mail $((arrived += 1))
	decrypt bob $arrived >inner
	verify "$T/inner" >entity
	expect_sturdy "$T/entity"
	expect_same_content "$name.eml" "$T/entity"
done
