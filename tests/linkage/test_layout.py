"""A diagram that nobody drew is drawn so that a person can read it."""

from __future__ import annotations

from itertools import combinations, pairwise

from cityloop.linkage.drawing import PREFIXES, read
from cityloop.linkage.layout import Box, laid_out
from cityloop.linkage.lint import lint
from tests.linkage.drawings import DRILL, NAMES, TIMER, drawn


def boxes(xml: str) -> dict[str, Box]:
    found = {}
    for shape in read(xml).root.iter(f"{{{PREFIXES['bpmndi']}}}BPMNShape"):
        (bounds,) = shape.findall(f"{{{PREFIXES['dc']}}}Bounds")
        found[shape.attrib["bpmnElement"]] = Box(*(float(bounds.attrib[key]) for key in ("x", "y", "width", "height")))
    return found


def inside(inner: Box, outer: Box) -> bool:
    return outer.x <= inner.x and outer.y <= inner.y and inner.right <= outer.right and inner.bottom <= outer.bottom


def test_everything_is_drawn_in_the_band_of_its_lane_and_nothing_overlaps() -> None:
    xml = laid_out(read(DRILL))
    drawing, placed = read(xml), boxes(xml)
    assert drawing.drawn
    assert lint(xml, NAMES) == []
    for lane in drawing.lanes:
        assert all(inside(placed[node], placed[lane.id]) for node in lane.nodes)
        assert inside(placed[lane.id], placed["flood-drill-pool"])
    plain = [name for name, node in drawing.nodes.items() if node.kind != "boundaryEvent"]
    for a, b in combinations(plain, 2):
        assert not placed[a].cut((placed[b].x, placed[b].y), (placed[b].right, placed[b].bottom)), (a, b)


def test_every_flow_has_a_way_of_level_and_upright_lines_from_its_source_to_its_target() -> None:
    xml = laid_out(read(DRILL))
    drawing, placed = read(xml), boxes(xml)
    edges = list(drawing.root.iter(f"{{{PREFIXES['bpmndi']}}}BPMNEdge"))
    assert {edge.attrib["bpmnElement"] for edge in edges} == set(drawing.flows)
    for edge in edges:
        flow = drawing.flows[edge.attrib["bpmnElement"]]
        points = [(float(p.attrib["x"]), float(p.attrib["y"])) for p in edge]
        assert all(a[0] == b[0] or abs(a[1] - b[1]) < 1 for a, b in pairwise(points)), flow.id
        for (x, y), end in ((points[0], placed[flow.source]), (points[-1], placed[flow.target])):
            assert end.x <= x <= end.right and end.y <= y <= end.bottom


def test_drawing_twice_changes_nothing_that_is_said() -> None:
    once = laid_out(read(DRILL))
    assert laid_out(read(once)) == once


def test_a_diagram_without_lanes_and_one_with_a_sub_process_are_drawn_too() -> None:
    assert read(laid_out(read(drawn("s1>u1 u1>e1", lane=False)))).drawn
    inner = (
        '<bpmn:subProcess id="sub" name="sub"><bpmn:startEvent id="si"/><bpmn:userTask id="ui" name="ui"/>'
        '<bpmn:endEvent id="ei"/><bpmn:sequenceFlow id="fi" sourceRef="si" targetRef="ui"/>'
        '<bpmn:sequenceFlow id="fj" sourceRef="ui" targetRef="ei"/></bpmn:subProcess>'
        '<bpmn:sequenceFlow id="fk" sourceRef="u1" targetRef="sub"/>'
        '<bpmn:sequenceFlow id="fl" sourceRef="sub" targetRef="e2"/><bpmn:endEvent id="e2"/>'
        f'<bpmn:boundaryEvent id="b1" attachedToRef="sub">{TIMER.format("b1")}</bpmn:boundaryEvent>'
        '<bpmn:sequenceFlow id="fm" sourceRef="b1" targetRef="e2"/>'
    )
    for lane in (True, False):
        xml = drawn("s1>u1", lane=lane, more=inner)
        placed = boxes(laid_out(read(xml)))
        assert read(laid_out(read(xml))).drawn
        assert all(inside(placed[name], placed["sub"]) for name in ("si", "ui", "ei"))
