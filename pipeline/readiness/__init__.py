"""Production readiness: a checklist of rows, each measured or vouched for, that holds business-critical services."""
