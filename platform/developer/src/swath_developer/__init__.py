"""The developer's path: scaffold a processor repository, run its pipeline on this machine, take the tour.

The public modules are `swath_developer.scaffolding`, `swath_developer.wheels`, `swath_developer.pipeline` and
`swath_developer.errors`. None is imported here: ``swath --help`` imports this package and must be quick.
"""
