"""What AWS says: tables with the source of each row and the day it was read, and typed access to them."""
