"""Writes a body of about the length asked for, and the same in each coding, into a folder; prints its exact length."""

import gzip
import pathlib
import random
import sys

import brotli

try:
    from compression import zstd
except ImportError:
    from backports import zstd

folder, length = pathlib.Path(sys.argv[1]), int(sys.argv[2])
# The same on every run. Lines of JSON, about as compressible as what servers send: names that repeat, numbers that do not.
chance = random.Random(1)
words = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(3, 9))) for _ in range(2000)]
lines = []
while length > 0:
    number, price = chance.getrandbits(32), chance.getrandbits(16)
    text = " ".join(chance.choices(words, k=12))
    line = f'{{"id":{number},"tag":"{number:08x}","price":{price / 100},"open":true,"text":"{text}"}}\n'
    lines.append(line)
    length -= len(line)
body = "".join(lines).encode()
# The levels that servers use for what they compress as they send it.
for coding, coded in [
    ("gzip", gzip.compress(body, 6)),
    ("br", brotli.compress(body, quality=5)),
    ("zstd", zstd.compress(body, 3)),
]:
    (folder / coding).write_bytes(coded)
print(len(body))
