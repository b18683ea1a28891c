"""The evaluation room: cases, graders, the gate that decides, and the report that says why."""
