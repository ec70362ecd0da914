"""The search for planted secrets finds them in every form that it knows, and nothing where there is none."""

import base64
import gzip
import tarfile
import zipfile
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.canary import CANARY_KEY, CANARY_SECRET, assert_no_canary, canaries_in

FORMS = {
    "plain": CANARY_SECRET,
    "url": quote(CANARY_SECRET, safe=""),
    "hex": CANARY_SECRET.encode().hex(),
    **{f"base64 at {at}": base64.b64encode(b"x" * at + CANARY_SECRET.encode() + b"tail").decode() for at in range(5)},
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_found(form: str) -> None:
    assert canaries_in(f"before {FORMS[form]} after".encode()) == [CANARY_SECRET[:12]]
    assert canaries_in(b"before after") == []


@pytest.mark.parametrize("pack", ["file", "name", "zip", "tar", "gzip", "zlib"])
def test_each_way_of_packing_is_opened(tmp_path: Path, pack: str) -> None:
    data, file = f"a line with {CANARY_SECRET} in it".encode(), tmp_path / "deep" / "file"
    file.parent.mkdir()
    assert assert_no_canary([tmp_path]) == 0
    if pack == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside", data)
    elif pack == "tar":
        (tmp_path / "inside").write_bytes(b"")
        with tarfile.open(file, "w:gz") as packed:
            member = tmp_path / "plain"
            member.write_bytes(data)
            packed.add(member, "inside")
            member.unlink()
    elif pack == "name":
        (file.parent / CANARY_KEY).write_bytes(b"")
    else:
        coded = {"file": data, "gzip": gzip.compress(data), "zlib": b"head" + zlib.compress(data) + b"tail"}
        file.write_bytes(coded[pack])
    with pytest.raises(AssertionError, match="canary"):
        assert_no_canary([tmp_path])
