"""Files on shared storage, reached by URL: s3://, gs:// and whatever else fsspec knows."""
