"""Moving: test sets and configs of other tools become workflow folders of ours, and back; what cannot be carried is named."""

from cuelight.moving.report import Finding, Report

__all__ = ["Finding", "Report"]
