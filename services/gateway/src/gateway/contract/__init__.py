"""The contract that clients build on: the OpenAPI document, made of the routes themselves."""
