# mode single
print(1) or 2
