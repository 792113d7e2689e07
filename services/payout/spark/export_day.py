"""spark-submit export_day.py --day YYYY-MM-DD --to parquet|dynamodb --out DIR …: see README.md."""

from payout_spark import export_job, job

if __name__ == "__main__":
    job.end(export_job.run)
