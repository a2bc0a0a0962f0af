"""What X may be beyond an array or a frame in memory: tensors, lazy frames, streams, clusters."""
