"""The keyring of the operating system, with the package itself and a backend of ours."""

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from foxtrot.app.os_keyring import OsKeyring
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError

VALUE = "canary-in-a-ring"


class Backend(KeyringBackend):
    """Keeps passwords in memory."""

    priority = 5.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked(f"locked around {VALUE}")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked(f"locked around {VALUE}")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.locked:
            raise KeyringLocked(f"locked around {VALUE}")
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")


class PlainText(Backend):
    """A backend that is not to be trusted."""

    priority = 0.5


@pytest.fixture
def backend() -> Iterator[Backend]:
    before = keyring.get_keyring()
    made = Backend()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_secret_is_kept_found_and_forgotten(backend: Backend) -> None:
    ring = OsKeyring()
    assert ring.name
    ring.put("foxtrot", "a", Secret(VALUE))
    assert backend.kept == {("foxtrot", "a"): VALUE}
    assert (ring.get("foxtrot", "a"), ring.get("foxtrot", "b")) == (Secret(VALUE), None)
    ring.delete("foxtrot", "a")
    ring.delete("foxtrot", "a")
    assert backend.kept == {}


def test_a_keyring_that_refuses_is_told_without_what_it_said(backend: Backend) -> None:
    backend.locked = True
    ring = OsKeyring()
    for act in (lambda: ring.get("f", "a"), lambda: ring.put("f", "a", Secret(VALUE)), lambda: ring.delete("f", "a")):
        with pytest.raises(ConfigError, match="KeyringLocked") as raised:
            act()
        assert VALUE not in str(raised.value)


def test_a_backend_that_keeps_plain_text_is_not_used(backend: Backend) -> None:
    keyring.set_keyring(PlainText())
    assert OsKeyring().name == ""
