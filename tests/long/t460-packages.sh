#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Debian's packages, built from the tarball, in a fresh Debian: they ask
# nothing, make the users, and leave the service disabled.  The filter signs a
# mail there.  A newer version finds everything as it was, and so does one that
# comes after a purge, unless that was told to remove the store as well.
. "$(dirname "$0")/../lib/testlib.sh"

for program in debootstrap dpkg-buildpackage dh lintian; do
	command -v $program >/dev/null || skip "$program is not installed"
done
# Where this machine has its own Debian from.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
    'Codename: bookworm' 'Label: Debian' | head -n 1)
[ -n "$mirror" ] || skip "apt knows no mirror of Debian 12"

root=$T/root
debian=$TEST_SOURCE/debian
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

story "each package that the build needs is named"
sed -n 's/^build[[:space:]]*//p' "$TEST_SOURCE/packages.txt" |
    grep -vxE 'gcc|libc6-dev|make|autoconf|automake' | sort >want
sed -n '/^Build-Depends:/,/^Standards/p' "$debian/control" |
    sed 's/^Build-Depends://; /^Standards/d; s/([^)]*)//g' | tr -d ' ' |
    tr , '\n' | sed '/^$/d; /^debhelper-compat$/d' | sort >got
diff want got || fail "packages.txt and debian/control differ"

story "they build, and lintian has nothing to say"
mkdir packages
make -s -C "$TEST_BUILD" distdir distdir="$T/packages/tree" >dist.out 2>&1 ||
    fail "make distdir: $(tail dist.out)"
(
	cd packages/tree &&
	DEB_BUILD_OPTIONS="noautodbgsym parallel=2" \
	    dpkg-buildpackage -us -uc -b
) >build.out 2>&1 || fail "dpkg-buildpackage: $(tail -n 40 build.out)"
lintian --allow-root --fail-on error,warning packages/*.changes \
    >lintian.out 2>&1 || fail "lintian: $(cat lintian.out)"

debootstrap --variant=minbase bookworm "$root" "$mirror" >bootstrap.out 2>&1 ||
    skip "debootstrap: $(tail -n 3 bootstrap.out | tr '\n' ' ')"

in_root() { chroot "$root" "$@"; }
# apt COMMAND...: in the fresh Debian, with nobody there to answer it.
apt() {
	in_root apt-get -q -y --no-install-recommends "$@" >apt.out 2>&1 \
	    </dev/null || fail "apt-get $*: $(tail -n 40 apt.out)"
}
installed() { in_root dpkg-query -W -f '${Version} ${db:Status-Abbrev}' "$1"; }

# repack VERSION: the packages as another version's, with another sample of the
# configuration; the same programs and scripts.
repack() {
	local deb name
	mkdir "$1"
	for deb in packages/*.deb; do
		name=$(basename "${deb%%_*}")
		dpkg-deb -R "$deb" "$1/$name" &&
		sed -i "s/^Version: .*/Version: $1/
		    s/smimectl (= [^)]*)/smimectl (= $1)/" \
		    "$1/$name/DEBIAN/control" || fail "unpack $deb"
		[ $name = smimectl ] || echo "# as of $1" >> \
		    "$1/$name/usr/share/smime-milter/smime-milter.conf"
		dpkg-deb -b --root-owner-group "$1/$name" \
		    "$root/tmp/${name}_$1.deb" >>repack.out || fail "pack $name"
	done
}

# expect_disabled: nothing starts it, at boot or with anything else.
expect_disabled() {
	[ -e "$root/lib/systemd/system/smime-milter.service" ] ||
	    fail "the unit is not there"
	[ -z "$(find "$root/etc/systemd" -name '*smime-milter*')" ] ||
	    fail "the unit is enabled: $(find "$root/etc/systemd")"
}

# state_of_all: what an upgrade must not change.
state_of_all() {
	(
		cd "$root" &&
		sha256sum etc/smime-milter/* &&
		stat -c '%n %U %G %a' etc/smime-milter/* var/lib/smime-milter
		grep -E '^smime-' etc/passwd etc/group
		in_root smimectl --json list
	)
}

# sign_a_mail: the daemon is started as the unit does it, and alice's mail
# comes out signed by her.
sign_a_mail() {
	mkdir -p "$root/run/smime-milter"
	in_root /usr/sbin/smime-milter -t >start.out 2>&1 ||
	    fail "smime-milter -t: $(cat start.out)"
	# No function: what is killed at the end has to be the daemon itself.
	chroot "$root" /usr/sbin/smime-milter -f 2>>daemon.log &
	daemon_pid=$!
	wait_until 20 test -S "$root/run/smime-milter/smime-milter.sock" ||
	    fail "the daemon does not listen"
	printf '%s\n' 'From: alice@example.org' 'To: bob@example.net' \
	    'Subject: the news' '' 'Text.' >mail
	"$TEST_BUILD/tests/lib/mta" \
	    -s "$root/run/smime-milter/smime-milter.sock" \
	    -l alice@example.org -f '<alice@example.org>' \
	    -r '<bob@example.net>' <mail >signed 2>verdict ||
	    fail "the mail was not signed: $(cat verdict)"
	verify "$T/signed" >entity
	expect_signer alice
	stop_daemon
	[ ! -e "$root/run/smime-milter/smime-milter.sock" ] ||
	    fail "the daemon did not stop"
}

story "a fresh Debian takes them, and asks nothing"
cp packages/*.deb "$root/tmp"
in_root sh -c 'apt-get -q -y install --no-install-recommends \
    /tmp/smimectl_*.deb /tmp/smime-milter_*.deb' >apt.out 2>&1 </dev/null ||
    fail "install: $(tail -n 40 apt.out)"
for user in smime-milter smime-filter; do
	in_root id $user >id.out 2>&1 || fail "there is no user $user"
done
[ "$(stat -c '%a' "$root/var/lib/smime-milter")" = 700 ] &&
[ "$(in_root stat -c '%U' /var/lib/smime-milter)" = smime-milter ] ||
    fail "the store's folder is not its user's alone"
expect_disabled
for file in bash-completion/completions/smimectl \
    zsh/vendor-completions/_smimectl smime-milter/smime-milter.rules.yml \
    smime-milter/smime-milter.conf doc/smime-milter/postfix-direct.cf; do
	[ -e "$root/usr/share/$file" ] || fail "$file is not there"
done
cmp "$TEST_SOURCE/conf/smime-milter.conf" \
    "$root/etc/smime-milter/smime-milter.conf" ||
    fail "the configuration is not the sample"

story "with a store and a listener it signs"
cat >>"$root/etc/smime-milter/smime-milter.conf" <<'EOT'
enabled = true
listener "unix:/run/smime-milter/smime-milter.sock" {
    role = direct
}
EOT
cat "$pki/alice.pem" "$pki/alice.key" >"$root/tmp/alice.pem"
cp "$pki/root.pem" "$pki/issuing.pem" "$root/tmp"
{
	in_root smimectl init &&
	in_root smimectl import /tmp/root.pem &&
	in_root smimectl import --no-trust /tmp/issuing.pem &&
	in_root smimectl import /tmp/alice.pem
} >smimectl.out 2>&1 || fail "smimectl: $(cat smimectl.out)"
sign_a_mail
state_of_all >before

story "a newer version changes nothing of that"
repack 0.9-0
apt install /tmp/smimectl_0.9-0.deb /tmp/smime-milter_0.9-0.deb
[ "$(installed smime-milter)" = "0.9-0 ii " ] ||
    fail "it was not upgraded: $(installed smime-milter)"
expect_disabled
state_of_all >after
diff before after || fail "the upgrade changed something"
sign_a_mail

story "removed and purged, the store stays, and who comes back finds it"
apt remove smime-milter
apt purge smime-milter
grep -q 'left in place: the store /var/lib/smime-milter' apt.out ||
    fail "it does not say what is left: $(cat apt.out)"
[ ! -e "$root/etc/smime-milter/smime-milter.conf" ] ||
    fail "the configuration outlived the purge"
[ -s "$root/etc/smime-milter/master.key" ] || fail "the master key is gone"
[ -z "$(find "$root/etc/systemd" "$root/var/lib/systemd" \
    -name '*smime-milter*')" ] || fail "the unit's links outlived the purge"
apt install /tmp/smime-milter_0.9-0.deb
grep -q '^# as of 0.9-0' "$root/etc/smime-milter/smime-milter.conf" ||
    fail "the configuration is not the new version's sample"
in_root smimectl --json list >list.out
grep -q 'alice@example.org' list.out || fail "the store is another one"

story "a purge that is told to removes the store and the master key"
SMIME_MILTER_PURGE_STORE=yes apt purge smime-milter smimectl
for path in etc/smime-milter var/lib/smime-milter usr/sbin/smime-milter \
    usr/bin/smimectl; do
	[ ! -e "$root/$path" ] || fail "/$path outlived the purge"
done
