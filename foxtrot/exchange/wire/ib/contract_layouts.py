"""Layouts of what is told about contracts."""

from typing import Final

from foxtrot.exchange.wire.ib.layout import Field, Layout, layout

_SIZE_RULES: Final = 164
"""From here on sizes have rules of their own, and the message no version."""


def _named(names: str) -> tuple[Field, ...]:
    """Return fields of all versions without a default."""
    return tuple(Field(name) for name in names.split())


CONTRACT_DETAILS: Final = Layout(
    10,
    (
        Field("version", 8, until=_SIZE_RULES - 1),
        *_named(
            "request_id symbol sec_type expiry strike right exchange currency local_symbol market_name trading_class"
        ),
        *_named("con_id min_tick"),
        Field("md_size_multiplier", 1, until=_SIZE_RULES - 1),
        *_named("multiplier order_types valid_exchanges"),
        Field("price_magnifier", 1),
        Field("under_con_id", 0),
        *_named("long_name primary_exchange contract_month industry category subcategory time_zone_id trading_hours"),
        *_named("liquid_hours ev_rule"),
        Field("ev_multiplier", 0),
        Field("sec_id_count", 0),
        Field("agg_group", 1),
        *_named("under_symbol under_sec_type market_rule_ids real_expiration_date stock_type"),
        Field("size_min_tick", 1, since=163, until=_SIZE_RULES - 1),
        Field("min_size", 1, since=_SIZE_RULES),
        Field("size_increment", 1, since=_SIZE_RULES),
        Field("suggested_size_increment", 1, since=_SIZE_RULES),
    ),
)
CONTRACT_DETAILS_END: Final = layout(52, "request_id", version=1)
SYMBOL_SAMPLES: Final = layout(79, "request_id count rows")
NO_SYMBOL_SAMPLES: Final = layout(79, "request_id count")
SAMPLE_HAS_DESCRIPTION: Final = 176
"""From here on each sample ends with a description and an issuer's id, and reqContractDetails with the latter."""
MARKET_RULE: Final = layout(93, "rule_id count rows")
