"""Events: what may be collected, how it is checked, named, weighed and cut into sessions."""
