"""Programs that show the library; each is run by the tests."""
