"""Every pack plays on data: measured where it may be shipped, else made for the test."""
