#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does a mail mean the same before and after?

Usage: render.py DIR, or render.py ORIG INNER.

ORIG is a mail as it came, INNER the entity that a recipient gets after
decryption and verification.  Python's email package, which shares no code with
smime-milter, has to find the same tree of parts, with the same types,
parameters that matter, names, and the same decoded bytes in every leaf.
DIR holds N.orig and N.inner.  Prints each difference; exit status 1 if any.
"""

import email
import glob
import os
import sys


def leaf_bytes(part):
    payload = part.get_payload(decode=True)
    return b"" if payload is None else payload


def describe(part):
    """What a reader goes by, apart from the content."""
    return (part.get_content_type(),
            part.get_content_disposition(),
            part.get_filename())


def flatten(part, path=""):
    """Each part with its path, children in order."""
    yield path or "/", part
    if part.is_multipart():
        for i, child in enumerate(part.get_payload()):
            yield from flatten(child, "%s/%d" % (path, i))


def compare(orig, inner):
    """What differs between two mails, as sentences."""
    orig, inner = map(email.message_from_bytes, (orig, inner))
    before, after = list(flatten(orig)), list(flatten(inner))
    if [p for p, _ in before] != [p for p, _ in after]:
        return ["tree: %s became %s" % ([p for p, _ in before],
                                        [p for p, _ in after])]
    wrong = []
    for (path, a), (_, b) in zip(before, after):
        if describe(a) != describe(b):
            wrong.append("%s: %s became %s" % (path, describe(a), describe(b)))
        # A label that was missing may be added; one that was there stays.
        charset = a.get_content_charset()
        if charset is not None and charset != b.get_content_charset():
            wrong.append("%s: charset %s became %s" % (
                path, charset, b.get_content_charset()))
        if path != "/" and [k for k, _ in a.items() if not content(k)] != [
                k for k, _ in b.items() if not content(k)]:
            wrong.append("%s: other header fields" % path)
        if a.is_multipart() or b.is_multipart():
            continue
        x, y = leaf_bytes(a), leaf_bytes(b)
        if x != y:
            at = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q),
                      min(len(x), len(y)))
            wrong.append("%s: content differs at byte %d of %d/%d: "
                         "%r became %r" % (path, at, len(x), len(y),
                                           x[at:at + 40], y[at:at + 40]))
    return wrong


def content(name):
    return name.lower().startswith("content-")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def main(argv):
    if len(argv) == 2:
        pairs = [(p, p[:-len("orig")] + "inner") for p in
                 sorted(glob.glob(os.path.join(argv[1], "*.orig")))]
    elif len(argv) == 3:
        pairs = [(argv[1], argv[2])]
    else:
        print(__doc__, file=sys.stderr)
        return 2
    n_wrong = 0
    for orig, inner in pairs:
        wrong = compare(read(orig), read(inner))
        n_wrong += bool(wrong)
        for line in wrong:
            print("%s: %s" % (orig, line))
    print("%d mails compared, %d differ" % (len(pairs), n_wrong))
    return 1 if n_wrong or not pairs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
