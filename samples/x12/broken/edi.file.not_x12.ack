unreadable: byte 0: "UNB+UNOA:3+SUPPL"; expected ISA at the beginning
