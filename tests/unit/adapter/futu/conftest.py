"""The unmodified SDK for the tests of this folder that read its messages."""

from tests.support.futu_sdk import futu_sdk

__all__ = ["futu_sdk"]
