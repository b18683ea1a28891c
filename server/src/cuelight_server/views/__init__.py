"""Everything that one can see: functions that read across the nouns and return frozen dataclasses."""
