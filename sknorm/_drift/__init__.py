"""Whether data is still what a scaler was fitted on."""
