"""spark-submit recount_day.py --day YYYY-MM-DD …: see README.md."""

from payout_spark import job, recount_job

if __name__ == "__main__":
    job.end(recount_job.run)
