"""The keyring of the operating system, through the `keyring` package where that is installed and has a backend to be trusted."""

from typing import Final

from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError

_LEAST_PRIORITY: Final = 1
"""Backends below it keep nothing, or keep it in plain text; `keyring` calls those from 1 on recommended."""


class OsKeyring:
    """Secrets in the keyring of the user who runs us.

    Thread: main.
    """

    @property
    def name(self) -> str:
        """Return what the keyring is called, "" when there is none that is usable."""
        try:
            import keyring
        except ImportError:
            return ""
        backend = keyring.get_keyring()
        return str(backend.name) if backend.priority >= _LEAST_PRIORITY else ""

    def get(self, service: str, user: str) -> Secret | None:
        """Return a secret, None when the keyring has none of that name.

        Blocks: for the keyring, which may ask its owner to unlock it.

        Raises:
            ConfigError: the keyring refuses.
        """
        import keyring
        from keyring.errors import KeyringError

        try:
            value = keyring.get_password(service, user)
        except KeyringError as error:
            raise _refused(error) from None
        return None if value is None else Secret(value)

    def put(self, service: str, user: str, value: Secret) -> None:
        """Keep a secret.

        Blocks: as `get`.

        Raises:
            ConfigError: the keyring refuses.
        """
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(service, user, value.reveal())
        except KeyringError as error:
            raise _refused(error) from None

    def delete(self, service: str, user: str) -> None:
        """Forget a secret; one that is not there is forgotten already.

        Blocks: as `get`.

        Raises:
            ConfigError: the keyring refuses.
        """
        import keyring
        from keyring.errors import KeyringError, PasswordDeleteError

        try:
            keyring.delete_password(service, user)
        except PasswordDeleteError:
            return
        except KeyringError as error:
            raise _refused(error) from None


def _refused(error: Exception) -> ConfigError:
    return ConfigError(f"the keyring refuses ({type(error).__name__}); unlock it, or keep the secret with --file")
