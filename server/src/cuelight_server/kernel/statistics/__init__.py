"""The formulas of the verdict, with nothing but the standard library; each names its source, tests hold it to SciPy."""
