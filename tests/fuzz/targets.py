"""The table of fuzz targets: one row for each parser. Add yours here; `errors` are all that may come out."""

from appliance.formats import bags
from tests.formats.bags.test_bags import property_bags
from tests.fuzz.runner import Target
from tests.fuzz.seeds import built

TARGETS: tuple[Target, ...] = (Target("bags", bags.unpack, built(property_bags(), bags.pack)),)
