unreadable: byte 60: "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*DISTRI"; expected the whole ISA
