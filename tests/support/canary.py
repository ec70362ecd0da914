"""Planted secrets, and the search for them in everything that a run leaves behind."""

import base64
import contextlib
import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

CANARY_KEY = "canaryKEY7c1b0e5f9a2d4c6e8b1f3a5d7c9e0b2a"
CANARY_SECRET = "canarySECRET/5e+8a1c3f5b7d9e1a3c5f7b9d1e3a="
CANARY_PASSPHRASE = "canary passphrase & 4f8d2b6a"
CANARIES = (CANARY_KEY, CANARY_SECRET, CANARY_PASSPHRASE)
_LEAST = 12
"""How much of a form in Base64 counts: enough that no other text has it by chance."""


def forms(value: str) -> tuple[bytes, ...]:
    """The ways in which a text may stand in another: plain, quoted, escaped, reversed, hexadecimal, Base64 at each of three places."""
    data = value.encode()
    texts = {value, quote(value), quote(value, safe=""), quote_plus(value), value.replace("/", "\\/"), value[::-1]}
    texts |= {data.hex(), data.hex().upper()}
    for before in range(3):  # Base64 of a text that holds it differs by where in the text it begins
        for coded in (base64.b64encode(b"\0" * before + data), base64.urlsafe_b64encode(b"\0" * before + data)):
            inner = coded.decode().rstrip("=")[4 if before else 0 : -2]
            if len(inner) >= _LEAST:
                texts.add(inner)
    return tuple(sorted(text.encode() for text in texts))


def canaries_in(data: bytes, canaries: Iterable[str] = CANARIES) -> list[str]:
    """The canaries of which some form stands in the bytes, by their first letters."""
    return [canary[:12] for canary in canaries if any(form in data for form in forms(canary))]


def assert_no_canary(paths: Iterable[Path], canaries: Iterable[str] = CANARIES) -> int:
    """Check that no canary is in any of the files, in those of the folders, or packed in one; returns how many were looked at."""
    planted, looked, found = tuple(canaries), 0, list[str]()
    for file in _files(paths):
        for name, data in _contents(file):
            looked += 1
            found += [f"{name}: {canary}…" for canary in canaries_in(name.encode() + data, planted)]
    assert found == [], "\n".join(found)
    return looked


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.is_file())
        elif path.is_file():
            yield path


def _contents(file: Path) -> Iterator[tuple[str, bytes]]:
    data = file.read_bytes()
    yield str(file), data
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            yield from ((f"{file}:{name}", archive.read(name)) for name in archive.namelist())
    elif tarfile.is_tarfile(file):
        with tarfile.open(file) as packed:
            for member in packed.getmembers():
                reader = packed.extractfile(member)
                yield f"{file}:{member.name}", b"" if reader is None else reader.read()
    elif data[:2] == b"\x1f\x8b":
        yield f"{file}:gunzipped", gzip.GzipFile(fileobj=io.BytesIO(data)).read()
    else:
        yield from ((f"{file}:inflated at {at}", text) for at, text in _inflated(data))


def _inflated(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The zlib streams that stand in a file, wherever they begin."""
    at = 0
    while (at := data.find(b"\x78", at)) >= 0:
        if data[at + 1 : at + 2] in (b"\x01", b"\x5e", b"\x9c", b"\xda"):
            with contextlib.suppress(zlib.error):
                yield at, zlib.decompressobj().decompress(data[at:])
        at += 1
