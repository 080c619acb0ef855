"""`pithead judge`: what the judge would do, worked out here from what the controller has recorded."""
