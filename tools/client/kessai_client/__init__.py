"""Speaks to a running stack from outside: the partner, app and operator APIs, Kafka, the databases.

For programs and whole-system tests on a development machine; it keeps no connection open and is not
meant for load.
"""
