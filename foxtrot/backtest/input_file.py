"""The bytes of an input file, decompressed: plain, gzip, or a zip with one file in it."""

import gzip
import zipfile
import zlib
from pathlib import Path

import msgspec

from foxtrot.domain.errors import InputError

_TEXT_FORMATS = {".csv": "csv", ".txt": "csv", ".json": "json"}
_KNOWN = ".csv, .csv.gz, .json, .json.gz, .zip or .parquet"


class InputText(msgspec.Struct, frozen=True):
    """What a file holds: its bytes, their format ("csv" or "json") and the name that error messages use."""

    data: bytes
    format: str
    source: str


def read_input(path: Path) -> InputText:
    """Read and decompress a file.

    Blocks: for the disk.

    Raises:
        InputError: the file is missing, empty, of an unknown kind, truncated or damaged.
    """
    stem, packing = _split_suffix(path)
    data = _read_bytes(path)
    if packing == ".zip":
        stem, data = _unzip(path, data)
    elif packing == ".gz":
        data = _gunzip(path, data)
    if not data.strip():
        raise InputError(f"{path.name} is empty; name a file with a header line and rows")
    return InputText(_text_only(path, data), _TEXT_FORMATS[stem], path.name)


def _split_suffix(path: Path) -> tuple[str, str]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-1] if suffixes else ""
    if last == ".zip":
        return "", last
    packing = ".gz" if last == ".gz" else ""
    stem = (suffixes[-2] if len(suffixes) > 1 else "") if packing else last
    if stem not in _TEXT_FORMATS:
        raise InputError(f"{path.name}: the kind of file is not known from its suffix; use {_KNOWN}")
    return stem, packing


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; name a readable file") from error


def _gunzip(path: Path, data: bytes) -> bytes:
    try:
        return gzip.decompress(data) if data else data
    except EOFError:
        raise InputError(f"{path.name} is a truncated gzip file: it ends before its end mark; fetch it again") from None
    except (OSError, zlib.error) as error:
        raise InputError(f"{path.name} is not a sound gzip file ({error}); fetch it again") from None


def _unzip(path: Path, data: bytes) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            return _only_member(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        problem = f"({error})" if data else "(it is empty)"
        raise InputError(f"{path.name} is not a sound zip file {problem}; fetch it again") from None


def _only_member(path: Path, archive: zipfile.ZipFile) -> tuple[str, bytes]:
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    usable = [name for name in names if Path(name).suffix.lower() in _TEXT_FORMATS]
    if len(usable) != 1:
        raise InputError(f"{path.name} holds {', '.join(names) or 'no file'}; it must hold exactly one .csv file")
    return Path(usable[0]).suffix.lower(), archive.read(usable[0])


def _text_only(path: Path, data: bytes) -> bytes:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith(b"\x1f\x8b"):
        raise InputError(f"{path.name} is gzip data under another name; name it {path.name}.gz")
    if b"\0" in data or not _is_text(data[: data.find(b"\n")][:4096]):
        raise InputError(f"{path.name} is binary, not text; save the table as CSV in UTF-8")
    return data


def _is_text(line: bytes) -> bool:
    try:
        return all(character.isprintable() or character.isspace() for character in line.decode())
    except UnicodeDecodeError:
        return False
