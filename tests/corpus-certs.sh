#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# corpus-certs.sh FOLDER: every file of a corpus of certificates through
# "smimectl split".  Fails on a crash or a hang, where openssl by itself finds
# a certificate or key in a file that we do not find (or we find one that it
# does not), where GnuTLS's certtool finds a certificate that we do not, or does
# not find one without a reason that is known, and where the reason for a
# refusal is not what FOLDER/../MANIFEST.tsv says the file is.
# FOLDER/../PASSWORDS.tsv has a file and its passphrase on each line.  Prints
# how many of each verdict, and why.
set -u
[ -d "${1:-}" ] || { echo "no corpus folder given"; exit 77; }
here=$(cd "$(dirname "$0")/.." && pwd)
build=${TEST_BUILD:-$here/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
exec 3<<'EOT'
import base64, collections, csv, hashlib, json, os, re, shutil, subprocess
import sys

smimectl, finds, folder, work = sys.argv[1:]
failed = False


def complain(file, text):
    global failed
    print(f"{file}: {text}")
    failed = True


def table(name):
    """A .tsv beside the folder: each file's second and its sixth column."""
    path = os.path.join(folder, "..", name)
    if not os.path.exists(path):
        return
    for row in csv.reader(open(path), delimiter="\t", quoting=csv.QUOTE_NONE):
        yield (os.path.normpath(os.path.join(folder, "..", row[0])),
               row[1], row[5] if len(row) > 5 else "")


def openssl_finds(rows):
    """{(file, kind): hashes} of [(file, passphrase)]."""
    text = "".join(f"{file}\t{word}\n" for file, word in rows)
    done = subprocess.run([finds], input=text, capture_output=True, text=True,
                          timeout=120)
    if done.returncode != 0:
        sys.exit(f"openssl-finds ended with {done.returncode}")
    found = collections.defaultdict(set)
    for line in done.stdout.splitlines():
        file, kind, digest = line.split("\t")
        found[file, kind].add(digest)
    return found


def ways_of_certtool(data, word):
    """How certtool is asked: unlike openssl, it wants to know what it reads."""
    if data[:1] == b"0":
        yield "--certificate-info", "--inder"
        yield "--p7-info", "--inder"
        yield "--p12-info", "--inder", "--password", word
        if not word:
            yield "--p12-info", "--inder", "--null-password"
    if re.search(rb"BEGIN (X509 |TRUSTED )?CERTIFICATE-", data):
        yield "--certificate-info",
    if re.search(rb"BEGIN (PKCS7|CMS|PKCS #7)-", data):
        yield "--p7-info",


def certtool_finds(file, word):
    """The hashes of its certificates, and what certtool says besides."""
    with open(file, "rb") as f:
        data = f.read()
    said = b""
    for way in ways_of_certtool(data, word):
        done = subprocess.run(["certtool", *way, "--infile", file],
            capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        said += done.stderr
        found = {hashlib.sha256(base64.b64decode(text)).hexdigest()
                 for text in re.findall(rb"-----BEGIN CERTIFICATE-----(.*?)"
                                        rb"-----END", done.stdout, re.S)}
        if found:
            return found, ""
    return set(), (data + said).decode("latin-1")


# What GnuTLS does not find, by what is in the file or what certtool says.
GNUTLS_LESS = (
    ("BEGIN TRUSTED CERTIFICATE", "the label is OpenSSL's own"),
    ("import error: Duplicate extension", "an extension stands there twice"),
    ("import error: Unknown Subject Alternative name", "an empty host name"),
    ("import error: Error in the certificate",
     "algorithms that differ inside and outside, or fields of a later version"),
)


def compare_with_gnutls(file, ours, refused):
    """Why it finds less, or None."""
    theirs, text = certtool_finds(file, words.get(file, ""))
    if len(theirs - ours) > refused:
        complain(file, f"certtool finds {len(theirs - ours)} "
                 "certificates more")
    if not ours - theirs:
        return None
    for what, why in GNUTLS_LESS:
        if what in text:
            return why
    return complain(file, f"certtool finds {len(ours - theirs)} certificates "
                    f"less, of {len(ours)}")


def split(number, file, word):
    """Our items, and the key files that were written."""
    out = f"{work}/{number}"
    with open(f"{work}/word", "w") as words:
        words.write(word + "\n")
    try:
        done = subprocess.run([smimectl, "--json", "split", "--out", out,
            "--passphrase-file", words.name, file], capture_output=True,
            text=True, timeout=60, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        complain(file, "it takes more than a minute")
        return [], []
    if done.returncode not in (0, 1):
        complain(file, f"status {done.returncode}: {done.stderr[-300:]}")
        return [], []
    items = json.loads(done.stdout)["items"]
    return items, [item["file"] for item in items
                   if item["kind"] == "key" and item["file"]]


# What a file is by its name and the manifest's word for it, and what it has to
# be refused for; the first that fits.
TRUE_REASONS = (
    (r"PBMAC1", r"PBMAC1"),
    (r"bad-encryption-oid", r"protection cannot be read"),
    (r"_pub\b|pubkey|public_key|\.pub\.", r"a public key"),
    (r"ml_dsa|slh_dsa|bad-oid", r"algorithm that is not supported"),
    (r"withdompar", r"private key .* that is damaged"),
    (r"PKCS8/.*(enc|s2k)|enc-rsa|encrypted traditional|dsa_private_key",
     r"no passphrase given opens the key"),
    (r"pkcs12_data/bad1", r"no passphrase given opens this PKCS#12"),
    (r"pkcs12_data/bad", r"part of this PKCS#12 file is"),
    (r"malformed\.pkcs7", r"a damaged PKCS#7 file"),
    (r"enveloped", r"PKCS#7 .* holds no certificates"),
    (r"badasn1time", r"no readable validity"),
    (r"invalid_utf8", r"invalid utf8string"),
    (r"with_garbage", r"cut off or damaged"),
    (r"smdsap\.pem", r"no certificate or key in it"),  # DSA parameters
)


def expected_reason(file):
    for what, reason in TRUE_REASONS:
        if re.search(what, f"{file} {special[file]}"):
            return reason
    return None


words = {file: "" if word == "?" else word
         for file, word, _ in table("PASSWORDS.tsv")}
special = {file: text for file, _, text in table("MANIFEST.tsv")}
files = sorted(os.path.normpath(os.path.join(at, name))
               for at, _, names in os.walk(folder) for name in names)
if not files:
    sys.exit("no files in it")
theirs = openssl_finds([(file, words.get(file, "")) for file in files])
ours = {}
key_files = {}
for number, file in enumerate(files):
    ours[file], written = split(number, file, words.get(file, ""))
    key_files.update((key, file) for key in written)
written_keys = openssl_finds([(key, words.get(file, ""))
                              for key, file in key_files.items()])
our_keys = collections.defaultdict(set)
for key, file in key_files.items():
    digests = written_keys[key, "key"]
    if not digests:
        complain(file, f"openssl cannot read {os.path.basename(key)}")
    our_keys[file] |= digests

has_gnutls = shutil.which("certtool") is not None
gnutls_less = collections.Counter()
for file in files:
    refused = collections.Counter(item["kind"] for item in ours[file]
                                  if item["verdict"] == "refused")
    certs = {item["fingerprint"] for item in ours[file]
             if item["kind"] == "certificate" and item["fingerprint"]}
    for kind, mine in ("certificate", certs), ("key", our_keys[file]):
        missing = theirs[file, kind] - mine
        # What is refused with a reason was found, too.
        if len(missing) > refused[kind]:
            complain(file, f"openssl finds {len(missing)} {kind}s more")
        if mine - theirs[file, kind]:
            complain(file, f"openssl finds {len(mine - theirs[file, kind])} "
                     f"{kind}s less, of {len(mine)}")
    if has_gnutls:
        gnutls_less[compare_with_gnutls(file, certs,
                                        refused["certificate"])] += 1
    for item in ours[file]:
        if item["verdict"] != "refused" or file not in special:
            continue
        reason = expected_reason(file)
        if reason is None or not re.search(reason, item["reason"]):
            complain(file, f"it should be refused as /{reason}/, and is as "
                     f"\"{item['reason']}\"")

for why, n in gnutls_less.items():
    print(f"{n:5} files of which certtool finds the same certificates"
          if why is None else f"{n:5} of which it finds fewer: {why}")
items = [item for file in files for item in ours[file]]
print(f"{len(files)} files; openssl finds "
      f"{sum(len(t) for t in theirs.values())} certificates and keys in them")
for (kind, verdict), n in sorted(collections.Counter(
        (item["kind"], item["verdict"]) for item in items).items()):
    print(f"{n:5} {kind} {verdict}")
for (kind, reason), n in collections.Counter(
        (item["kind"], re.sub(r"\([0-9.]+\)", "(OID)",
         item["reason"].replace(work + "/", "")))
        for item in items if item["verdict"] == "refused").most_common():
    print(f"{n:5} {kind} refused: {reason}")
sys.exit(failed)
EOT
python3 /dev/fd/3 "$build/tools/smimectl" "$build/tests/lib/openssl-finds" \
    "$1" "$work"
