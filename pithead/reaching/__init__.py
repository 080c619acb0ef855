"""`pithead check --reach`: everything outside is asked once, and nothing is changed."""
