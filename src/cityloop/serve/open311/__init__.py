"""Open311 GeoReport v2: the cases of the city for any client of the open standard, in XML and JSON."""
