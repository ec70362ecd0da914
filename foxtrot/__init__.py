"""Foxtrot: an algorithmic trading platform. Importing it starts and reads nothing; authors import `foxtrot.api`."""

__version__ = "0.1.0"
