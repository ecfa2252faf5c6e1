"""Who does the cases: a module each, with one function a case.

A function gets a :class:`suite.job.Job`, does what goes before (imports, opening), and returns what is timed.
What that returns is the answer, which all ways must agree on.
"""
