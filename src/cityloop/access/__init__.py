"""The one door to data: who asks, what they may do, which rows and columns they see, and the record of it."""
