"""What a venue says an account's key may do, in words that hold for every venue."""

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
