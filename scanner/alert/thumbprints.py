"""A key's thumbprint (RFC 7638), worked out once for each key: every message names one."""

from joserfc.jwk import OKPKey

_MOST = 50_000
_known: dict[tuple[str, str], str] = {}


def thumbprint(key: OKPKey) -> str:
    """The thumbprint of `key`. For any thread."""
    public = (str(key.dict_value["crv"]), str(key.dict_value["x"]))
    found = _known.get(public)
    if found is None:
        if len(_known) >= _MOST:
            _known.clear()
        found = _known[public] = key.thumbprint()
    return found
