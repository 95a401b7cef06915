#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""No header makes a signature appear under an address that the recipient's
program does not show as the sender.

Every line of tests/corpus/headers.tsv is decided as it says there.  Wherever
a mail would be signed, there and in thousands of fields that are made of
pieces of those, Python's email package (its old parser and its new one) and
GMime's parser of whole messages show one author, and it is the one whose
certificate would sign.
"""
import email
import email.policy
import email.utils
import os
import random
import re
import subprocess
import sys
import unicodedata

SOURCE = os.environ.get("TEST_SOURCE", ".")
BUILD = os.environ.get("TEST_BUILD", os.path.join(SOURCE, "build"))
LONG = bool(os.environ.get("SMIME_LONG"))
N_MADE = 400000 if LONG else 6000
BATCH = 2000


def unescape(text):
    def byte(match):
        what = match.group(1)
        if what[0] == "x":
            return bytes([int(what[1:], 16)])
        if what[0] == "u":
            return chr(int(what[1:], 16)).encode()
        return {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\"}[what]
    parts = re.split(r"(\\(?:[nrt\\]|x[0-9a-f]{2}|u[0-9a-f]{4}))", text)
    return b"".join(byte(re.match(r"\\(.*)", part, re.S)) if i % 2 else
                    part.encode() for i, part in enumerate(parts))


def read_corpus():
    path = os.path.join(SOURCE, "tests/corpus/headers.tsv")
    with open(path, encoding="utf-8") as f:
        lines = [line.rstrip("\n") for line in f]
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            what, want, fields = line.split("\t")
            yield number, what, want, unescape(fields)


def decide(identities, blocks):
    """What tests/lib/author says: [(decision, [GMime's authors])]."""
    data = b"".join(b"%d\n%s" % (len(block), block) for block in blocks)
    ran = subprocess.run([os.path.join(BUILD, "tests/lib/author"),
                          identities], input=data, stdout=subprocess.PIPE,
                         check=True)
    lines = ran.stdout.decode("utf-8", "backslashreplace").split("\n")[:-1]
    assert len(lines) == len(blocks), "an answer for each block"
    return [(line.split("\t")[0], line.split("\t")[1:]) for line in lines]


# --- what other programs show -----------------------------------------------

def plain(address):
    """Comparable: lower case, without quotes, the domain in Unicode."""
    local, _, domain = address.rpartition("@")
    if re.fullmatch(r'"(\\.|[^"\\])*"', local, re.S):
        local = re.sub(r"\\(.)", r"\1", local[1:-1], flags=re.S)
    labels = []
    for label in unicodedata.normalize("NFC", domain).lower().split("."):
        if label.startswith("xn--"):
            try:
                label = label[4:].encode().decode("punycode")
            except UnicodeError:
                pass
        labels.append(label.casefold())
    return re.sub(r"[A-Z]", lambda m: m.group().lower(), local) + "@" + \
        ".".join(labels)


def parse(block, policy):
    try:
        return email.message_from_string(block.decode("utf-8") + "\n\n",
                                         policy=policy)
    except UnicodeDecodeError:
        return email.message_from_bytes(block + b"\n\n", policy=policy)


def by_new_python(block):
    fields = parse(block, email.policy.default).get_all("From", [])
    return [a.addr_spec for field in fields for a in field.addresses]


def by_old_python(block):
    mail = parse(block, email.policy.compat32)
    # It does not undo folds, and takes what it does not understand for "".
    fields = [re.sub(r"\n(?=[ \t])", "", str(field))
              for field in mail.get_all("From", [])]
    return [address for _, address in email.utils.getaddresses(fields)]


def shown_otherwise(block, signer, gmime):
    """Who shows another author, or None."""
    for who, authors in (("GMime", lambda _: gmime),
                         ("Python, new", by_new_python),
                         ("Python, old", by_old_python)):
        try:
            shown = authors(block)
        except Exception as e:          # it shows nothing at all
            if isinstance(e, KeyboardInterrupt):
                raise
            continue
        if [plain(a) for a in shown] != [plain(signer)]:
            return "%s shows %s" % (who, shown)
    return None


# --- fields made of pieces ---------------------------------------------------

SIGNS = [b"<", b">", b'"', b"(", b")", b"@", b",", b";", b":", b"\\", b" ",
         b"\t", b"\n ", b".", b"=?utf-8?Q?", b"?=", b"=40", b"[", b"]", b"'",
         b"ceo@example.org", b"<ceo@example.org>", b"\xe2\x80\xae", b"\xff",
         b"\x00", b"\r", b"%", b"!", b"\nFrom: ", b"\nSender: "]


def make(random_, values):
    """A From field: one of the corpus, cut, joined and sprinkled."""
    value = random_.choice(values)
    for _ in range(random_.randrange(4)):
        at = random_.randrange(len(value) + 1)
        how = random_.randrange(4)
        if how == 0:
            value = value[:at] + random_.choice(SIGNS) + value[at:]
        elif how == 1:
            value = value[:at] + value[at + random_.randrange(1, 4):]
        elif how == 2:
            other = random_.choice(values)
            value = value[:at] + other[random_.randrange(len(other) + 1):]
        else:
            value = value[:at] + value[at:][::-1]
    value = b"From:" + value.rstrip(b"\n")
    # A line that is no field is no matter of From.
    return re.sub(rb"\n(?![ \t]|From: |Sender: )", b" ", value)


def main():
    failed = []
    corpus = list(read_corpus())
    blocks = [block for _, _, _, block in corpus]
    for (number, what, want, _), (decision, _) in zip(
            corpus, decide("login", blocks)):
        decision = decision.replace(" (default requires it)", "").replace(
            "refuse not signed: ", "refuse ")
        if decision != want:
            failed.append("headers.tsv:%d: %s: %s, wanted %s" %
                          (number, what, decision, want))

    values = [re.split(rb"\n(?![ \t])", block[5:])[0] for block in blocks
              if block.startswith(b"From:")]
    seed = 20261125 if not LONG else random.randrange(1 << 32)
    random_ = random.Random(seed)
    n_signed = 0
    made = list(blocks)
    for start in range(0, N_MADE, BATCH):
        made += [make(random_, values) for _ in range(BATCH)]
        for block, (decision, gmime) in zip(made, decide("any", made)):
            if not decision.startswith("sign "):
                continue
            n_signed += 1
            # A C string ends there, in libmilter as well as in Postfix.
            block = b"\n".join(field.split(b"\0")[0] for field in
                               re.split(rb"\n(?![ \t])", block))
            other = shown_otherwise(block, decision[5:], gmime)
            if other:
                failed.append("%r: signed as %s, but %s" %
                              (block, decision[5:], other))
        made = []
    print("%d lines of the corpus; %d fields made with seed %d; %d of all "
          "would be signed" % (len(corpus), N_MADE, seed, n_signed))
    print("\n".join(failed[:20]))
    if len(corpus) < 200 or n_signed < N_MADE / 20:
        failed.append("too few")
        print("too few of them to mean anything")
    sys.exit(1 if failed else 0)


main()
