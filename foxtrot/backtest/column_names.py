"""Which column plays which role: names are matched without regard to case, and doubt is an error, never a guess."""

import msgspec

from foxtrot.domain.errors import InputError

TIME_NAMES = ("time", "timestamp", "open_time", "open_time_ms", "date", "datetime")


class Role(msgspec.Struct, frozen=True):
    """One thing a reader needs: its name, the column names it goes by and whether it must be there."""

    name: str
    aliases: tuple[str, ...]
    required: bool = True


def choose_columns(
    source: str, names: tuple[str, ...], roles: tuple[Role, ...]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the column of each role found, and a warning that names the columns left out.

    An unnamed first column, as pandas writes its index, is the time if no other column is.

    Raises:
        InputError: a required column is missing or two columns fit one role; the line lists the columns found.
    """
    plain = [name.strip().lower().replace(" ", "_") for name in names]
    found = ", ".join(name or "(unnamed)" for name in names)
    chosen: dict[str, int] = {}
    for role in roles:
        fitting = [index for index, name in enumerate(plain) if name in role.aliases]
        if not fitting and role.name == "time" and plain[0] in ("", "unnamed:_0", "index"):
            fitting = [0]
        if len(fitting) > 1:
            rivals = " and ".join(names[index] for index in fitting)
            raise InputError(
                f"{source}: columns {rivals} could all be the {role.name}; keep one of them; found: {found}"
            )
        if not fitting and role.required:
            raise InputError(
                f"{source}: no {role.name} column; name one of them {' or '.join(role.aliases)}; columns found: {found}"
            )
        if fitting:
            chosen[role.name] = fitting[0]
    ignored = [name or "(unnamed)" for index, name in enumerate(names) if index not in chosen.values()]
    return chosen, ((f"columns ignored: {', '.join(ignored)}",) if ignored else ())
