"""The catalogues of components and matters."""

from __future__ import annotations

import pytest

from cityloop.city.service import City
from cityloop.core.errors import NotFound


def test_the_new_standard_has_153_components_and_250_matters(demo: City) -> None:
    national = [matter for matter in demo.catalogue.list(None) if matter.standard == "gb47678"]
    assert [matter.kind for matter in national].count("component") == 153
    assert [matter.kind for matter in national].count("matter") == 250


def test_packs_may_bring_codes_that_the_national_catalogue_lacks(demo: City) -> None:
    local = [matter for matter in demo.catalogue.list() if matter.standard != "gb47678"]
    assert {matter.standard for matter in local} == {"air", "governance", "hazmat", "metro", "traffic", "water"}
    assert all(demo.catalogue.get(matter.key) == matter for matter in local)


def test_a_component_and_its_fault_share_digits_but_not_keys(demo: City) -> None:
    component = demo.catalogue.get("gb47678:component:01001")
    fault = demo.catalogue.get("gb47678:matter:01001")
    assert (component.title.zh, fault.title.zh) == ("供水井盖", "供水井盖异常")
    assert fault.class_title == component.class_title


def test_cases_under_the_old_standard_stay_readable(demo: City) -> None:
    assert demo.catalogue.get("gb30428:matter:0101").standard == "gb30428"
    assert not [matter for matter in demo.catalogue.list(None) if matter.standard == "gb30428"]


def test_every_matter_has_titles_and_a_class(demo: City, boston: City) -> None:
    for matter in [*demo.catalogue.list(None), *boston.catalogue.list()]:
        assert all([matter.title.zh, matter.title.en, matter.class_title.zh, matter.class_title.en, matter.class_code])


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("gb47678:matter:6010", "gb47678:matter:06010"), ("暴露垃级", "gb47678:matter:06010"), ("06010", ":06010")],
)
def test_an_unknown_matter_is_refused_with_the_nearest(demo: City, wrong: str, meant: str) -> None:
    with pytest.raises(NotFound) as refusal:
        demo.catalogue.get(wrong)
    assert meant in refusal.value.mend


def test_a_word_like_nothing_has_no_neighbours(demo: City) -> None:
    with pytest.raises(NotFound, match="none is near"):
        demo.catalogue.get("zzzzzzzzzzzz")


def test_boston_has_the_135_kinds_of_its_records(boston: City) -> None:
    assert len(boston.catalogue.list()) == 135
    assert boston.catalogue.get("bos:matter:street-light-outages").title.en == "Street Light Outages"
