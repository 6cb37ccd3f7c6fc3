"""The partner's side, played by the agreement turned round: for tests of an agreement, for a station to try it with.

scenarios   what a seller answers to an order, as canonical documents: pure
orders      an order to begin with: pure
mirror      the agreement as the partner has it
voice       one side that writes and reads by its agreement
trial       `gateway partner test`
folders     the partner over two folders
station     the partner as a gateway of its own, over AS2
"""
