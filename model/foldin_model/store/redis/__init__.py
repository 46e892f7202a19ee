"""The store on Redis or Valkey, with a pipeline of its own."""
