"""Apache Kafka, through confluent-kafka (extra `kafka`)."""
