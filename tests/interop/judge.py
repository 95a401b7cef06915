#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is what arrived what was sent, once it is opened?

Usage: judge.py --sink DIR --pki DIR --signed ADDRESS --sealed ADDRESS
                --both ADDRESS FILE...

FILE number N, from 1, was sent by smtp-send with "X-Count: N" on top, as
alice, to each of the three addresses; DIR/M.eml and M.env are what arrived
(smtp-sink).  What came to --signed has to be signed by alice, what came to
--sealed (an address of the tests' PKI) to be encrypted, what came to --both to be
both; unless the mail is itself signed or encrypted by somebody.  openssl opens
it, and Python's email package (render.py) has to find the same as in FILE.
Nothing in it may be such that another MTA would change it.

Prints what is wrong, the files that did not arrive, and the totals; exit
status 1 if anything was wrong.
"""
import argparse
import email
import glob
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import render   # noqa: E402  (it stands beside this file)

LINE_MAX = 998
# Where Python's email differs from all mail programs, see tests/corpus.sh; and
# it takes no field with a blank before its colon, as Postfix does.
KNOWN = ("multipartemptypart.msg", "bad-header-start.raw", "m0021.txt",
         "obsolete.msg", "example13.eml")


def as_postfix_hands_it_on(mail):
    """A stray CR is a blank, a stray LF a line end, and the last line has one
    (smtpd(8), cleanup(8)); a line that is no field begins the body."""
    mail = re.sub(rb"\AFrom [^\n]*\n", b"", mail)
    if not mail.endswith(b"\n"):
        mail = mail.rstrip(b"\r") + b"\n"
    mail = re.sub(rb"\r*\n", b"\r\n", mail)
    mail = re.sub(rb"\r(?!\n)", b" ", mail)
    header = re.match(rb"([!-9;-~]+[ \t]*:[^\n]*\n([ \t][^\n]*\n)*)*",
                      mail).group()
    body = mail[len(header):]
    return header + (b"" if body.startswith(b"\r\n") else b"\r\n") + body


def is_special(mail):
    """Signed or encrypted by whoever sent it?"""
    mail = email.message_from_bytes(mail)
    kind = mail.get_content_type()
    name = mail.get_filename() or ""
    return (kind in ("multipart/signed", "multipart/encrypted") or
            "pkcs7" in kind or name.lower().endswith((".p7m", ".p7s")) or
            (kind.startswith("text/") and
             b"-----BEGIN PGP" in (mail.get_payload(decode=True) or b"")))


class Judge:
    def __init__(self, args):
        self.args = args
        self.problems = []

    def openssl(self, command, mail, *options):
        """What openssl makes of it; None if it does not accept it."""
        with tempfile.NamedTemporaryFile() as f:
            f.write(mail)
            f.flush()
            done = subprocess.run(
                ["openssl", "cms", command, "-in", f.name, *options],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.said = done.stderr.decode(errors="replace").split("\n")[0]
        return done.stdout if done.returncode == 0 else None

    def verify(self, mail):
        return self.openssl(
            "-verify", mail, "-purpose", "smimesign", "-CAfile",
            os.path.join(self.args.pki, "root.pem"))

    def decrypt(self, mail, address):
        name = os.path.join(self.args.pki, address.split("@")[0])
        return self.openssl("-decrypt", mail, "-recip", name + ".pem",
                            "-inkey", name + ".key")

    def is_fragile(self, mail):
        """The header is the sender's own; the body has to be ours."""
        body = mail.partition(b"\r\n\r\n")[2]
        return not body.isascii() or any(
            len(line) > LINE_MAX for line in body.split(b"\r\n"))

    def judge(self, path, address, arrived):
        """None, or what is wrong."""
        with open(path, "rb") as f:
            sent = as_postfix_hands_it_on(f.read())
        special, inner = is_special(sent), arrived
        if address != self.args.signed:
            opened = self.decrypt(inner, address)
            if opened is None and not special:
                return "openssl does not decrypt it: " + self.said
            inner = inner if opened is None else opened
        if address != self.args.sealed:
            opened = self.verify(inner)
            if opened is None and not special:
                return "openssl does not verify it: " + self.said
            inner = inner if opened is None else opened
        if inner is not arrived and self.is_fragile(arrived):
            return "has 8-bit bytes or lines over 998 bytes"
        if os.path.basename(path) in KNOWN:
            return None
        return "; ".join(render.compare(sent, inner)) or None


def arrivals(sink):
    """(N, address, mail) of each that arrived."""
    for path in glob.glob(os.path.join(sink, "*.eml")):
        mail = render.read(path)
        envelope = render.read(path[:-len("eml")] + "env")
        yield (int(re.search(rb"(?m)^X-Count: (\d+)", mail).group(1)),
               re.search(rb"(?i)RCPT TO:<([^>]*)>", envelope).group(1).decode(),
               mail)


def main():
    parser = argparse.ArgumentParser()
    for name in ("sink", "pki", "signed", "sealed", "both"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    judge = Judge(args)
    addresses = (args.signed, args.sealed, args.both)
    missing = {(n + 1, address) for n in range(len(args.files))
               for address in addresses}
    n_wrong = 0
    for number, address, mail in arrivals(args.sink):
        path = args.files[number - 1]
        if (number, address) not in missing:
            wrong = "arrived twice"
        else:
            missing.remove((number, address))
            wrong = judge.judge(path, address, mail)
        if wrong:
            n_wrong += 1
            print("%s to %s: %s" % (os.path.basename(path), address, wrong))
    for number, address in sorted(missing):
        print("did not arrive: %s to %s" % (
            os.path.basename(args.files[number - 1]), address))
    print("%d mails arrived, %d wrong, %d did not" % (
        len(args.files) * len(addresses) - len(missing), n_wrong,
        len(missing)))
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
