"""The reference pages of the docs, written from the code itself, so that they cannot say anything else."""

from cuelight_server.docs_reference.pages import pages, write

__all__ = ["pages", "write"]
