import json
from tests.pact.works import *


def test_it(works):
    out = works.footprints()
    print(json.dumps(out[0], indent=1, ensure_ascii=False))
    print(works.names())
    assert 0
