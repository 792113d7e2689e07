"""The recount and the release lines of a business day on Apache Spark; see the folder's README."""
