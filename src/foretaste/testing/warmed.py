"""Imported once by the process that children of tests are forked from: all code, all kernels compiled."""

import foretaste.app.cli.serve
import foretaste.app.cli.worker
import foretaste.testing.faults
import foretaste.testing.kafka_faults
import foretaste.testing.postgres_faults  # noqa: F401 # what children run is here when they are forked
from foretaste.pipeline.warming import warm_up

warm_up()
