unreadable: byte 0: "UNH+1+ORDRSP:D:9"; expected ISA, UNA or UNB at the beginning
