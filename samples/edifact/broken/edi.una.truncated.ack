unreadable: byte 10: "UNH+1+ORDRSP:D:96A:UN:EAN005'\nBGM+231+AB"; expected UNB with its elements and its terminator
