#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Through Postfix in two passes: one mail to people in To, Cc and Bcc, to one
# of them twice, to an alias, and to some without a certificate.  Each gets one
# copy that only he can read and that names nobody who is hidden.
. "$(dirname "$0")/../lib/testlib.sh"

configure stamp seal <<-'EOF'
default {
    sign    = require
    encrypt = prefer
}
EOF
make_store
import_key alice
import bob carol
make_leaf uma vera walt xena yuri m1 m2 m3
start_daemon
start_sink
cat >virtual <<-'EOF'
team@example.org m1@example.net, m2@example.net, m3@example.net,
 nocert@example.net, carol@example.net
EOF
start_postfix --layout split "virtual_alias_maps = texthash:$T/virtual" \
    'message_size_limit = 100000'

cat >mail <<-'EOF'
	From: Alice <alice@example.org>
	To: bob@example.net, carol@example.net, uma@example.net,
	 team@example.org
	Cc: vera@example.net, walt@example.net
	Bcc: xena@example.net, hidden@example.net
	Subject: To all of you
	X-SMIME-Stamp: v=1; t=1; l=; c=; s=; w=--; e=0; d=; m=
	X-SMIME-Sign: yes

	Dear all.
EOF
send --login alice@example.org --to "bob@example.net,BOB@example.net,\
carol@example.net,uma@example.net,team@example.org,vera@example.net,\
walt@example.net,xena@example.net,yuri@example.net,hidden@example.net" mail
expect_reply '^DATA 250'
with='bob carol uma vera walt xena yuri m1 m2 m3'
without='nocert hidden'
wait_for_mail 12

for name in $with; do
	number=$(copy_for "$name@example.net")
	expect_recipients "$number" "$name"
	decrypt "$name" "$number" >inner
	verify "$T/inner" >entity
	expect_signer alice
	grep -q '^Dear all' entity || fail "$name has not what was sent"
	expect_log "action=sign\+encrypt .* nrcpt=1 to=<$name@example.net> cert"
done
for name in $without; do
	number=$(copy_for "$name@example.net")
	expect_type "$number" multipart/signed
	verify "$number" >entity
	expect_log "action=sign .*to=<$name@example.net> .*\
reason=\"not encrypted: $name@example.net: no certificate\""
done

# No copy has more in it than To and Cc had, and all are copies of one mail.
# (Four letters alone stand in the base64 of one run in a hundred.)
for name in xena yuri hidden; do
	theirs=$(copy_for $name@example.net)
	[ "$(grep -l "$name@" sink/*.eml)" = "sink/$theirs.eml" ] ||
	    fail "$name is named in: $(grep -l "$name@" sink/*.eml)"
done
for copy in sink/*.eml; do
	sed '/^\r*$/q' "$copy" >fields
	! grep -Ei '^(Bcc|X-SMIME-[a-z]*):' fields ||
	    fail "$copy has a field that should have stayed here"
	grep -i '^message-id:' fields >>ids
done
[ "$(sort -u ids | wc -l)" = 1 ] && [ "$(wc -l <ids)" = 12 ] ||
    fail "the copies have not one Message-ID: $(cat ids)"
[ "$(grep -c 'action=stamp .*nrcpt=10 ' daemon.log)" = 1 ] ||
    fail "the first pass has not its line in the log"

# Postfix completes a sender before the second pass sees him, or the mail is
# refused while its sender is still there.
postconf -c etc -e 'append_dot_mydomain = yes'
touch -d '1 minute ago' etc/main.cf
postfix -c "$T/etc" reload 2>/dev/null
write_mail 'From: alice@example.org' 'To: bob@example.net'
for sender in root root@host; do
	send --login alice@example.org --from $sender --to bob@example.net mail
	expect_reply '^DATA 250'
done
wait_for_mail 14
for sender in root@mx.example.org root@host.example.org; do
	[ "$(grep -l "^MAIL FROM:<$sender>" sink/1[34].env | wc -l)" = 1 ] ||
	    fail "no mail of $sender: $(cat sink/1[34].env)"
done
send --login alice@example.org --from host!root --to bob@example.net mail
expect_reply '^DATA 5.*the sender of the envelope, host!root, has no domain'

# Nor does Postfix change a mail in between.
write_mail 'From: alice@example.org' 'To: bob@example.net' \
    "References:$(printf '\n <%s@example.org>' {10000..12900})"
send --login alice@example.org --to bob@example.net mail
expect_reply '^DATA 5.*the field References has more than 59000 bytes'

# What submission has taken is not too large because it was encrypted.
{
	printf '%s\n' 'From: alice@example.org' 'To: bob@example.net' \
	    'Subject: Much' ''
	yes 'Much text, and all of it is wanted.' | head -c 90000
} >much
send --login alice@example.org --to bob@example.net much
expect_reply '^DATA 250'
wait_for_mail 15
[ "$(wc -c <sink/15.eml)" -gt 100000 ] || fail "the mail has not grown"
decrypt bob 15 >inner
verify "$T/inner" >entity
expect_signer alice
