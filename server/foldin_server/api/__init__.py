"""What an RPC does: one module for each gRPC service, which parses, calls and renders."""
