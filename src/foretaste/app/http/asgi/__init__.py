"""A thin layer over ASGI: routes, typed parameters, problem documents, OpenAPI (see decision 0001)."""
