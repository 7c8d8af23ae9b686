"""The server: requests, policy, engines, auth methods, HTTP and the command line."""
