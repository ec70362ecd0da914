"""What keys an account takes, and what its venue says they may do, in words that hold for every venue."""

import msgspec


class KeyRights(msgspec.Struct, frozen=True, kw_only=True):
    """The rights of a key; None is what the venue did not tell."""

    trades: bool | None = None
    """Whether it may trade what the account trades."""
    withdraws: bool | None = None
    """Whether it may take money out of the venue."""
    transfers: tuple[str, ...] | None = None
    """By which rights, in the venue's own words, it may move money to other accounts at the venue."""
    address_bound: bool | None = None
    """Whether it is good from certain addresses only."""


class KeyHolder:
    """What an adapter says of the keys of its account.

    Thread: `key_rights` is replaced whole by the adapter's own and read by any.
    """

    secret_names: tuple[str, ...] = ()
    """The secrets that an account takes; one that its settings do not name is looked up in the key store."""
    safest_environment: str = ""
    """What an environment of "" means, in the adapter's own words."""
    environments: tuple[str, ...] = ()
    """The environments there are, in the adapter's own words; none named means that any may be."""
    key_rights: KeyRights | None = None
    """What the venue said the key may do, once it was asked and has told."""
