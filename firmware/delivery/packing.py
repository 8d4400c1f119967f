"""Packs what the outbox holds: the JSON of one message, deflated with a preset dictionary.

A message is a kilobyte of which most is the same in every other: field names, codes, the shape of
a time. The dictionary holds that in advance (RFC 1951; zlib's preset dictionary), so that each row
packs small by itself and is read without any other.

A dictionary is part of the file's format: a row says which one packed it, and a dictionary that has
ever packed a row of somebody's is neither changed nor removed. A better one gets the next number.
"""

import zlib

_STATS = (
    '{"since":"2026-11-23T12:00:00Z","until":"2026-11-23T13:00:00Z","counts":{"HIT":null,'
    '"POSSIBLE":null,"NOT_CHECKED":null,"READ_AGAIN":null,"LOOK_CLOSER":null,"CLEAR":null},'
    '"suppressed_below":5}'
)
_OUTCOME = (
    '{"alert":"019","action":"handed_over","action":"other","action":"released",'
    '"action":"document_held","action":"referred","officer":null,"at":"2026-","note":""}'
)
_ALERT = (
    '"format":"FRA-ID","format":"MRV-B","format":"MRV-A","format":"TD2","code":"V","kind":"visa",'
    '"kind":"residence","kind":"crew","kind":"other","status":"invalid","status":"revoked",'
    '"status":"stolen_blank","asked_as":"likely","asked_as":"candidate","health":"over_age",'
    '"health":"missing","health":"damaged","health":"locked","outcome":"POSSIBLE",'
    '"certainty":"possible","why":"a look-alike of the number","why":"of another kind",'
    '"name_truncated":true,"sex":"M","sex":null,"birth_date":null,"expiry_date":null,'
    '"recorded":null,"format":"TD1","code":"I","kind":"identity","status":"lost",'
    '{"outcome":"HIT","document":{"format":"TD3","code":"P","kind":"passport","issuer":"UTO",'
    '"number":"","surname":"","given_names":"","name_truncated":false,"nationality":"UTO",'
    '"birth_date":"19","sex":"F","expiry_date":"203"},"matches":[{"list":"sltd",'
    '"certainty":"exact","status":"stolen","kind":"passport","recorded":"202","asked_as":"number",'
    '"why":""}],"matches_left_out":0,"place":{"site":"","lane":"1"},"lists":[{"name":"sltd",'
    '"version":1,"as_of":"2026-11-23T04:00:00Z","health":"ok"}],"captured_at":"2026-11-23T12:00:00.'
    '000000Z","request_answer_until":"2026-11-23T12:15:00.000000Z"}'
)
_DICTIONARIES = {1: (_STATS + _OUTCOME + _ALERT).encode()}
PRESENT = max(_DICTIONARIES)
"""The number of the dictionary that packs."""

_BARE = -15
"""Deflate alone: SQLite needs no header, and a checksum would not say what to do."""
_LEVEL = 9


class Damaged(Exception):
    """What was packed cannot be unpacked any more."""


def packed(content: bytes) -> bytes:
    """`content`, packed with the present dictionary."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _BARE, zdict=_DICTIONARIES[PRESENT])
    return packer.compress(content) + packer.flush()


def unpacked(content: bytes, dictionary: int) -> bytes:
    """What was packed with the dictionary of that number. Raises Damaged."""
    try:
        unpacker = zlib.decompressobj(_BARE, zdict=_DICTIONARIES[dictionary])
        whole = unpacker.decompress(content) + unpacker.flush()
    except (KeyError, zlib.error):
        raise Damaged from None
    if not unpacker.eof:
        raise Damaged
    return whole
