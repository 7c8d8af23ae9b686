"""What operators see: logs and metrics. Audit is evidence and lives in `audit`."""
