"""The desk: what every verb is given to work with."""

from cuelight_server.db.desk import Desk

__all__ = ["Desk"]
