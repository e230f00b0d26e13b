"""What Lambda unpacks: archives, layers and the native code in them."""
