"""The unmodified SDK for every test of this folder."""

from tests.support.futu_sdk import futu_contexts, futu_sdk

__all__ = ["futu_contexts", "futu_sdk"]
