"""The network: GitHub and the services we call.  Never imports `store`."""
