"""HTTP: the service's resources, its problem documents, its storefront and its reference page."""
