#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whoever reaches the second pass without having been through the first gets
# nothing signed: forged, altered, borrowed and old stamps are refused, mail
# without a stamp is nobody's, and no stamp leaves the host.
. "$(dirname "$0")/../lib/testlib.sh"

options='
default {
    sign    = prefer
    encrypt = prefer
}
recipients "closed" {
    members = { "@closed.example" }
    encrypt = require
}'
configure stamp seal <<<"$options"
make_store
import_key alice judy
start_daemon
start_sink
# A relay that takes what cannot be delivered is no second pass.
start_postfix --layout split "smtp_fallback_relay = [127.0.0.1]:$(cat sink/port)"

# stamp LOGIN FILE: the mail as the first pass hands it to Postfix.
stamp() {
	"$TEST_BUILD/tests/lib/mta" -s "$(socket_of stamp)" -l "$1" \
	    -f "<$1>" -r '<bob@example.net>' <"$2" >stamped 2>mta.out ||
	    fail "the first pass: $(cat mta.out)"
	grep -q '^X-SMIME-Stamp: v=1; ' stamped || fail "there is no stamp"
}
# inject [--from ADDRESS] FILE...: to the second pass, past the first.
inject() {
	local from=alice@example.org
	[ "$1" != --from ] || { from=$2; shift 2; }
	"$lib/smtp-send" --port "$seal_port" --from "$from" \
	    --to bob@example.net "$@" >"$T/reply" 2>&1
}
# attack NAME SED-PROGRAM: what it makes of the stamped mail is kept for ...
attack() {
	sed -E "$2" stamped >"$attacks/$1"
	! cmp -s stamped "$attacks/$1" || fail "$1: it changes nothing"
}
# ... expect_refused [--from ADDRESS] FILE...: each of them is refused.
refused=0
each_is_logged() { [ "$(grep -c 'action=reject .*stamp' daemon.log)" = $refused ]; }
expect_refused() {
	local n=$#
	[ "$1" != --from ] || n=$(($# - 2))
	inject "$@"
	refused=$((refused + n))
	[ "$(grep -c '^DATA 550 5\.7\.1 .*stamp' reply)" = "$n" ] ||
	    fail "not all is refused: $(grep '^DATA' reply | cat -n)"
	wait_until 10 each_is_logged ||
	    fail "there is no line in the log for each"
}

printf '%s\n' "From: alice@example.org" "To: bob@example.net" \
    "Cc: carol@example.net" "Subject: The offer" \
    "Date: Wed, 25 Nov 2026 10:00:00 +0000" \
    "Content-Type: text/plain" "" "The text." >mail
sed 's/^From: alice/From: judy/' mail >judys
stamp judy@example.org judys
borrowed=$(sed -n 's/^X-SMIME-Stamp: \([^\r]*\).*/\1/p' stamped)
stamp alice@example.org mail
attacks=attacks
mkdir $attacks

# The mail is another's.
attack "another From" 's/^From: alice/From: judy/'
attack "another name" 's/^From: /From: Boss /'
attack "two From" 's/^(To: .*)/\1\nFrom: judy@example.org\r/'
attack "a Sender" 's/^(To: .*)/\1\nSender: judy@example.org\r/'
attack "another To" 's/^To: bob/To: eve/'
attack "a To more" 's/^(To: .*)/\1\nTo: eve@example.net\r/'
attack "another Cc" 's/^Cc: carol/Cc: eve/'
attack "no Cc" '/^Cc:/d'
attack "another Subject" 's/^(Subject: The) offer/\1 order/'
attack "no Subject" '/^Subject:/d'
attack "another Date" 's/10:00:00/10:00:01/'
attack "another Message-ID" 's/^(Message-ID: <)./\1x/'
attack "another type" 's/text.plain/text\/html/'
attack "an encoding" 's/^(To: .*)/\1\nContent-Transfer-Encoding: base64\r/'
attack "another body" 's/^The text/No text/'
attack "no body" '$d'
attack "a body behind" '$s/$/\nPS: the other text.\r/'

# The stamp is.
attack "another time" 's/(t=1[0-9]*)9;/\18;/; t; s/(t=1[0-9]*).;/\19;/'
attack "another login" 's/l=YWxpY2V/l=anVkeUB/'
attack "no login" 's/l=[^;]*/l=/'
attack "another client" 's/c=[^;]*/c=bG9jYWw/'
attack "another sender" 's/; s=[^;]*/; s=anVkeUBleGFtcGxlLm9yZw/'
attack "whom to encrypt to" 's/; e=1;/; e=0;/; t; s/; e=0;/; e=1;/'
attack "another wish" 's/w=--/w=n-/'
attack "another version" 's/v=1/v=2/'
attack "another digest" 's/d=[^;]*/d=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/'
attack "another MAC" 's/m=_/m=A/; t; s/m=./m=_/'
attack "no MAC" 's/; m=[^\r]*//'
attack "empty" 's/^(X-SMIME-Stamp:).*/\1 \r/'
attack "folded" 's/; d=/;\r\n d=/'
attack "blanks" 's/; d=/;  d=/'
attack "words behind" 's/^(X-SMIME-Stamp:[^\r]*)/\1; x=1/'
attack "a comment" 's/^(X-SMIME-Stamp:)/\1 (ours)/'
attack "two, the same" 's/^(X-SMIME-Stamp:.*)/\1\n\1/'
attack "two, the second empty" 's/^(X-SMIME-Stamp:.*)/\1\nx-smime-stamp: v=1\r/'
attack "huge" "s/l=/l=$(printf 'A%.0s' {1..50000})/"

# It is another mail's, or made with a key of one's own.
attack "a borrowed one" "s/^(X-SMIME-Stamp: )[^\r]*/\1$borrowed/"
text=$(sed -n 's/^X-SMIME-Stamp: \(.*\); m=.*/\1/p' stamped)
mac=$(printf 'X-SMIME-Stamp:%s' "$text" |
    openssl dgst -sha256 -hmac "a key of one's own" -binary |
    base64 | tr '+/' '-_' | tr -d '=\n')
attack "a foreign key" "s/m=[^\r]*/m=$mac/"

expect_refused $attacks/*
expect_refused --from judy@example.org stamped
expect_refused --from '' stamped

# No stamp: nobody's mail, which is not signed.
sed '/^X-SMIME-Stamp/d' stamped >none.eml
inject none.eml
expect_reply '^DATA 250'
wait_for_mail 1
expect_type 1 text/plain
expect_log 'action=none .*to=<bob@example.net> .*no stamp'

# A stamp submitted with a mail is not the first pass's, whoever logs in.
stamp alice@example.org mail
send --login judy@example.org --from judy@example.org \
    --to bob@example.net stamped
expect_reply '^DATA 250'
wait_for_mail 2
expect_type 2 text/plain
! has_field 2 X-SMIME-Stamp || fail "a stamp has left the host"

# The one that all the others were made from is good.
inject stamped
expect_reply '^DATA 250'
wait_for_mail 3
expect_type 3 multipart/signed
verify 3 >entity
expect_signer alice
! has_field 3 X-SMIME-Stamp || fail "a stamp has left the host"

# One recipient who cannot be encrypted to is refused alone; what is returned
# for him has no stamp either.
send --login alice@example.org --to bob@example.net,x@closed.example mail
expect_reply '^DATA 250'
wait_for_mail 5
verify "$(copy_for bob@example.net 4)" >entity
bounce=$(copy_for alice@example.org)
grep -q 'encrypt to x@closed.example: no certificate' sink/$bounce.eml ||
    fail "the sender is not told why"
grep -q 'Subject: The offer' sink/$bounce.eml ||
    fail "the mail is not returned"
! grep -q 'v=1; t=' sink/$bounce.eml || fail "a stamp was returned"

# Nor has it behind more header fields than Postfix looks through by itself.
{
	printf 'From: alice@example.org\nSubject: To many\nTo: x@closed.example'
	for ((i = 0; i < 2500; i++)); do
		printf ',\n person-number-%d@example.net' $i
	done
	printf '\n\nDear all.\n'
} >many
send --login alice@example.org --to x@closed.example many
expect_reply '^DATA 250'
wait_for_mail 6
grep -q 'Subject: To many' sink/6.eml && [ "$(wc -c <sink/6.eml)" -gt 55000 ] ||
    fail "the fields are not returned"
! grep -q 'v=1; t=' sink/6.eml || fail "a stamp was returned"

# While the second pass is away mail waits: it takes no other way.
was_tried() {
	sed "1,${lines}d" maillog >maillog.new
	grep -Eq "smimehop/smtp.* status=(deferred|sent)" maillog.new &&
	    [ -z "$(ls -A queue/active)" ]	# which a flush passes over
}
lines=$(wc -l <maillog)
mv "$(socket_of seal)" "$(socket_of seal).away"
send --login alice@example.org --to bob@example.net mail
expect_reply '^DATA 250'
wait_until 15 was_tried || fail "the second pass was not tried"
mv "$(socket_of seal).away" "$(socket_of seal)"
postqueue -c "$T/etc" -f || fail "postqueue"
wait_for_mail 7
verify 7 >entity
expect_signer alice

# With another master key: mail that was stamped before it is still sealed.
stamp alice@example.org mail
smimectl rewrap >rewrap.out 2>&1 || fail "rewrap: $(cat rewrap.out)"
inject stamped
expect_reply '^DATA 250'
wait_for_mail 8
verify 8 >entity
expect_signer alice
stamp alice@example.org mail
inject stamped
expect_reply '^DATA 250'
wait_for_mail 9
verify 9 >entity

# Too old.
configure stamp seal <<<"stamp-lifetime = 1s $options"
kill -HUP "$daemon_pid"
expect_log 'configuration reloaded'
stamp alice@example.org mail
sleep 3
expect_refused stamped
expect_log 'more than stamp-lifetime allows'
echo "$refused attacks"
