"""Training beside a service: jobs in processes of their own, by request or by schedule."""
