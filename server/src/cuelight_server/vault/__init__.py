"""Keys of model providers, sealed: whoever has the database alone has none of them."""
