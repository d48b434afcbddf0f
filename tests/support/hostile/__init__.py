"""
A hostile service on raw sockets, for the promise "no batch is paid twice".

    raw_http         reads a request off a socket; ends a connection in four ways
    batch_store      the files and batches of the account, and how they look as JSON
    spoiled_answers  the bytes of broken answers
    way_table        WAYS: the ways to lose or spoil the answer to a creation
    list_table       LISTS: the ways in which a list of batches can behave
    list_pages       one page of a list that behaves like that
    hostile_server   the sockets and threads
    trials           one creation of the public client against one way and one list, and its verdict
    report           `python -m support.hostile.report`: every way, every list, both clients

Rule 1: the server uses the standard library only. It takes no rule from the client, the simulator
or the suite; only `trials` and `report` import the client.
Rule 2: no result depends on how fast the machine is. A lag is a time before which the server does
not show a batch; nothing is done by a timer.
"""
