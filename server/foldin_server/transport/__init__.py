"""How calls get in: the two gRPC servers, and the address that they listen on."""
