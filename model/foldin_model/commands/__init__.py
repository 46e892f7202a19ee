"""The command lines `foldin store` and `foldin bench`. Nothing else in the package imports them."""
