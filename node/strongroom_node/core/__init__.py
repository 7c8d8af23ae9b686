"""The core: mounts, routing and the pipeline that every request runs through."""
