"""Workflows, their owners, prompts, versions and drafts."""
