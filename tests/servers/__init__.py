"""Real servers for tests, on free ports: started, waited for, stopped."""
