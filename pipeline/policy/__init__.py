"""The rules that hold a release, one module a rule; each answers with a `Gate`."""
